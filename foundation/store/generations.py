"""Counters that caches follow: cheap to look at, raised in the transaction that changes what is cached."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, PoolProxiedConnection, select
from sqlmodel import Session, col

from foundation.store.tables import Generation
from foundation.store.units import faults_translated

_LEASE_SECONDS: Final = 0.1
_LEASE: Final = timedelta(seconds=_LEASE_SECONDS)
_LOOK_SECONDS: Final = 0.004
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
    """Looks again when PRAGMA data_version says that somebody committed (3 µs), at most once in four milliseconds.

    Each look gives up the GIL, which costs a busy process more than the look itself. Whoever tightens something waits
    for `staleness` before he says so: all its processes are on one host, whose CLOCK_MONOTONIC is the same for all.
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


def boottime() -> float:
    """Seconds on a clock that counts on while the host is suspended, which CLOCK_MONOTONIC does not."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class _Lease:
    """Values, and until when they may be relied on, counted from before they were asked for."""

    values: Mapping[str, int]
    until: float
    wall_from: datetime
    wall_until: datetime

    def holds(self, at: float, wall: datetime) -> bool:
        """Both clocks must agree: a paused machine may not count the pause, and a wall clock may be set."""
        return at < self.until and self.wall_from <= wall < self.wall_until


class PostgresGenerations:
    """Values under a lease of a tenth of a second, which whoever comes after its end renews by one query.

    So every process of every host has either seen a commit, or reads anew before it uses anything, once `staleness` has
    passed: whoever tightens something waits that long before he says so. Clocks of hosts need not agree, but they must
    run at the same rate within a twentieth.
    """

    staleness = _LEASE_SECONDS * 1.05

    def __init__(
        self, reader: Engine, wall: Callable[[], datetime], elapsed: Callable[[], float] = boottime
    ) -> None:
        self._reader = reader
        self._wall = wall
        self._elapsed = elapsed
        self._lock = threading.Lock()
        self._lease: _Lease | None = None  # replaced whole, under _lock

    def get(self, name: str) -> int:
        lease = self._lease
        if lease is None or not lease.holds(self._elapsed(), self._wall()):
            lease = self._renewed()
        return lease.values.get(name, 0)

    def _renewed(self) -> _Lease:
        with self._lock:
            lease = self._lease
            asked, wall = self._elapsed(), self._wall()
            if lease is not None and lease.holds(asked, wall):  # by another, meanwhile
                return lease
            with faults_translated(), self._reader.connect() as connection:
                values = _all(connection)
            lease = self._lease = _Lease(values, asked + _LEASE_SECONDS, wall, wall + _LEASE)
            return lease

    def close(self) -> None:
        """Nothing is held between polls."""
