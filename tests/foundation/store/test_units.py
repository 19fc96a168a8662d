"""A unit reads a snapshot, works with nothing open, and writes all or nothing."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from foundation.store import BadValue, Conflict, Duplicate, Store, StoreError, TransactionOpen, unchanged
from tests.foundation.store.rows import HERE, Note, Remark, note

KEY = (HERE.account, HERE.region, "a")


def _put(store: Store, **values: object) -> None:
    store.unit(HERE).write(lambda session: session.add(note(HERE, **values)))  # type: ignore[arg-type]  # any column


def _read(store: Store) -> Note:
    with store.unit(HERE).read() as session:
        row: Note | None = session.get(Note, KEY)
    assert row is not None
    return row


def _raise_count(session: Session) -> int:
    row = session.get(Note, KEY)
    assert row is not None
    row.count += 1
    return row.count


def test_a_write_is_there_when_it_returns(any_store: Store) -> None:
    _put(any_store, body=b"\x00\xff", count=2**63 - 1, written_at=datetime(2031, 5, 6, 7, 8, 9, 10, UTC))
    row = _read(any_store)
    assert (row.body, row.count) == (b"\x00\xff", 2**63 - 1)
    assert row.written_at == datetime(2031, 5, 6, 7, 8, 9, 10, UTC)
    assert row.written_at.tzinfo is UTC


def test_what_was_read_stays_readable_in_the_work_phase(any_store: Store) -> None:
    _put(any_store, count=3)
    row = _read(any_store)
    assert (row.name, row.count) == ("a", 3)


def test_what_a_write_returns_stays_readable(any_store: Store) -> None:
    def body(session: Session) -> Note:
        row = note(HERE, "b")
        session.add(row)
        return row

    assert any_store.unit(HERE).write(body).name == "b"


def test_a_failed_body_writes_nothing(any_store: Store) -> None:
    def body(session: Session) -> None:
        session.add(note(HERE, "b"))
        session.flush()
        raise KeyError("the slice's own fault")

    with pytest.raises(KeyError, match="own fault"):
        any_store.unit(HERE).write(body)
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note)).all() == []


def test_a_read_is_a_snapshot(any_store: Store) -> None:
    _put(any_store, count=1)
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.count)).one() == 1
        writer = threading.Thread(target=any_store.unit(HERE).write, args=(_raise_count,))
        writer.start()
        writer.join()
        assert session.exec(select(Note.count)).one() == 1
    assert _read(any_store).count == 2


def test_moments_sort_as_time_whatever_zone_they_came_in(any_store: Store) -> None:
    east = timezone(timedelta(hours=9))
    moments = [
        datetime(999, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 8, tzinfo=east),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, microsecond=1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
    ]
    for number, moment in enumerate(moments):
        _put(any_store, name=f"m{number}", written_at=moment)
    with any_store.unit(HERE).read() as session:
        assert session.exec(select(Note.written_at).order_by(col(Note.written_at))).all() == moments


# What no database could hold in the same way

BAD: dict[str, dict[str, object]] = {
    "count above 64 bits": {"count": 2**63},
    "count below 64 bits": {"count": -(2**63) - 1},
    "NUL in text": {"topic": "a\x00b"},
    "lone surrogate": {"topic": "\ud800"},
    "naive moment": {"written_at": datetime(2026, 1, 1)},  # noqa: DTZ001 -- what is refused
}


@pytest.mark.parametrize("case", BAD)
def test_a_value_that_a_database_cannot_hold_is_refused_in_clear(any_store: Store, case: str) -> None:
    row = note(HERE)
    for name, value in BAD[case].items():
        setattr(row, name, value)
    with pytest.raises(StoreError) as caught:
        any_store.unit(HERE).write(lambda session: session.add(row))
    assert type(caught.value) is BadValue
    with any_store.unit(HERE).read() as session:
        assert session.get(Note, KEY) is None


@pytest.mark.parametrize("value", [2**63, "a\x00", "\ud800"])
def test_a_bad_value_is_refused_in_a_question_too(any_store: Store, value: object) -> None:
    column = col(Note.count) if isinstance(value, int) else col(Note.topic)
    with any_store.unit(HERE).read() as session, pytest.raises(BadValue):
        session.exec(select(Note).where(column == value)).all()


# Uniqueness

RULES: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "pk_test_note": ({"name": "a"}, {"name": "a"}),
    "uq_test_note_slug": ({"slug": "s"}, {"name": "b", "slug": "s"}),
    "ix_test_note_one_current": (
        {"topic": "t", "current": True},
        {"name": "b", "topic": "t", "current": True},
    ),
}


@pytest.mark.parametrize("rule", RULES)
def test_a_duplicate_names_the_rule_it_broke(any_store: Store, rule: str) -> None:
    first, second = RULES[rule]
    _put(any_store, **first)
    with pytest.raises(Duplicate) as caught:
        _put(any_store, **second)
    assert (caught.value.constraint, caught.value.table) == (rule, "test_note")
    assert "111111111111" not in str(caught.value)


def test_a_missing_value_is_our_own_fault_and_stays_what_it_is(any_store: Store) -> None:
    _put(any_store)
    with pytest.raises(IntegrityError):
        any_store.unit(HERE).write(lambda session: session.execute(update(Note).values(topic=None)))


def test_a_body_that_looks_before_it_inserts_never_sees_a_duplicate(any_store: Store) -> None:
    barrier = threading.Barrier(8)
    made: list[bool] = []

    def get_or_create(session: Session) -> bool:
        if session.get(Note, KEY) is not None:
            return False
        session.add(note(HERE))
        return True

    def run() -> None:
        barrier.wait()
        made.append(any_store.unit(HERE).write(get_or_create))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [False] * 7 + [True]


# Conflicts


def test_concurrent_raises_of_one_row_are_all_counted(any_store: Store) -> None:
    _put(any_store)
    threads = [
        threading.Thread(target=lambda: [any_store.unit(HERE).write(_raise_count) for _ in range(10)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = _read(any_store)
    assert row.count == 40
    assert row.row_version == 41


def test_a_decision_on_a_row_that_changed_since_is_refused(any_store: Store) -> None:
    _put(any_store)
    old = _read(any_store)
    any_store.unit(HERE).write(lambda session: unchanged(session, old))
    any_store.unit(HERE).write(_raise_count)
    with pytest.raises(Conflict):
        any_store.unit(HERE).write(lambda session: unchanged(session, old))


def test_a_decision_on_a_row_that_is_gone_is_refused(any_store: Store) -> None:
    _put(any_store)
    old = _read(any_store)
    any_store.unit(HERE).write(lambda session: session.delete(session.get(Note, KEY)))
    with pytest.raises(Conflict):
        any_store.unit(HERE).write(lambda session: unchanged(session, old))


def test_a_stale_row_that_is_written_back_is_a_conflict(any_store: Store) -> None:
    _put(any_store)
    old = _read(any_store)
    any_store.unit(HERE).write(_raise_count)

    def write_back(session: Session) -> None:
        session.add(old)
        old.topic = "from long ago"

    with pytest.raises(Conflict):
        any_store.unit(HERE).write(write_back)
    assert _read(any_store).topic == ""


def test_a_row_that_others_rely_on_cannot_go(any_store: Store) -> None:
    _put(any_store)
    remark = Remark(account=HERE.account, region=HERE.region, note="a", number=1)
    any_store.unit(HERE).write(lambda session: session.add(remark))
    with pytest.raises(Conflict):
        any_store.unit(HERE).write(lambda session: session.delete(session.get(Note, KEY)))


# Phases


def test_nothing_that_waits_may_be_called_inside_a_phase(any_store: Store) -> None:
    any_store.assert_no_transaction()
    with any_store.unit(HERE).read(), pytest.raises(TransactionOpen):
        any_store.assert_no_transaction()
    with pytest.raises(TransactionOpen):
        any_store.unit(HERE).write(lambda _session: any_store.assert_no_transaction())
    any_store.assert_no_transaction()


def test_phases_do_not_nest(any_store: Store) -> None:
    unit = any_store.unit(HERE)

    def read_inside(_session: Session) -> None:
        with unit.read():
            pass

    with unit.read(), pytest.raises(TransactionOpen):
        unit.write(_raise_count)
    with unit.read(), pytest.raises(TransactionOpen), unit.read():
        pass
    with pytest.raises(TransactionOpen):
        unit.write(read_inside)
    with pytest.raises(TransactionOpen):
        unit.write(lambda _session: unit.write(_raise_count))


# The outbox


def test_a_mutations_event_is_committed_with_its_first_write(any_store: Store) -> None:
    unit = any_store.unit(HERE, b"event", "id-1")
    assert any_store.pending() == []
    unit.write(lambda session: session.add(note()))
    assert any_store.pending() == [("id-1", b"event")]
    unit.write(_raise_count)
    unit.at(HERE, because="the same call goes on").write(_raise_count)
    assert any_store.pending() == [("id-1", b"event")]


def test_a_failed_write_leaves_no_event_and_the_next_one_brings_it(any_store: Store) -> None:
    unit = any_store.unit(HERE, b"event", "id-1")
    with pytest.raises(BadValue):
        unit.write(lambda session: session.add(note(topic="\x00")))
    assert any_store.pending() == []
    unit.at(HERE, because="the same call goes on").write(lambda session: session.add(note()))
    assert any_store.pending() == [("id-1", b"event")]


def test_forgotten_events_are_not_pending_and_their_rows_go(any_store: Store) -> None:
    for number in range(3):
        any_store.unit(HERE, b"event", f"id-{number}").write(lambda session: session.flush())
    any_store.forget(["id-0", "id-2"])
    assert [event_id for event_id, _ in any_store.pending()] == ["id-1"]
    any_store.unit(HERE).write(lambda session: session.flush())
    assert [event_id for event_id, _ in any_store._read(_rows)] == ["id-1"]


def test_an_event_comes_with_its_id(store: Store) -> None:
    with pytest.raises(ValueError, match="together"):
        store.unit(HERE, b"event")


def _rows(connection: object) -> list[tuple[str, bytes]]:
    from foundation.store import outbox

    return outbox.pending(connection)  # type: ignore[arg-type]  # the store's own connection
