"""Statements for hot paths, put together once: without the ORM, and with the tenant in every one of them.

    KEPT: Final = Find(CertificateRow, ("status", "certificate"), by=("authority_id", "serial"))
    with unit.rows() as rows:                                    # a snapshot, as `unit.read` is
        kept = rows.one(KEPT, {"authority_id": ..., "serial": ...})

In a write phase `rows_of(session)` gives the same, in the session's own transaction. A room names tables and columns; the
text is written here, so that no statement can leave out whose rows it means. An ORM read costs 400 µs, one of these 6.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Table
from sqlmodel import SQLModel

from foundation.store.columns import check_value
from foundation.store.errors import ForeignRow, StatementRefused
from foundation.store.tenancy import AccountOwned, Scope, Tenant

Values = Mapping[str, Any]
Row = tuple[Any, ...]
Bind = Callable[[Any], Any] | None
Execute = Callable[[str, list[Any]], Any]
"""Runs a statement's text with its values; the driver's cursor."""
_MARKS: Final = {"sqlite": "?", "postgresql": "%s"}


class _Plan:
    """One statement in one database's words: its text, and how its values are handed over and its results taken."""

    __slots__ = ("binds", "results", "text")

    def __init__(
        self, text: str, binds: Sequence[tuple[str, Bind]], results: Sequence[tuple[int, Bind]]
    ) -> None:
        self.text = text
        self.binds = tuple(binds)
        self.results = tuple(results)

    def handed_over(self, values: Values) -> list[Any]:
        """In the statement's order, as the driver takes them. Raises BadValue; KeyError for one that is missing."""
        handed = []
        for name, bind in self.binds:
            value = values[name]
            if value is not None:
                check_value(value)
                if bind is not None:
                    value = bind(value)
            handed.append(value)
        return handed

    def taken(self, row: Sequence[Any]) -> Row:
        """A result row in Python's own types."""
        if not self.results:
            return tuple(row)
        taken = list(row)
        for at, take in self.results:
            if take is not None and taken[at] is not None:
                taken[at] = take(taken[at])
        return tuple(taken)


class _Statement(ABC):
    """What the four kinds have in common. Thread-safe: a plan is made once per kind of database."""

    def __init__(self, table: type[SQLModel]) -> None:
        self.table: Table = table.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
        if "row_version" in self.table.columns:
            raise StatementRefused(f"{self.table.name} has versions, which only the ORM raises")
        self.cached = hasattr(table, "cached_under")
        self.owner = _owner(table)
        self._plans: dict[str, _Plan] = {}

    def plan(self, dialect: Dialect) -> _Plan:
        plan = self._plans.get(dialect.name)
        if plan is None:
            plan = self._plans[dialect.name] = self._made(dialect, _MARKS[dialect.name])
        return plan

    @abstractmethod
    def _made(self, dialect: Dialect, mark: str) -> _Plan:
        """The plan, in a database's own words; `mark` stands for a value."""

    def _bound(self, dialect: Dialect, names: Sequence[str], prefix: str = "") -> list[tuple[str, Bind]]:
        kinds = (
            self.table.columns[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names
        )
        return [(prefix + name, kind) for name, kind in zip(names, kinds, strict=True)]

    def _refuse_cached(self) -> None:
        if self.cached:
            raise StatementRefused(
                f"caches hold rows of {self.table.name}; the session tells them of changes"
            )

    def _own(self, names: Sequence[str]) -> tuple[str, ...]:
        """The columns to look by, the tenant's first. Raises ForeignRow when the room names a tenant itself."""
        if set(names) & set(self.owner):
            raise ForeignRow("whose rows a prepared statement means is the unit's to say")
        return (*self.owner, *names)


class Find(_Statement):
    """SELECT columns, by the equality of others; where it is told, `up_to` a value of one more, and at `most` so many."""

    def __init__(
        self,
        table: type[SQLModel],
        columns: Sequence[str],
        *,
        by: Sequence[str],
        up_to: str | None = None,
        most: int | None = None,
    ) -> None:
        super().__init__(table)
        self._columns, self._by = tuple(columns), self._own(by)
        self._up_to, self._most = up_to, most

    def _made(self, dialect: Dialect, mark: str) -> _Plan:
        where, by = _where(self._by, mark), self._by
        if self._up_to is not None:
            where += f"{' AND' if by else 'WHERE'} {self._up_to} <= {mark}"
            by = (*by, self._up_to)
        limit = "" if self._most is None else f"LIMIT {self._most}"
        text = _said("SELECT", ", ".join(self._columns), "FROM", self.table.name, where, limit)
        results = []
        for at, name in enumerate(self._columns):
            take = self.table.columns[name].type.dialect_impl(dialect).result_processor(dialect, None)
            if take is not None:
                results.append((at, take))
        return _Plan(text, self._bound(dialect, by), results)


class Add(_Statement):
    """INSERT one row of exactly these columns and the tenant's.

    With `unless_there` one that exists is left alone. `if_found` and those of `if_not_found` look first, in the same
    statement: where one's condition does not hold, nothing is added, and `run` answers 0. Their values go under `if_` and
    `not_` and the column's name.
    """

    def __init__(
        self,
        table: type[SQLModel],
        columns: Sequence[str],
        *,
        unless_there: bool = False,
        if_found: Find | None = None,
        if_not_found: Sequence[Find] = (),
    ) -> None:
        super().__init__(table)
        self._columns, self._unless_there = self._own(columns), unless_there
        self._looks = [("EXISTS", "if_", if_found)] if if_found is not None else []
        self._looks += [("NOT EXISTS", "not_", find) for find in if_not_found]

    def _made(self, dialect: Dialect, mark: str) -> _Plan:
        columns, marks = ", ".join(self._columns), ", ".join(mark for _ in self._columns)
        binds = self._bound(dialect, self._columns)
        values, conditions = f"VALUES ({marks})", []
        for word, prefix, find in self._looks:
            plan = find.plan(dialect)
            conditions.append(f"{word} ({plan.text})")
            binds += [(name if name in find.owner else prefix + name, bind) for name, bind in plan.binds]
        if conditions:
            values = _said("SELECT", marks, "WHERE", " AND ".join(conditions))
        otherwise = "ON CONFLICT DO NOTHING" if self._unless_there else ""
        return _Plan(_said("INSERT INTO", self.table.name, f"({columns})", values, otherwise), binds, ())


class Change(_Statement):
    """UPDATE columns of the rows that others are equal in; the new values are handed over under `new_` and their name."""

    def __init__(self, table: type[SQLModel], columns: Sequence[str], *, by: Sequence[str]) -> None:
        super().__init__(table)
        self._refuse_cached()
        self._columns, self._by = tuple(columns), self._own(by)
        self._own(columns)

    def _made(self, dialect: Dialect, mark: str) -> _Plan:
        settings = ", ".join(f"{name} = {mark}" for name in self._columns)
        text = _said("UPDATE", self.table.name, "SET", settings, _where(self._by, mark))
        binds = self._bound(dialect, self._columns, "new_") + self._bound(dialect, self._by)
        return _Plan(text, binds, ())


class Remove(_Statement):
    """DELETE the rows that these columns are equal in."""

    def __init__(self, table: type[SQLModel], *, by: Sequence[str]) -> None:
        super().__init__(table)
        self._refuse_cached()
        self._by = self._own(by)

    def _made(self, dialect: Dialect, mark: str) -> _Plan:
        text = _said("DELETE FROM", self.table.name, _where(self._by, mark))
        return _Plan(text, self._bound(dialect, self._by), ())


class Rows:
    """One scope's rows in one transaction or snapshot, by prepared statements. Made by units and sessions."""

    __slots__ = ("_before", "_dialect", "_execute", "_scope", "_writable")

    def __init__(
        self,
        dialect: Dialect,
        execute: Execute,
        scope: Scope | None,
        *,
        writable: bool,
        before: Callable[[], None] | None = None,
    ) -> None:
        self._dialect = dialect
        self._execute = execute
        self._scope = scope
        self._writable = writable
        self._before = before  # what the ORM still holds back goes first

    def one(self, statement: Find, values: Values) -> Row | None:
        """The first row that is found; None when there is none."""
        plan, cursor = self._run(statement, values)
        row = cursor.fetchone()
        return None if row is None else plan.taken(row)

    def all(self, statement: Find, values: Values) -> list[Row]:
        """Every row that is found."""
        plan, cursor = self._run(statement, values)
        return [plan.taken(row) for row in cursor.fetchall()]

    def run(self, statement: Add | Change | Remove, values: Values) -> int:
        """How many rows were added, changed or removed. The write phase raises as `Unit.write` says."""
        if not self._writable:
            raise StatementRefused("this unit is in its read phase")
        count: int = self._run(statement, values)[1].rowcount
        return count

    def _run(self, statement: _Statement, values: Values) -> tuple[_Plan, Any]:
        if self._before is not None:
            self._before()
        plan = statement.plan(self._dialect)
        if statement.owner:
            if self._scope is None:
                raise StatementRefused(f"{statement.table.name} belongs to tenants, and here is none")
            values = {**values, "account": self._scope.account, "region": self._scope.region}
        return plan, self._execute(plan.text, plan.handed_over(values))


def rows_on(
    connection: Connection, scope: Scope | None, *, writable: bool, before: Callable[[], None] | None = None
) -> Rows:
    """Rows in the connection's transaction. SQLite's driver is asked without SQLAlchemy in between (25 µs a statement)."""
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        return Rows(connection.dialect, driver.execute, scope, writable=writable, before=before)

    def execute(text: str, values: list[Any]) -> Any:
        return connection.exec_driver_sql(text, tuple(values))

    return Rows(connection.dialect, execute, scope, writable=writable, before=before)


def _owner(table: type[SQLModel]) -> tuple[str, ...]:
    if issubclass(table, Tenant):
        return ("account", "region")
    return ("account",) if issubclass(table, AccountOwned) else ()


def _where(names: Sequence[str], mark: str) -> str:
    return "WHERE " + " AND ".join(f"{name} = {mark}" for name in names) if names else ""


def _said(*words: str) -> str:
    return " ".join(words)
