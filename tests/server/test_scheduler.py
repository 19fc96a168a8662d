"""Due work: run to its end, given back when it fails, in its order when the clock moves, and after a crash."""

import io
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pytest
from sqlmodel import Session

from foundation.store import SYSTEM, Claim, Deployment, Job, Store, schedule
from server import clock_advance
from server.admin.protocol import CommandFailed
from server.assembly import Assembly
from server.clock import Clocks, clocks
from server.logs import Log, make_log
from server.scheduler import AT_ONCE, FIRST_RETRY, Ticker, run_claim
from tests.support.served import wait_for

KIND = "test.work"


@dataclass
class Bench:
    """What the scheduler needs of an assembly, with jobs of the test's own."""

    store: Store
    clock: Clocks
    run: Callable[[Claim], None] = lambda _: None
    logged: io.StringIO = field(default_factory=io.StringIO)
    done: list[tuple[str, datetime]] = field(default_factory=list)

    @property
    def log(self) -> Log:
        return make_log("info", "test", self.clock.wall, self.logged)

    @property
    def jobs(self) -> tuple[Job, ...]:
        return (Job(KIND, timedelta(seconds=0.05), self.work),)

    @property
    def assembly(self) -> Assembly:
        return cast("Assembly", self)

    def work(self, claim: Claim) -> None:
        """Notes when each piece was done; the work of the test may come before, and may raise."""
        self.run(claim)
        self.done.append((claim.subject, self.clock.now()))
        self.store.unit(claim.scope).write(claim.finish)

    def due(self, subject: str, at: datetime) -> None:
        def write(session: Session) -> None:
            schedule(session, KIND, subject, at)

        self.store.unit(SYSTEM).write(write)

    def reached(self, moment: datetime) -> bool:
        return self.clock.now() >= moment

    def only_claim(self) -> Claim:
        [claim] = self.store.claim_due(KIND, self.clock.now(), timedelta(seconds=60), 10)
        return claim


def deployment(*, test_clock: bool) -> Deployment:
    return Deployment("00000000-0000-4000-8000-000000000002", b"sealed", b"check", test_clock=test_clock)


@pytest.fixture
def bench(store: Store) -> Bench:
    store.create_deployment(deployment(test_clock=True))
    return Bench(store, clocks(store))


def fails(claim: Claim) -> None:
    raise ZeroDivisionError(f"of {claim.subject}")


def test_a_failing_piece_is_given_back_and_due_again_later_each_time_later_still(bench: Bench) -> None:
    bench.run = fails
    bench.due("a", bench.clock.now())
    waits = []
    for _ in range(3):
        claim = bench.only_claim()
        assert run_claim(bench.assembly, bench.jobs[0], claim) == "failed: of a"
        again = bench.store.next_due([KIND])
        assert again is not None
        waits.append((again - bench.clock.now()).total_seconds())
        bench.store.set_clock_offset((again - bench.clock.wall()) // timedelta(microseconds=1) + 1000)
        wait_for(partial(bench.reached, again), 2)
    assert waits == pytest.approx([FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY], abs=1)
    assert "ZeroDivisionError" in bench.logged.getvalue()
    assert "of a" not in bench.logged.getvalue()  # the text of an exception may hold what a caller sent


def test_a_holder_that_lost_its_claim_says_so_and_changes_nothing(bench: Bench) -> None:
    bench.due("a", bench.clock.now())
    [late] = bench.store.claim_due(KIND, bench.clock.now(), timedelta(0), 1)
    time.sleep(0.01)
    bench.only_claim()
    assert run_claim(bench.assembly, bench.jobs[0], late) == "taken over by another process"
    assert bench.store.next_due([KIND]) is not None


def test_the_ticker_runs_what_is_due_and_no_more_at_once_than_it_has_threads(bench: Bench) -> None:
    gate, running, most, lock = threading.Event(), 0, 0, threading.Lock()

    def counted(_: Claim) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1

    bench.run = counted
    for number in range(3 * AT_ONCE):
        bench.due(f"s{number}", bench.clock.now())
    bench.due("later", bench.clock.now() + timedelta(hours=1))
    ticker = Ticker(bench.assembly)
    ticker.start()
    wait_for(lambda: running == AT_ONCE, 5)
    time.sleep(0.2)
    gate.set()
    wait_for(lambda: len(bench.done) == 3 * AT_ONCE, 10)
    ticker.stop()
    assert most == AT_ONCE
    assert "later" not in {subject for subject, _ in bench.done}


def test_a_tick_that_fails_is_logged_and_the_next_one_comes(bench: Bench) -> None:
    calls: list[int] = []

    def shaky() -> None:
        calls.append(1)
        raise OSError("the core is away")

    ticker = Ticker(bench.assembly)
    ticker.every(timedelta(seconds=0.05), shaky)
    ticker.start()
    wait_for(lambda: len(calls) >= 3, 5)
    ticker.stop()
    assert "OSError" in bench.logged.getvalue()


def test_the_clock_stops_at_each_due_moment_in_order_and_ends_at_its_target(bench: Bench) -> None:
    start = bench.clock.now()
    for days in (30, 10, 20, 90):
        bench.due(f"day {days}", start + timedelta(days=days))
    told: list[str] = []
    ended = clock_advance.advance(bench.assembly, timedelta(days=60), told.append)
    assert [subject for subject, _ in bench.done] == ["day 10", "day 20", "day 30"]
    for subject, at in bench.done:
        assert timedelta(0) <= at - start - timedelta(days=int(subject.split()[1])) < timedelta(minutes=1)
    assert timedelta(0) <= ended - start - timedelta(days=60) < timedelta(minutes=1)
    assert [line.split("  ")[-1] for line in told] == ["done"] * 3
    assert bench.store.next_due([clock_advance.KIND]) is None


def test_work_that_is_due_again_on_the_way_is_done_again_at_its_moment(bench: Bench) -> None:
    start = bench.clock.now()
    bench.due("a", start + timedelta(days=1))

    def weekly(claim: Claim) -> None:
        if bench.clock.now() < start + timedelta(days=20):
            bench.due("a", claim.due_at + timedelta(days=7))

    bench.run = weekly
    clock_advance.advance(bench.assembly, timedelta(days=30), lambda _: None)
    assert [(at - start).days for _, at in bench.done] == [1, 8, 15, 22]


def test_a_failing_piece_on_the_way_is_named_and_does_not_hold_the_clock(bench: Bench) -> None:
    bench.run = fails
    bench.due("a", bench.clock.now() + timedelta(days=1))
    told: list[str] = []
    clock_advance.advance(bench.assembly, timedelta(days=2), told.append)
    assert 2 <= len(told) < 40
    assert all("failed: of a" in line for line in told)


def test_a_move_that_a_crash_cut_short_goes_on_to_its_target(bench: Bench, tmp_path: Path) -> None:
    start = bench.clock.now()
    bench.due("day 10", start + timedelta(days=10))
    bench.due("day 20", start + timedelta(days=20))

    class Crash(BaseException):
        """Not an exception of ours: the process is gone."""

    def crash(claim: Claim) -> None:
        if claim.subject == "day 20":
            raise Crash

    bench.run = crash
    with pytest.raises(Crash):
        clock_advance.advance(bench.assembly, timedelta(days=30), lambda _: None)
    bench.run = lambda _: None
    free_at_once(tmp_path)
    clock_advance.resume(bench.assembly, lambda _: None)
    assert [subject for subject, _ in bench.done] == ["day 10", "day 20"]
    assert timedelta(0) <= bench.clock.now() - start - timedelta(days=30) < timedelta(minutes=1)
    clock_advance.resume(bench.assembly, lambda _: None)
    assert bench.clock.now() - start < timedelta(days=31)


def free_at_once(directory: Path) -> None:
    """The dead holder's lease, run out."""
    with closing(sqlite3.connect(directory / "keystead.db", timeout=5)) as connection:
        connection.execute("UPDATE due SET claimed_until = NULL")
        connection.commit()


def test_a_deployment_on_the_real_clock_is_not_moved(store: Store) -> None:
    store.create_deployment(deployment(test_clock=False))
    with pytest.raises(CommandFailed, match="--test-clock"):
        clock_advance.advance(Bench(store, clocks(store)).assembly, timedelta(days=1), lambda _: None)


def test_the_calendar_ends(bench: Bench) -> None:
    with pytest.raises(CommandFailed, match="9999"):
        clock_advance.advance(bench.assembly, timedelta(days=3_000_000), lambda _: None)


def test_the_service_clock_is_ahead_of_the_machines_by_what_the_deployment_holds(bench: Bench) -> None:
    bench.store.set_clock_offset(3_600_000_000)
    wait_for(lambda: bench.clock.now() - datetime.now(UTC) > timedelta(minutes=59), 2)
    assert abs(bench.clock.wall() - datetime.now(UTC)) < timedelta(seconds=5)
