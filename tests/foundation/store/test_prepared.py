"""Prepared statements: the ORM's tenancy, errors and types without the ORM; and caches hear of what they hold."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col

from foundation.store import (
    Add,
    BadValue,
    Change,
    Duplicate,
    Find,
    ForeignRow,
    Remove,
    StatementRefused,
    Store,
    TransactionOpen,
    rows_of,
)
from tests.foundation.store.rows import ELSEWHERE, HERE, Leaf, Note, Person, Petal

MOMENT: Final = datetime(2031, 5, 6, 7, 8, 9, 10, UTC)
COLUMNS: Final = ("name", "mark", "grown_at", "body")
PUT: Final = Add(Petal, COLUMNS)
PUT_ONCE: Final = Add(Petal, ("name", "body"), unless_there=True)
GET: Final = Find(Petal, COLUMNS, by=("name",))
NAMES: Final = Find(Petal, ("name",), by=())
REMARK: Final = Change(Petal, ("mark",), by=("name", "mark"))
DROP: Final = Remove(Petal, by=("name",))


def petal(name: str = "a", mark: str | None = "red", body: bytes = b"\x00\xff") -> dict[str, Any]:
    return {"name": name, "mark": mark, "grown_at": MOMENT, "body": body}


def put(store: Store, name: str = "a", scope: Any = HERE, **values: Any) -> int:
    return store.unit(scope).write(lambda session: rows_of(session).run(PUT, petal(name, **values)))


def test_values_come_back_in_their_own_types(any_store: Store) -> None:
    assert put(any_store) == 1
    with any_store.unit(HERE).rows() as rows:
        assert rows.one(GET, {"name": "a"}) == ("a", "red", MOMENT, b"\x00\xff")
        assert rows.one(GET, {"name": "b"}) is None


def test_a_null_stays_a_null(any_store: Store) -> None:
    any_store.unit(HERE).write(
        lambda session: rows_of(session).run(PUT, {**petal(mark=None), "grown_at": None})
    )
    with any_store.unit(HERE).rows() as rows:
        assert rows.one(GET, {"name": "a"}) == ("a", None, None, b"\x00\xff")


def test_the_tenant_is_in_every_statement(any_store: Store) -> None:
    put(any_store)
    put(any_store, scope=ELSEWHERE, body=b"theirs")
    with any_store.unit(HERE).rows() as rows:
        assert rows.all(NAMES, {}) == [("a",)]

    def body(session: Session) -> tuple[int, int]:
        rows = rows_of(session)
        return rows.run(REMARK, {"name": "a", "mark": "red", "new_mark": "blue"}), rows.run(
            DROP, {"name": "a"}
        )

    assert any_store.unit(HERE).write(body) == (1, 1)
    with any_store.unit(ELSEWHERE).rows() as rows:
        assert rows.one(GET, {"name": "a"}) == ("a", "red", MOMENT, b"theirs")


def test_a_room_cannot_name_the_tenant_itself() -> None:
    for made in (
        lambda: Find(Petal, ("name",), by=("account",)),
        lambda: Add(Petal, ("name", "region")),
        lambda: Change(Petal, ("account",), by=("name",)),
        lambda: Remove(Person, by=("account", "name")),
    ):
        with pytest.raises(ForeignRow):
            made()


def test_a_tenant_among_the_values_is_overruled_by_the_unit_s(store: Store) -> None:
    given = {**petal(), "account": ELSEWHERE.account, "region": ELSEWHERE.region}
    store.unit(HERE).write(lambda session: rows_of(session).run(PUT, given))
    with store.unit(ELSEWHERE).rows() as rows:
        assert rows.all(NAMES, {}) == []


def test_an_unknown_column_is_refused_before_any_text_is_run(store: Store) -> None:
    injected = Find(Petal, ("name",), by=("name = '' OR TRUE --",))
    with pytest.raises(KeyError), store.unit(HERE).rows() as rows:
        rows.all(injected, {"name = '' OR TRUE --": 1})


def test_a_table_with_versions_is_for_the_orm(store: Store) -> None:
    with pytest.raises(StatementRefused, match="versions"):
        Change(Note, ("slug",), by=("name",))


def test_a_taken_key_is_a_duplicate_and_undoes_its_own_write_alone(any_store: Store) -> None:
    put(any_store)
    with pytest.raises(Duplicate) as taken:
        any_store.unit(HERE).write(
            lambda session: [rows_of(session).run(PUT, petal(name, mark=name)) for name in ("b", "a")]
        )
    assert taken.value.table == "test_petal"
    with pytest.raises(Duplicate) as taken:
        put(any_store, "c")
    assert taken.value.constraint == "uq_test_petal_mark"
    with any_store.unit(HERE).rows() as rows:
        assert rows.all(NAMES, {}) == [("a",)]


def test_what_is_there_already_may_be_left_alone(any_store: Store) -> None:
    def once(session: Session) -> int:
        return rows_of(session).run(PUT_ONCE, {"name": "a", "body": b"second"})

    assert any_store.unit(HERE).write(once) == 1
    assert any_store.unit(HERE).write(once) == 0


def test_what_the_database_would_lose_is_refused(any_store: Store) -> None:
    for bad in (petal("nul\x00"), {**petal(), "grown_at": MOMENT.replace(tzinfo=None)}):
        with pytest.raises(BadValue):
            any_store.unit(HERE).write(lambda session, bad=bad: rows_of(session).run(PUT, bad))  # type: ignore[misc]  # mypy cannot infer a lambda with a default


def test_what_was_added_to_the_session_goes_first(store: Store) -> None:
    def body(session: Session) -> Any:
        session.add(Petal(account=HERE.account, region=HERE.region, name="orm"))
        return rows_of(session).one(GET, {"name": "orm"})

    assert store.unit(HERE).write(body) is not None


def test_a_read_phase_writes_nothing(any_store: Store) -> None:
    with any_store.unit(HERE).rows() as rows, pytest.raises(StatementRefused):
        rows.run(DROP, {"name": "a"})
    with any_store.unit(HERE).read() as session, pytest.raises(StatementRefused):
        rows_of(session).run(DROP, {"name": "a"})


def test_a_snapshot_is_a_phase_like_any_other(store: Store) -> None:
    with store.unit(HERE).rows(), pytest.raises(TransactionOpen):
        store.unit(HERE).write(lambda _session: None)


def test_the_units_event_is_committed_beside(any_store: Store) -> None:
    unit = any_store.unit(HERE, b"event", "id-1")
    unit.write(lambda session: rows_of(session).run(PUT, petal()))
    assert any_store.pending() == [("id-1", b"event")]


def _change(session: Session) -> None:
    leaf = session.get(Leaf, (HERE.account, HERE.region, "a"))
    assert leaf is not None
    leaf.mark = "new"
    session.add(leaf)


def _turn(session: Session) -> None:
    leaf = session.get(Leaf, (HERE.account, HERE.region, "a"))
    assert leaf is not None
    leaf.turned += 1
    session.add(leaf)


def _delete(session: Session) -> None:
    session.delete(session.get(Leaf, (HERE.account, HERE.region, "a")))


def _add(session: Session) -> None:
    session.add(Leaf(account=HERE.account, region=HERE.region, name="b"))


@pytest.mark.parametrize(
    ("change", "raised"),
    [
        pytest.param(_change, 1, id="changed"),
        pytest.param(_delete, 1, id="deleted"),
        pytest.param(lambda s: s.exec(update(Leaf).values(mark="all")), 1, id="updated by a statement"),
        pytest.param(lambda s: s.exec(delete(Leaf)), 1, id="deleted by a statement"),
        pytest.param(_turn, 0, id="changed in what no cache holds"),
        pytest.param(
            lambda s: s.exec(update(Leaf).values(turned=col(Leaf.turned) + 1)), 0, id="updated in that"
        ),
        pytest.param(_add, 0, id="added: what does not exist is not cached"),
        pytest.param(lambda _: None, 0, id="nothing"),
    ],
)
def test_caches_hear_of_each_change_in_what_they_hold(
    store: Store, change: Callable[[Session], None], raised: int
) -> None:
    leaf = Leaf(account=HERE.account, region=HERE.region, name="a")
    store.unit(HERE).write(lambda session: session.add(leaf))
    store.unit(HERE).write(change)
    with store._reader.connect() as connection:
        found = connection.exec_driver_sql("SELECT value FROM generation WHERE name = 'test.leaves'").scalar()
    assert (found or 0) == raised


def test_what_caches_hold_is_changed_through_the_session_alone() -> None:
    for made in (lambda: Change(Leaf, ("mark",), by=("name",)), lambda: Remove(Leaf, by=("name",))):
        with pytest.raises(StatementRefused, match="caches"):
            made()


KNOWN: Final = Find(Petal, ("name",), by=("name", "mark"))
PUT_BESIDE: Final = Add(
    Petal, ("name", "body"), if_found=KNOWN, if_not_found=(Find(Person, ("name",), by=("name",)),)
)


@pytest.mark.parametrize(
    ("looked", "added"),
    [
        pytest.param({"if_name": "a", "if_mark": "red", "not_name": "b"}, 1, id="both looks hold"),
        pytest.param({"if_name": "a", "if_mark": "blue", "not_name": "b"}, 0, id="what must be is not"),
        pytest.param({"if_name": "a", "if_mark": "red", "not_name": "eve"}, 0, id="what must not be is"),
    ],
)
def test_a_row_is_added_where_its_looks_hold_in_its_own_tenant(
    any_store: Store, looked: dict[str, str], added: int
) -> None:
    put(any_store)
    put(any_store, scope=ELSEWHERE, mark="blue")
    any_store.unit(HERE).write(lambda session: session.add(Person(account=HERE.account, name="eve")))

    def body(session: Session) -> int:
        return rows_of(session).run(PUT_BESIDE, {"name": "new", "body": b"", **looked})

    assert any_store.unit(HERE).write(body) == added


def test_as_many_are_found_as_are_asked_for_up_to_a_moment(any_store: Store) -> None:
    for name in "abc":
        put(any_store, name, mark=name)
    early = Find(Petal, ("name",), by=(), up_to="grown_at", most=2)
    with any_store.unit(HERE).rows() as rows:
        assert len(rows.all(early, {"grown_at": MOMENT})) == 2
        assert rows.all(early, {"grown_at": MOMENT.replace(year=2030)}) == []
