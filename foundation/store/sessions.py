"""Sessions that can only see and write their own tenant's rows."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NoReturn, cast

from sqlalchemy import Column, Connection, Result, Table, event, inspect
from sqlalchemy.orm import ORMExecuteState, UOWTransaction, with_loader_criteria
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.sql import Join, Select, visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlalchemy.sql.selectable import AliasedReturnsRows, TextualSelect
from sqlmodel import Session

from foundation.store.errors import ForeignRow, StatementRefused
from foundation.store.prepared import Rows, rows_on
from foundation.store.tenancy import AccountOwned, Scope, Tenant

_TENANCY_COLUMNS = frozenset({"account", "region"})


class TenantSession(Session):
    """A session of one scope, on a connection whose transaction its unit owns.

    Reads are filtered to the scope, writes of other tenants' rows are refused. Commit and rollback are the unit's.
    """

    def __init__(self, connection: Connection, scope: Scope, *, writable: bool) -> None:
        super().__init__(
            bind=connection,
            autoflush=writable,
            expire_on_commit=False,
            join_transaction_mode="rollback_only",
        )
        self.scope = scope
        self.writable = writable
        self.by_key = False
        self.outdated: set[str] = set()
        self._rows: Rows | None = None

    @property
    def rows(self) -> Rows:
        """The same rows by prepared statements; what was added to the session goes first."""
        if self._rows is None:
            bound = cast("Connection", self.bind)
            self._rows = rows_on(bound, self.scope, writable=self.writable, before=self.flush)
        return self._rows

    def get(self, entity: Any, ident: Any, **options: Any) -> Any:
        with self.reading_by_key():
            return super().get(entity, ident, **options)

    @contextmanager
    def reading_by_key(self) -> Iterator[None]:
        """While SQLAlchemy itself writes statements that compare bare primary key columns."""
        before, self.by_key = self.by_key, True
        try:
            yield
        finally:
            self.by_key = before

    def commit(self) -> NoReturn:
        raise StatementRefused("the unit commits; a slice does not")

    def rollback(self) -> NoReturn:
        raise StatementRefused("the unit rolls back; raise an error instead")

    def bulk_save_objects(self, *_args: Any, **_options: Any) -> NoReturn:
        raise StatementRefused("bulk writes pass by the flush that guards tenancy")

    bulk_insert_mappings = bulk_save_objects
    bulk_update_mappings = bulk_save_objects

    def connection(self, *_args: Any, **_options: Any) -> NoReturn:
        raise StatementRefused("the bare connection sees every tenant's rows")


@event.listens_for(TenantSession, "do_orm_execute")
def _guard_statement(state: ORMExecuteState) -> Result[Any] | None:
    session = cast("TenantSession", state.session)
    if not state.is_orm_statement or not (state.is_select or state.is_update or state.is_delete):
        raise StatementRefused("only ORM select, update and delete are allowed; add rows with session.add")
    by_key = session.by_key or state.is_column_load
    filters = [_filter(entity, session.scope) for entity in _entities(state.statement, by_key=by_key)]
    state.statement = state.statement.options(*filters)
    if state.is_select:
        return None
    _guard_update(session, state)
    with session.reading_by_key():  # the keys of the rows that it changes, so that loaded ones are refreshed
        return state.invoke_statement()


def _filter(entity: Any, scope: Scope) -> Any:
    """The filter of one class or alias. An alias needs its own: a class's is not adapted to it in a JOIN."""
    if isinstance(entity, type):
        return _filter_of_class(entity, scope)
    return with_loader_criteria(entity, _own(entity, inspect(entity).mapper.class_, scope))


@lru_cache(maxsize=4096)
def _filter_of_class(owner: type, scope: Scope) -> Any:
    return with_loader_criteria(owner, _own(owner, owner, scope))


def _own(entity: Any, owner: type, scope: Scope) -> Any:
    own = entity.account == scope.account
    return own & (entity.region == scope.region) if issubclass(owner, Tenant) else own


def _guard_update(session: TenantSession, state: ORMExecuteState) -> None:
    if not session.writable:
        raise StatementRefused("this unit is in its read phase")
    statement = cast("Any", state.statement)
    named = {getattr(column, "key", column) for column in getattr(statement, "_values", None) or ()}
    named |= {
        getattr(column, "key", column) for column, _ in getattr(statement, "_ordered_values", None) or ()
    }
    parameters = state.parameters or {}
    for row in parameters if isinstance(parameters, list) else [parameters]:
        named |= set(row)
    if state.is_update and named & _TENANCY_COLUMNS:
        raise ForeignRow("a row cannot be moved to another tenant")
    mapper = state.bind_mapper
    if mapper is not None:
        _outdate(session, mapper.class_, named)


def _entities(statement: Any, *, by_key: bool) -> set[Any]:
    """Every owned class, and alias of one, that the statement reads at any depth; SQLAlchemy filters each of them.

    Text, and tables not reached through their classes, would slip past and raise. `by_key`: SQLAlchemy itself wrote
    the statement, about rows whose class stands beside bare primary key columns.
    """
    entities: set[Any] = set()
    for element in visitors.iterate(statement):
        literal = isinstance(element, ColumnClause) and element.is_literal and element.name != "*"
        if literal or isinstance(element, TextClause | TextualSelect):
            raise StatementRefused("raw SQL sees every tenant's rows")
        entity = _marks(element).get("parententity")
        if entity is not None:
            if issubclass(entity.mapper.class_, Tenant | AccountOwned):
                entities.add(entity.entity)
        elif isinstance(element, Column) and not by_key:
            _refuse_bare(element.table)
        elif isinstance(element, Select):
            for source in (*element._from_obj, *(join[0] for join in element._setup_joins)):  # noqa: SLF001 -- no public name tells what was given to select_from and join
                _refuse_bare(source)
        elif isinstance(element, Join):
            _refuse_bare(element.left)
            _refuse_bare(element.right)
    return entities


def _marks(element: Any) -> Any:
    return element._annotations  # noqa: SLF001 -- SQLAlchemy's only sign of a table that was reached through its class


def _refuse_bare(source: Any) -> None:
    if "parententity" in _marks(source):
        return
    inner = source
    while isinstance(inner, AliasedReturnsRows):
        inner = inner.element
    if isinstance(inner, Table):
        raise StatementRefused(f"reach {inner.name} through its class, so that it can be filtered")


@event.listens_for(TenantSession, "before_flush")
def _guard_flush(session: OrmSession, _context: UOWTransaction, _instances: Any) -> None:
    own = cast("TenantSession", session)
    for row in (*own.new, *own.deleted, *(changed for changed in own.dirty if own.is_modified(changed))):
        if not own.writable:
            raise StatementRefused("this unit is in its read phase")
        if isinstance(row, Tenant) and Scope(row.account, row.region) != own.scope:
            raise ForeignRow(f"{type(row).__name__} of another tenant")
        if isinstance(row, AccountOwned) and row.account != own.scope.account:
            raise ForeignRow(f"{type(row).__name__} of another account")
    for row in own.deleted:
        _outdate(own, type(row), frozenset())
    for row in own.dirty:
        if getattr(type(row), "cached_under", None) and own.is_modified(row):
            changed = {each.key for each in inspect(row).attrs if each.history.has_changes()}
            _outdate(own, type(row), changed)


def _outdate(session: TenantSession, owner: type, columns: AbstractSet[str]) -> None:
    """A row of a table that is cached goes, or changes in columns that caches hold: its generation is to be raised."""
    name: str | None = getattr(owner, "cached_under", None)
    if name is not None and not (columns and columns <= getattr(owner, "uncached", frozenset())):
        session.outdated.add(name)


def scope_of(session: Session) -> Scope:
    """The scope that a unit's session works for."""
    return cast("TenantSession", session).scope


def rows_of(session: Session) -> Rows:
    """The rows of a unit's session, by prepared statements."""
    return cast("TenantSession", session).rows
