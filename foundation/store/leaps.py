"""Time that nobody saw pass: the wall clock's leaps, told from the machine's uptime and from beats kept in the database.

While a machine is up, its wall clock and CLOCK_BOOTTIME advance together; what the wall clock gains alone is a leap. Over
a restart of the machine there is only the last beat to go by: what is missing since then, beyond LATE, is one too. What
may be done only after a waiting time asks how much of it were leaps (SECURITY 2.3, "Deletion").
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, func, select

from foundation.store.prepared import Add
from foundation.store.sessions import rows_of
from foundation.store.tables import ClockBeat, ClockLeap
from foundation.store.units import Unit

SLACK: Final = timedelta(minutes=1)
"""What a wall clock may gain while its machine is up: it is set by small steps, and read at other moments."""
LATE: Final = timedelta(hours=1)
"""How long a machine may be down and the time still count: somebody started it again."""
_BEGIN: Final = Add(ClockBeat, ("boot", "booted_at", "beat_at"), unless_there=True)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where this process runs: `boot` names the machine's start, `uptime` is in seconds and counts while it sleeps."""

    boot: str
    uptime: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Leaps:
    """Leaps as (from, to) on the service's clock."""

    known: tuple[tuple[datetime, datetime], ...] = ()

    def between(self, since: datetime, until: datetime) -> timedelta:
        """How much of that time nobody saw pass; never more than all of it."""
        zero = timedelta(0)
        shares = (min(until, ended) - max(since, began) for began, ended in self.known)
        return min(sum((share for share in shares if share > zero), zero), max(until - since, zero))


class Timekeeper:
    """Beats, and remembers leaps. `unit` is of SYSTEM; `wall` the machine's clock, `now` the service's. Thread-safe.

    `alarm` is told of each leap that is new.
    """

    def __init__(
        self,
        unit: Callable[[], Unit],
        machine: Machine,
        wall: Callable[[], datetime],
        now: Callable[[], datetime],
        alarm: Callable[[timedelta], None],
    ) -> None:
        self._unit = unit
        self._machine = machine
        self._wall = wall
        self._now = now
        self._alarm = alarm

    def beat(self) -> None:
        """Compare the clocks, and write down that now was seen. To be called every minute."""

        def body(session: Session) -> timedelta:
            wall = self._wall()
            booted_at = wall - timedelta(seconds=self._machine.uptime())
            last = session.exec(select(func.max(col(ClockBeat.beat_at)))).one()
            boot = {"boot": self._machine.boot, "booted_at": booted_at, "beat_at": wall}
            if rows_of(session).run(_BEGIN, boot):  # the machine's first beat
                gained, borne = wall - (last or wall), LATE
            else:
                row = session.get_one(ClockBeat, self._machine.boot, with_for_update=True)
                gained, borne = booted_at - row.booted_at, SLACK
                if abs(gained) > SLACK:  # small steps add up until they are one
                    row.booted_at = booted_at
                row.beat_at = wall
                session.add(row)
            if gained < -SLACK:
                self._undo(session)
            if gained <= borne:
                return timedelta(0)
            now = self._now()
            session.add(ClockLeap(boot=self._machine.boot, ended_at=now, began_at=now - gained))
            return gained

        leap = self._unit().write(body)
        if leap:
            self._alarm(leap)

    def leaps(self) -> Leaps:
        """Every leap up to now: a beat comes first."""
        self.beat()
        with self._unit().read() as session:
            rows = session.exec(select(ClockLeap)).all()
        return Leaps(tuple((row.began_at, row.ended_at) for row in rows))

    def _undo(self, session: Session) -> None:
        """The clock was put back: what it had leapt over is to pass after all."""
        mine = select(ClockLeap).where(
            ClockLeap.boot == self._machine.boot, col(ClockLeap.ended_at) > self._now()
        )
        for row in session.exec(mine).all():
            session.delete(row)
