"""Counters that caches follow: cheap to look at, raised in the transaction that changes what is cached."""

import threading
import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, PoolProxiedConnection, select
from sqlmodel import Session, col

from foundation.store.tables import Generation
from foundation.store.units import faults_translated

_POLL_SECONDS: Final = 0.25
_LOOK_SECONDS: Final = 0.001
_CURRENT: Final = frozenset({"clock"})
"""What is looked at each time on SQLite: nobody waits for others to see it."""


def bump(session: Session, name: str) -> int:
    """Raise the generation in this transaction: caches that follow it look again once it is committed.

    Answers the new value. Its row stays locked until the commit, so values are in the order of commits.
    """
    row = session.get(Generation, name, with_for_update=True)
    if row is None:
        row = Generation(name=name, value=0)
    row.value += 1
    session.add(row)
    session.flush()
    return row.value


class Generations(Protocol):
    """Thread-safe; what `get` answers is never older than `staleness` seconds."""

    staleness: float

    def get(self, name: str) -> int: ...

    def close(self) -> None: ...


def _all(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(col(Generation.name), col(Generation.value)))
    return {row.name: row.value for row in rows}


class SqliteGenerations:
    """Looks again when PRAGMA data_version says that somebody committed (3 µs), at most once a millisecond.

    Each look gives up the GIL, which costs a busy process more than the look itself. Whoever tightens something waits
    for `staleness` before he says so.
    """

    staleness = 2 * _LOOK_SECONDS

    def __init__(self, reader: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._fresh: tuple[float, dict[str, int]] = (-1.0, {})  # until when, and the values; replaced whole
        self._lock = threading.Lock()
        self._probe: PoolProxiedConnection | None = None  # these three are guarded by _lock
        self._seen: int | None = None
        self._values: dict[str, int] = {}

    def get(self, name: str) -> int:
        until, values = self._fresh
        if name not in _CURRENT and self._monotonic() < until:
            return values.get(name, 0)
        with self._lock, faults_translated():
            asked = self._monotonic()
            if self._probe is None:
                self._probe = self._reader.raw_connection()
            probe: Any = self._probe.driver_connection
            (version,) = probe.execute("PRAGMA data_version").fetchone()
            if version != self._seen:
                self._values = dict(probe.execute("SELECT name, value FROM generation").fetchall())
                self._seen = version
            self._fresh = (asked + _LOOK_SECONDS, self._values)
            return self._values.get(name, 0)

    def close(self) -> None:
        with self._lock:
            if self._probe is not None:
                self._probe.close()
                self._probe = None


class PostgresGenerations:
    """Polls: one query per 0.25 s, by whoever asks first."""

    staleness = _POLL_SECONDS

    def __init__(self, reader: Engine, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reader = reader
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._until = 0.0  # these two are guarded by _lock
        self._values: dict[str, int] = {}

    def get(self, name: str) -> int:
        with self._lock:
            if self._monotonic() >= self._until:
                asked = self._monotonic()
                with faults_translated(), self._reader.connect() as connection:
                    self._values = _all(connection)
                self._until = asked + _POLL_SECONDS
            return self._values.get(name, 0)

    def close(self) -> None:
        """Nothing is held between polls."""
