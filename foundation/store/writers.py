"""How a write phase becomes durable: one thread and grouped commits on SQLite, retried snapshots on PostgreSQL."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, Self, TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from foundation.store.engine import BEGIN_OPTION
from foundation.store.errors import Conflict, Duplicate, StoreError, StoreUnavailable
from foundation.store.faults import translated
from foundation.store.locks import Turnstile

T = TypeVar("T")
Write = Callable[[Connection], T]
"""A write phase: runs its statements on the connection; does not commit. It may run more than once."""

_TRIES: Final = 16
_LINE: Final = 0x6B7374_6C696E65  # the advisory lock "kstline"
_MAX_BATCH: Final = 64
_BATCH_SECONDS: Final = 0.01
_WAIT_SECONDS: Final = 30.0
_IDLE_SECONDS: Final = 1.0


class Sweep(Protocol):
    """Small work that rides along with the process's transactions."""

    def __len__(self) -> int: ...

    def remove(self, connection: Connection) -> None: ...

    def committed(self) -> None: ...


class Writer(Protocol):
    """Runs write phases. When `run` returns, the write is durable; when it raises a StoreError, see that error.

    Any thread may call it; two calls never see each other half done. A StoreUnavailable raised while the commit was
    under way leaves it unknown whether the write happened: repeat it under its idempotency token.
    """

    def run(self, write: Write[T]) -> T: ...

    def close(self) -> None: ...


class _Waiting:
    """One caller of the writer thread. `_started` is guarded by `_lock`; the rest is handed over by `_done`."""

    def __init__(self, write: Write[Any]) -> None:
        self.write = write
        self.context = contextvars.copy_context()
        self.result: Any = None
        self.error: Exception | None = None
        self._started = False
        self._lock = threading.Lock()
        self._done = threading.Event()

    def start(self) -> bool:
        """Whether the caller still waits; from here on it waits for the outcome, however long."""
        with self._lock:
            self._started = True
            return not self._done.is_set()

    def answer(self) -> None:
        self._done.set()

    def outcome(self) -> Any:
        if not self._done.wait(_WAIT_SECONDS):
            with self._lock:
                if not self._started:
                    self._done.set()
                    raise StoreUnavailable("the database's writer was not free in time; nothing was written")
            self._done.wait()
        if self.error is not None:
            raise self.error
        return self.result


class _Caught:
    """Keeps an error that belongs to another thread, which raises it there."""

    error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


class SqliteWriter:
    """The one writer of this process: takes the file lock, runs what waits as savepoints, commits once.

    The thread starts with the first write, so that a Store may be opened before threads are wanted.
    """

    def __init__(self, engine: Engine, lock_path: Path, sweep: Sweep) -> None:
        self._engine = engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"})
        self._lock_path = lock_path
        self._sweep = sweep
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None  # guarded by _starting, as is _closed
        self._closed = False
        self._connection: Connection | None = None  # the writer thread's own
        self._broken: StoreUnavailable | None = None  # set once, by the writer thread

    def run(self, write: Write[T]) -> T:
        waiting = _Waiting(write)
        with self._starting:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            if self._thread is None:
                serve = partial(self._serve, Turnstile(self._lock_path))
                self._thread = threading.Thread(target=serve, name="store-writer", daemon=True)
                self._thread.start()
            self._queue.put(waiting)
        result: T = waiting.outcome()
        return result

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._starting:
            self._closed = True
            thread = self._thread
        if thread is not None:
            self._queue.put(None)
            thread.join(_WAIT_SECONDS)

    def _serve(self, turnstile: Turnstile) -> None:
        last = False
        try:
            while not last and (batch := self._first()) is not None:
                with _Caught() as caught, turnstile.held():
                    last = self._transact(batch)
                if caught.error is not None:
                    self._fail(batch, caught.error)
                for waiting in batch:
                    waiting.answer()
        finally:
            self._drop_connection()
            turnstile.close()

    def _first(self) -> list[_Waiting] | None:
        """The next caller, or nobody when something should be swept and no write came along; None: stop."""
        while True:
            try:
                waiting = self._queue.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                if len(self._sweep):
                    return []
            else:
                return None if waiting is None else [waiting]

    def _transact(self, batch: list[_Waiting]) -> bool:
        """One transaction over the batch, which grows by what arrives meanwhile; True when told to stop.

        Savepoints are for the second try alone: each is two more calls into SQLite, each of which gives up the GIL.
        """
        if self._broken is not None:
            raise self._broken
        connection = self._connected()
        try:
            with connection.begin():
                stop = self._run_all(connection, batch, _run_bare)
        except _Failed as failed:
            if len(batch) == 1:
                batch[0].error = failed.error
                return failed.stop
            for waiting in batch:
                waiting.result = None
            with connection.begin():
                stop = self._run_all(connection, batch, _run_one) or failed.stop
        self._sweep.committed()
        return stop

    def _run_all(
        self, connection: Connection, batch: list[_Waiting], run: Callable[[Connection, _Waiting], None]
    ) -> bool:
        stop = self._more(batch)
        self._sweep.remove(connection)
        deadline = time.monotonic() + _BATCH_SECONDS
        done = 0
        while done < len(batch):
            try:
                run(connection, batch[done])
            except _Failed as failed:
                failed.stop = stop
                raise
            done += 1
            if done == len(batch) < _MAX_BATCH and time.monotonic() < deadline:
                stop = stop or self._more(batch)
        return stop

    def _more(self, batch: list[_Waiting]) -> bool:
        with suppress(queue.Empty):
            while len(batch) < _MAX_BATCH:
                waiting = self._queue.get_nowait()
                if waiting is None:
                    return True
                batch.append(waiting)
        return False

    def _fail(self, batch: list[_Waiting], error: Exception) -> None:
        fault = error if isinstance(error, StoreUnavailable) else translated(error)
        if isinstance(fault, StoreUnavailable) and fault.fatal:
            self._broken = fault
        for waiting in batch:
            waiting.error = waiting.error or fault or error
        self._drop_connection()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _drop_connection(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(DBAPIError):
                connection.close()


class _Failed(Exception):
    """A write of the batch failed where there was no savepoint, so that all of them are undone."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
        self.stop = False


def _run_bare(connection: Connection, waiting: _Waiting) -> None:
    """Without a savepoint: raises _Failed when the write fails."""
    if not waiting.start():
        return
    with _Caught() as caught:
        waiting.result = waiting.context.run(waiting.write, connection)
    if caught.error is not None:
        fault = translated(caught.error)
        if isinstance(fault, StoreUnavailable):
            raise fault from caught.error
        raise _Failed(fault or caught.error)


def _run_one(connection: Connection, waiting: _Waiting) -> None:
    if not waiting.start():
        return
    savepoint = connection.begin_nested()
    with _Caught() as caught:
        waiting.result = waiting.context.run(waiting.write, connection)
        savepoint.commit()
    if caught.error is None:
        return
    fault = translated(caught.error)
    if isinstance(fault, StoreUnavailable):
        raise fault from caught.error  # SQLite may have rolled back the whole transaction by itself
    waiting.error = fault or caught.error
    if savepoint.is_active:  # a failed flush has rolled it back already
        savepoint.rollback()


class PostgresWriter:
    """Each write phase in its own REPEATABLE READ transaction, tried again when others got in its way.

    A write that keeps losing stands in line with the other losers, so that many writers of one row all get through.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, write: Write[T]) -> T:
        tries = _Tries()
        while True:
            committing = False
            try:
                with (
                    self._engine.connect() as connection,
                    _line(connection, join=tries.losing),
                    connection.begin(),
                ):
                    result = write(connection)
                    committing = True
            except (StatementError, StaleDataError, PoolTimeout) as error:
                fault = translated(error)
                if fault is None:
                    raise
                if isinstance(error, StaleDataError) or not tries.may_repeat(fault, committing=committing):
                    raise fault from None
            else:
                return result

    def close(self) -> None:
        """Nothing waits here: each caller writes by itself."""


@contextmanager
def _line(connection: Connection, *, join: bool) -> Iterator[None]:
    """Wait in line before the transaction begins: once it has, its snapshot is taken, and is too old after a wait."""
    if not join:
        yield
        return
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LINE})
    connection.commit()
    try:
        yield
    finally:
        if not connection.invalidated:  # a lost connection has lost its lock
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LINE})
            connection.commit()


class _Tries:
    """How often one write phase has been repeated, and for what."""

    def __init__(self) -> None:
        self._conflicts = 0
        self._other: set[type[StoreError]] = set()

    @property
    def losing(self) -> bool:
        return self._conflicts > _TRIES // 4

    def may_repeat(self, fault: StoreError, *, committing: bool) -> bool:
        if isinstance(fault, Conflict):
            self._conflicts += 1
            # Waits of 1, 2, 4 ... 16 ms, unequal between those who collided.
            time.sleep(0.001 * 2 ** min(self._conflicts - 1, 4) * (1 + time.monotonic_ns() % 5 / 5))
            return self._conflicts < _TRIES
        # Once more, since the body that looked before it inserted may now see the row that another inserted;
        # and since a server that was restarted drops connections, on which nothing was committed unless
        # the commit was under way.
        once = isinstance(fault, Duplicate) or (isinstance(fault, StoreUnavailable) and not committing)
        if not once or type(fault) in self._other:
            return False
        self._other.add(type(fault))
        return True
