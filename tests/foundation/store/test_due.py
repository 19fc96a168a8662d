"""Due work is done exactly once, by whoever holds the claim, and by nobody who held it before."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from foundation.store import Claim, LostClaim, Store, cancel, schedule
from tests.foundation.store.processes import finish, start
from tests.foundation.store.rows import ELSEWHERE, HERE, OTHERS, Note, note
from tests.support.store import wall

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(seconds=30)


class HandClock:
    """A wall clock that the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def due(any_store_url: str, open_store: Callable[..., Store], clock: HandClock) -> Store:
    return open_store(any_store_url, clock=clock)


def plan(store: Store, subject: str, at: datetime = NOON, *, only_earlier: bool = False) -> None:
    store.unit(HERE).write(lambda session: schedule(session, "job", subject, at, only_earlier=only_earlier))


def claim(store: Store, now: datetime = NOON, limit: int = 10) -> list[Claim]:
    return store.claim_due("job", now, LEASE, limit)


def test_work_is_claimed_when_it_is_due_and_not_before(due: Store) -> None:
    plan(due, "a", NOON)
    assert claim(due, NOON - timedelta(microseconds=1)) == []
    [found] = claim(due, NOON)
    assert (found.scope, found.kind, found.subject, found.due_at, found.attempts) == (
        HERE,
        "job",
        "a",
        NOON,
        0,
    )


def test_the_soonest_work_comes_first_and_no_more_than_asked(due: Store) -> None:
    for hours in (3, 1, 2):
        plan(due, f"in {hours}", NOON + hours * HOUR)
    assert [found.subject for found in claim(due, NOON + 9 * HOUR, 2)] == ["in 1", "in 2"]
    assert [found.subject for found in claim(due, NOON + 9 * HOUR, 2)] == ["in 3"]


def test_other_kinds_of_work_are_left_alone(due: Store) -> None:
    plan(due, "a")
    assert due.claim_due("another", NOON, LEASE, 10) == []


def test_claims_go_over_all_tenants_and_carry_their_scope(due: Store) -> None:
    for scope in (HERE, ELSEWHERE, OTHERS):
        due.unit(scope).write(lambda session: schedule(session, "job", "same", NOON))
    claims = claim(due)
    assert {found.scope for found in claims} == {HERE, ELSEWHERE, OTHERS}
    assert len({found.fence for found in claims}) == 3
    for found in claims:
        due.unit(found.scope).write(found.finish)
    assert due.next_due() is None


def test_claimed_work_is_not_claimed_again_until_the_lease_ends(due: Store, clock: HandClock) -> None:
    plan(due, "a")
    [first] = claim(due)
    clock.at = NOON + LEASE - timedelta(microseconds=1)
    assert claim(due) == []
    clock.at = NOON + LEASE
    [second] = claim(due)
    assert second.fence > first.fence
    assert second.attempts == 1


def test_a_late_holder_writes_nothing(due: Store, clock: HandClock) -> None:
    plan(due, "a")
    [late] = claim(due)
    clock.at += LEASE
    [current] = claim(due)

    def work(holder: Claim) -> Callable[[Session], None]:
        def body(session: Session) -> None:
            session.add(note(HERE, f"by {holder.fence}"))
            with session.no_autoflush:
                holder.finish(session)

        return body

    with pytest.raises(LostClaim):
        due.unit(HERE).write(work(late))
    due.unit(HERE).write(work(current))
    with pytest.raises(LostClaim):
        due.unit(HERE).write(work(late))
    with pytest.raises(LostClaim):
        due.unit(HERE).write(work(current))
    with due.unit(HERE).read() as session:
        assert session.exec(select(Note.name)).all() == [f"by {current.fence}"]


def test_a_late_holder_who_was_not_replaced_may_still_finish(due: Store, clock: HandClock) -> None:
    plan(due, "a")
    [late] = claim(due)
    clock.at += 10 * LEASE
    due.unit(HERE).write(late.finish)
    assert due.next_due() is None


def test_finished_work_may_be_due_again(due: Store) -> None:
    plan(due, "a")
    [first] = claim(due)
    due.unit(HERE).write(lambda session: first.finish(session, NOON + HOUR))
    assert due.next_due() == NOON + HOUR
    assert claim(due) == []
    [second] = claim(due, NOON + HOUR)
    assert second.attempts == 0
    with pytest.raises(LostClaim):
        due.unit(HERE).write(first.finish)


def test_a_time_set_while_the_work_ran_stands(due: Store) -> None:
    plan(due, "a")
    [running] = claim(due)
    plan(due, "a", NOON + HOUR)
    due.unit(HERE).write(running.finish)
    assert due.next_due() == NOON + HOUR
    [again] = claim(due, NOON + HOUR)
    plan(due, "a", NOON + 3 * HOUR)
    due.unit(HERE).write(lambda session: again.finish(session, NOON + 2 * HOUR))
    assert due.next_due() == NOON + 2 * HOUR


def test_cancelled_work_is_lost_to_its_holder_even_when_planned_anew(due: Store) -> None:
    plan(due, "a")
    [old] = claim(due)
    due.unit(HERE).write(lambda session: cancel(session, "job", "a"))
    with pytest.raises(LostClaim):
        due.unit(HERE).write(old.finish)
    plan(due, "a")
    [new] = claim(due)
    assert new.fence != old.fence
    with pytest.raises(LostClaim):
        due.unit(HERE).write(old.finish)
    due.unit(HERE).write(new.finish)


def test_cancelling_what_is_not_planned_is_nothing(due: Store) -> None:
    due.unit(HERE).write(lambda session: cancel(session, "job", "none"))


@pytest.mark.parametrize(
    ("only_earlier", "later", "expected"),
    [(False, HOUR, HOUR), (False, -HOUR, -HOUR), (True, HOUR, timedelta(0)), (True, -HOUR, -HOUR)],
)
def test_planning_again_replaces_the_time(
    due: Store, only_earlier: bool, later: timedelta, expected: timedelta
) -> None:
    plan(due, "a", NOON)
    plan(due, "a", NOON + later, only_earlier=only_earlier)
    assert due.next_due() == NOON + expected


def test_failed_work_is_due_again_and_its_tries_are_counted(due: Store) -> None:
    plan(due, "a")
    for tries in range(3):
        [found] = claim(due, NOON + tries * HOUR)
        assert found.attempts == tries
        due.fail_claim(found, "no answer\x00" + "x" * 9_999, NOON + (tries + 1) * HOUR)
        with pytest.raises(LostClaim):
            due.fail_claim(found, "again", NOON)
    assert due.next_due() == NOON + 3 * HOUR
    [last] = claim(due, NOON + 3 * HOUR)
    due.unit(HERE).write(lambda session: last.finish(session, NOON + 4 * HOUR))
    [fresh] = claim(due, NOON + 4 * HOUR)
    assert fresh.attempts == 0


def test_the_next_moment_counts_claimed_work_and_can_be_asked_by_kind(due: Store) -> None:
    assert due.next_due() is None
    plan(due, "a", NOON)
    due.unit(HERE).write(lambda session: schedule(session, "other", "b", NOON - HOUR))
    claim(due)
    assert due.next_due() == NOON - HOUR
    assert due.next_due(["job"]) == NOON
    assert due.next_due(["job", "other"]) == NOON - HOUR
    assert due.next_due([]) is None


def test_a_claim_is_not_finished_in_another_tenants_unit(due: Store) -> None:
    plan(due, "a")
    [found] = claim(due)
    with pytest.raises(LostClaim, match="another tenant"):
        due.unit(OTHERS).write(found.finish)


@pytest.mark.chaos
def test_two_processes_do_each_of_200_pieces_exactly_once(any_store: Store, any_store_url: str) -> None:
    def fill(session: Session) -> None:
        for number in range(200):
            session.add(note(HERE, f"n{number}"))
            schedule(session, "job", f"n{number}", wall())

    any_store.unit(HERE).write(fill)
    processes = [start("do_due_work", any_store_url, "job", 60_000, 0) for _ in range(2)]
    results = [finish(process).split() for process in processes]
    assert sum(int(done) for done, _ in results) == 200
    assert [lost for _, lost in results] == ["0", "0"]
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.count)).all() == [1] * 200
    assert any_store.next_due() is None


@pytest.mark.chaos
def test_leases_that_run_out_under_their_holders_double_nothing(any_store: Store, any_store_url: str) -> None:
    """Every lease ends before its work does: much is lost and repeated, and still each piece is done once."""

    def fill(session: Session) -> None:
        for number in range(14):
            session.add(note(HERE, f"n{number}"))
            schedule(session, "job", f"n{number}", wall())

    any_store.unit(HERE).write(fill)
    processes = [start("do_due_work", any_store_url, "job", 20, 15) for _ in range(2)]
    results = [finish(process).split() for process in processes]
    assert sum(int(done) for done, _ in results) == 14
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.count)).all() == [1] * 14


@pytest.mark.chaos
def test_a_paused_holders_late_write_is_refused(any_store: Store, any_store_url: str) -> None:
    def fill(session: Session) -> None:
        session.add(note(HERE, "n"))
        schedule(session, "job", "n", wall())

    any_store.unit(HERE).write(fill)
    paused = start("claim_and_stop", any_store_url, "job")
    assert paused.stdout is not None
    assert paused.stdout.readline() == "claimed\n"
    done, lost = finish(start("do_due_work", any_store_url, "job", 60_000, 0)).split()
    while (done, lost) == ("0", "0"):  # the paused holder's lease of 0.2 s has not ended yet
        done, lost = finish(start("do_due_work", any_store_url, "job", 60_000, 0)).split()
    assert (done, lost) == ("1", "0")
    paused.send_signal(signal.SIGCONT)
    assert finish(paused) == "refused\n"
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.count)).all() == [1]
