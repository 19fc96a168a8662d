"""No statement reaches another tenant's rows, whatever its shape; and every table says whose its rows are."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import (
    UniqueConstraint,
    delete,
    exists,
    insert,
    literal,
    literal_column,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import aliased, configure_mappers
from sqlalchemy.types import DateTime, Enum
from sqlmodel import Field, Session, SQLModel, col, func, select

from foundation.store import AccountOwned, ForeignRow, Global, Scope, StatementRefused, Store, Tenant
from foundation.store.tenancy import GLOBAL_TABLES
from tests.foundation.store.rows import ELSEWHERE, HERE, OTHERS, Note, Person, Remark, note
from tests.support.store import import_tables

import_tables()
notes: Any = Note  # seen as SQLAlchemy sees it, not as mypy does
people: Any = Person
other: Any = aliased(Note)
inner = select(notes.name).subquery()
common = select(notes.name).cte()

# Each counts or lists rows; with one note per tenant each must answer as if there were one note in all.
SHAPES: dict[str, tuple[Any, list[Any]]] = {
    "entity": (select(Note), ["n"]),
    "column": (select(notes.name), ["n"]),
    "count from": (select(func.count()).select_from(Note), [1]),
    "count of a column": (select(func.count(notes.name)), [1]),
    "function": (select(func.coalesce(func.max(notes.count), 0)), [7]),
    "arithmetic": (select(func.max(notes.count) + 1), [8]),
    "only in where": (select(func.count()).where(notes.name != ""), [1]),
    "constant": (select(literal(1)).where(notes.name != ""), [1]),
    "alias": (select(other.name), ["n"]),
    "function of an alias": (select(func.sum(other.count)), [7]),
    "subquery": (select(inner.c.name), ["n"]),
    "common table": (select(common.c.name), ["n"]),
    "scalar subquery": (select(select(func.sum(notes.count)).scalar_subquery()), [7]),
    "exists": (select(notes.name).where(~exists().where(other.count == 70)), ["n"]),
    "not in": (select(literal(1)).where(literal("other").not_in(select(notes.name))), [1]),
    "union": (union_all(select(notes.name), select(notes.name)), ["n", "n"]),
    "join": (select(notes.name).join(other, other.topic == notes.topic), ["n"]),
    "outer join": (
        select(func.count(other.name)).select_from(Note).outerjoin(other, other.topic == notes.topic),
        [1],
    ),
    "product": (select(notes.name).where(notes.topic == other.topic), ["n"]),
    "join to subquery": (select(notes.name).join(inner, literal(True)), ["n"]),
    "in an alias": (select(notes.name).where(notes.name.in_(select(other.name))), ["n"]),
    "account only": (select(people.name), ["p"]),
    "both": (select(notes.name).join(people, people.account == notes.account), ["n"]),
    "group": (select(func.count(notes.name)).group_by(notes.topic), [1]),
    "order by subquery": (
        select(notes.name).order_by(select(func.max(other.count)).scalar_subquery()),
        ["n"],
    ),
}


def _add(row: SQLModel, session: Session) -> None:
    session.add(row)


@pytest.fixture
def peopled(any_store: Store) -> Store:
    """Three tenants with one note each, of one topic; two accounts with a person each."""
    for scope, name, count in ((HERE, "n", 7), (ELSEWHERE, "other", 70), (OTHERS, "other", 70)):
        row = note(scope, name, topic="t", count=count)
        any_store.unit(scope).write(partial(_add, row))
    for scope, name in ((HERE, "p"), (OTHERS, "q")):
        person = Person(account=scope.account, name=name)
        any_store.unit(scope).write(partial(_add, person))
    return any_store


@pytest.mark.parametrize("shape", SHAPES)
def test_a_read_sees_its_own_tenant_alone(peopled: Store, shape: str) -> None:
    statement, expected = SHAPES[shape]
    with peopled.unit(OTHERS).read() as session:
        session.execute(statement).scalars().all()  # what was compiled for another tenant serves this one too
    with peopled.unit(HERE).read() as session:
        found = session.execute(statement).scalars().all()
    assert [getattr(row, "name", row) for row in found] == expected


def test_a_row_of_another_tenant_is_not_found_by_its_key(peopled: Store) -> None:
    with peopled.unit(HERE).read() as session:
        assert session.get(Note, (OTHERS.account, OTHERS.region, "other")) is None
        assert session.get(Note, (ELSEWHERE.account, ELSEWHERE.region, "other")) is None
        assert session.get(Person, (OTHERS.account, "q")) is None
        assert session.get(Note, (HERE.account, HERE.region, "n")) is not None


def test_updates_and_deletes_touch_their_own_tenant_alone(peopled: Store) -> None:
    def clear(session: Session) -> None:
        session.execute(update(Note).values(count=0))
        session.execute(update(Note).where(col(Note.name).in_(select(other.name))).values(topic="u"))
        session.execute(delete(Note).where(col(Note.topic) == "u"))
        session.execute(delete(Person))

    peopled.unit(HERE).write(clear)
    with peopled.unit(HERE).read() as session:
        assert session.exec(select(Note)).all() == []
    for scope in (ELSEWHERE, OTHERS):
        with peopled.unit(scope).read() as session:
            assert [(row.name, row.count, row.topic) for row in session.exec(select(Note))] == [
                ("other", 70, "t")
            ]
    with peopled.unit(OTHERS).read() as session:
        assert session.exec(select(Person.name)).all() == ["q"]


@pytest.mark.parametrize(
    "row",
    [note(OTHERS), note(ELSEWHERE), Person(account=OTHERS.account, name="x")],
    ids=["account", "region", "person"],
)
def test_a_row_of_another_tenant_cannot_be_written(peopled: Store, row: SQLModel) -> None:
    with pytest.raises(ForeignRow):
        peopled.unit(HERE).write(lambda session: session.add(row))


def test_a_row_cannot_be_moved_to_another_tenant(peopled: Store) -> None:
    def by_attribute(session: Session) -> None:
        row = session.exec(select(Note)).one()
        row.account = OTHERS.account

    def by_statement(session: Session) -> None:
        session.execute(update(Note).values(account=OTHERS.account))

    def by_key(session: Session) -> None:
        key = {"account": OTHERS.account, "region": OTHERS.region, "name": "other"}
        session.execute(update(Note), [{**key, "count": 1}])

    for move in (by_attribute, by_statement, by_key):
        with pytest.raises(ForeignRow):
            peopled.unit(HERE).write(move)


def test_a_row_handed_over_from_another_tenants_unit_cannot_be_deleted_or_changed(peopled: Store) -> None:
    with peopled.unit(OTHERS).read() as session:
        theirs = session.exec(select(Note)).one()

    def change(session: Session) -> None:
        session.add(theirs)
        theirs.count = 1

    def remove(session: Session) -> None:
        session.delete(theirs)

    for attack in (change, remove):
        with pytest.raises(ForeignRow):
            peopled.unit(HERE).write(attack)


table: Any = SQLModel.metadata.tables["test_note"]
REFUSED: dict[str, Callable[[Session], object]] = {
    "text": lambda session: session.execute(text("SELECT * FROM test_note")),
    "text in where": lambda session: session.exec(select(Note).where(text("1=1"))),
    "text as entity": lambda session: session.execute(
        select(Note).from_statement(text("SELECT * FROM test_note"))
    ),
    "bare table": lambda session: session.execute(select(table)),
    "bare column": lambda session: session.execute(select(table.c.name)),
    "bare alias": lambda session: session.execute(select(table.alias().c.name)),
    "bare source": lambda session: session.execute(select(func.count()).select_from(table)),
    "bare source beside its class": lambda session: session.execute(
        select(Note.name, select(func.count()).select_from(table.alias()).scalar_subquery())
    ),
    "bare join": lambda session: session.execute(select(Person.name).join(table, literal(True))),
    "bare subquery": lambda session: session.execute(
        select(Note).where(col(Note.name).in_(select(table.c.name).correlate(None)))
    ),
    "bare insert": lambda session: session.execute(table.insert().values(name="x")),
    "class insert": lambda session: session.execute(insert(Note).values(name="x")),
    "bare delete": lambda session: session.execute(table.delete()),
    "bulk save": lambda session: session.bulk_save_objects([note(OTHERS)]),
    "bulk insert": lambda session: session.bulk_insert_mappings(Note, [{"name": "x"}]),
    "connection": lambda session: session.connection(),
    "commit": lambda session: session.commit(),
    "rollback": lambda session: session.rollback(),
}


@pytest.mark.parametrize("how", REFUSED)
def test_what_tenancy_cannot_see_through_is_refused(peopled: Store, how: str) -> None:
    with pytest.raises(StatementRefused):
        peopled.unit(HERE).write(REFUSED[how])


def test_a_literal_column_cannot_carry_sql(peopled: Store) -> None:
    sneaky: Any = literal_column("(SELECT count(*) FROM test_note)")
    with peopled.unit(HERE).read() as session, pytest.raises(StatementRefused):
        session.execute(select(Note.name, sneaky))


def test_a_read_phase_writes_nothing(peopled: Store) -> None:
    with peopled.unit(HERE).read() as session:
        session.add(note(HERE, "new"))
        with pytest.raises(StatementRefused, match="read phase"):
            session.flush()
    for statement in (update(Note).values(count=1), delete(Note)):
        with peopled.unit(HERE).read() as session, pytest.raises(StatementRefused, match="read phase"):
            session.execute(statement)


def test_crossing_to_another_tenant_needs_a_reason(peopled: Store) -> None:
    unit = peopled.unit(HERE)
    with unit.at(OTHERS, because="a test may").read() as session:
        assert session.exec(select(Note.name)).all() == ["other"]
    with pytest.raises(ValueError, match="why"):
        unit.at(OTHERS, because="")


# Every table in the product and in these tests

TABLES = sorted(SQLModel.metadata.tables)
ONE_ROW_EACH = {"kms_key_count"}  # a tenant has one: its key is the tenant's alone


def _owner(name: str) -> type[Any]:
    configure_mappers()
    [owner] = [
        mapper.class_
        for mapper in SQLModel._sa_registry.mappers  # the only list of all table classes
        if mapper.local_table.name == name  # type: ignore[attr-defined]  # every mapper of ours has one Table
    ]
    return owner


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_led_by_its_tenant(name: str) -> None:
    owner, key = _owner(name), list(SQLModel.metadata.tables[name].primary_key.columns.keys())
    if name in GLOBAL_TABLES:
        assert issubclass(owner, Global)
    elif issubclass(owner, AccountOwned):
        assert key[0] == "account"
        assert len(key) > 1
    else:
        assert issubclass(owner, Tenant)
        assert key[:2] == ["account", "region"]
        assert len(key) > 2 or name in ONE_ROW_EACH


@pytest.mark.parametrize("name", TABLES)
def test_every_table_means_the_same_on_both_databases(name: str) -> None:
    found = SQLModel.metadata.tables[name]
    for column in found.columns:
        assert not isinstance(column.type, DateTime | Enum), (
            f"{column}: use UtcDateTime, and str for an enumeration"
        )
    assert not _owner(name).__mapper__.relationships, (
        "joins are written out, so that each is seen and filtered"
    )


@pytest.mark.parametrize("name", TABLES)
def test_every_uniqueness_rule_has_one_name_on_both_databases(name: str) -> None:
    found = SQLModel.metadata.tables[name]
    rules = [(found.primary_key.name, frozenset(found.primary_key.columns.keys()))]
    rules += [
        (c.name, frozenset(c.columns.keys())) for c in found.constraints if isinstance(c, UniqueConstraint)
    ]
    rules += [(i.name, frozenset(i.columns.keys())) for i in found.indexes if i.unique]
    columns = [rule[1] for rule in rules]
    assert len(set(columns)) == len(columns), "SQLite tells a violated rule by its columns alone"
    for rule, _ in rules:
        assert rule is not None
        assert len(str(rule)) <= 63, "PostgreSQL cuts longer names"


def test_every_global_table_is_one_that_exists() -> None:
    assert set(TABLES) >= GLOBAL_TABLES


def test_a_table_of_no_account_must_be_named() -> None:
    with pytest.raises(TypeError, match="GLOBAL_TABLES"):

        class Stray(Global, table=True):
            __tablename__ = "test_stray"

            name: str = Field(primary_key=True)


def test_a_foreign_key_is_enforced(any_store: Store) -> None:
    from foundation.store import Conflict

    remark = Remark(account=HERE.account, region=HERE.region, note="none", number=1)
    with pytest.raises(Conflict):
        any_store.unit(Scope(HERE.account, HERE.region)).write(lambda session: session.add(remark))
