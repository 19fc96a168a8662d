"""The waiting period of a deletion: it counts time that keystead saw pass, so that a leaping clock purges nothing.

While a key waits it is looked at daily. A look that comes much later than a day after the one before means that the
clock leapt or that keystead was down; a shorter leap is told from the machine's uptime (`foundation.store.Leaps`). What is
missing is added to the deletion date, and alarmed (SECURITY 2.3).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from foundation.store import Leaps, schedule
from kms.keys.changes import Changes
from kms.keys.states import KeyState
from kms.keys.tables import Key

DELETE: Final = "kms.delete"
EVERY: Final = timedelta(days=1)
LATE: Final = timedelta(hours=1)
"""By how much a look may be late before time counts as missing."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a waiting key finds. `missing` is time that nobody saw pass; zero when all is well."""

    deletion_at: datetime
    missing: timedelta
    over: bool
    next_look: datetime


def begin_waiting(key: Key, changes: Changes, now: datetime, days: int) -> None:
    """Add to the changes that the key is pending deletion from now on, for so many days."""
    deletion_at = now + timedelta(days=days)
    values: dict[str, Any] = {
        "state": KeyState.PENDING_DELETION,
        "window_days": days,
        "deletion_at": deletion_at,
        "waited_until": now,
    }
    changes.updates.append((key, values))
    changes.also.append(lambda session: schedule(session, DELETE, key.id, min(deletion_at, now + EVERY)))


def look(key: Key, now: datetime, leaps: Leaps) -> Look:
    """Judge how far the key's window has passed at `now`."""
    waited_until = key.waited_until or now
    deletion_at = key.deletion_at or now + EVERY
    gap = now - waited_until
    late = gap - EVERY if gap > EVERY + LATE else timedelta(0)
    missing = max(late, leaps.between(waited_until, now))
    deletion_at += missing
    return Look(deletion_at, missing, now >= deletion_at, min(deletion_at, now + EVERY))
