"""A unit of work: read a snapshot, work with no transaction open, write what was decided."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Session

from foundation.store.counters import raise_counter
from foundation.store.errors import Conflict, TransactionOpen
from foundation.store.faults import translated
from foundation.store.prepared import Add, Rows, rows_on
from foundation.store.sessions import TenantSession
from foundation.store.tables import Outbox
from foundation.store.tenancy import Scope
from foundation.store.writers import Writer

T = TypeVar("T")
_READ_ONLY: Final = {"postgresql_readonly": True}
_PUT_EVENT: Final = Add(Outbox, ("event_id", "written_at", "payload"))


class OpenTransactions(threading.local):
    """Whether this thread is inside a read or write phase."""

    inside: bool = False

    def assert_none(self) -> None:
        if self.inside:
            raise TransactionOpen("a transaction is open here: end the read or write phase first")

    @contextmanager
    def one(self) -> Iterator[None]:
        self.assert_none()
        self.inside = True
        try:
            yield
        finally:
            self.inside = False


@dataclass(slots=True)
class Event:
    """A trail event that the first write of its unit commits; shared by all scopes of the unit."""

    event_id: str
    payload: bytes
    written: bool = False


@dataclass(frozen=True, slots=True)
class Database:
    """What a unit needs of its store."""

    reader: Engine
    writer: Writer
    transactions: OpenTransactions
    wall: Callable[[], datetime]
    settle: Callable[[], None]
    """Waits until every process has seen the generations that are committed."""


class Unit:
    """One call's or one job's access to the rows of one tenant."""

    def __init__(self, database: Database, scope: Scope, event: Event | None) -> None:
        self.scope = scope
        self._database = database
        self._event = event

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A snapshot of the scope's rows, without any lock. What was loaded stays usable afterwards.

        Raises StoreUnavailable; TransactionOpen when this thread is inside another phase already.
        """
        with (
            self._database.transactions.one(),
            faults_translated(),
            self._database.reader.connect().execution_options(**_READ_ONLY) as connection,
            connection.begin(),
            TenantSession(connection, self.scope, writable=False) as session,
        ):
            yield session

    @contextmanager
    def rows(self) -> Iterator[Rows]:
        """A snapshot as `read` gives, for prepared statements alone: a sixth of its cost. Raises as `read` does."""
        reader = self._database.reader
        with self._database.transactions.one(), faults_translated():
            if reader.dialect.name == "sqlite":
                pooled = reader.raw_connection()
                try:
                    driver: Any = pooled.driver_connection
                    driver.execute("BEGIN")
                    yield Rows(reader.dialect, driver.execute, self.scope, writable=False)
                finally:
                    pooled.close()  # which rolls back
            else:
                options = reader.connect().execution_options(**_READ_ONLY)
                with options as connection, connection.begin():
                    yield rows_on(connection, self.scope, writable=False)

    def write(self, body: Callable[[Session], T]) -> T:
        """Run the body in one transaction; durable when this returns, together with the unit's event.

        The body may run more than once and in another thread: it re-reads the rows it relies on, changes nothing but
        the session, calls nothing that waits, and returns plain values or rows. Rows that it returns stay readable.
        What it changes in rows that caches hold (`cached_under`) every process has seen when this returns.
        Raises Duplicate, Conflict, BadValue, ForeignRow, StoreUnavailable, and whatever the body raises: nothing
        was written then (StoreUnavailable during the commit: unknown, repeat under the idempotency token).
        """
        database = self._database
        database.transactions.assert_none()
        outdated: set[str] = set()

        def run(connection: Connection) -> T:
            with database.transactions.one(), TenantSession(connection, self.scope, writable=True) as session:
                result = body(session)
                session.flush()
                for name in session.outdated:
                    raise_counter(connection, name, 1)
                    outdated.add(name)
                self._put_event(connection)
                return result

        result = database.writer.run(run)
        if self._event is not None:
            self._event.written = True
        if outdated:
            database.settle()
        return result

    def at(self, scope: Scope, *, because: str) -> "Unit":
        """The same unit for another tenant: the one gate across accounts. `because` says who allowed it."""
        if not because:
            raise ValueError("say why this unit may cross to another tenant")
        return Unit(self._database, scope, self._event)

    def _put_event(self, connection: Connection) -> None:
        event = self._event
        if event is not None and not event.written:
            row = {"event_id": event.event_id, "written_at": self._database.wall(), "payload": event.payload}
            rows_on(connection, None, writable=True).run(_PUT_EVENT, row)


def unchanged(session: Session, row: T) -> T:
    """The current row that `row`, read in an earlier phase, was; raises Conflict when it changed or went.

    For tables with `row_version`. Only the caller can redo the decision, so this is not retried.
    """
    mapper: Any = type(row).__mapper__  # type: ignore[attr-defined]  # every table class has a mapper
    current = session.get(type(row), mapper.primary_key_from_instance(row), populate_existing=True)
    if current is None or current.row_version != row.row_version:  # type: ignore[attr-defined]  # stated above
        raise Conflict(f"a {type(row).__name__} row changed since it was read")
    return current


class faults_translated:  # noqa: N801 -- used as a function is; a class, since a generator costs each call 2 µs
    """A block that raises the store's errors for the drivers'."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, (StatementError, PoolTimeout, sqlite3.Error)):
            fault = translated(error)
            if fault is not None:
                raise fault from None
