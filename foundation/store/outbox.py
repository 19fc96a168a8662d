"""Trail events that were committed with their mutation and wait to be in the trail."""

import threading
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select
from sqlmodel import col

from foundation.store.tables import Outbox

_PAGE: Final = 1_000


def pending(connection: Connection) -> list[tuple[str, bytes]]:
    """Up to 1,000 (event id, event), oldest first."""
    oldest = (
        select(col(Outbox.event_id), col(Outbox.payload))
        .order_by(col(Outbox.written_at), col(Outbox.event_id))
        .limit(_PAGE)
    )
    return [(row.event_id, row.payload) for row in connection.execute(oldest)]


class Forgotten:
    """Ids of events that are in the trail, until their rows are removed along with another write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids: dict[str, None] = {}  # guarded by _lock, as is _removing; ordered
        self._removing: tuple[str, ...] = ()

    def add(self, event_ids: Sequence[str]) -> None:
        with self._lock:
            self._ids.update(dict.fromkeys(event_ids))

    def __len__(self) -> int:
        with self._lock:
            return len(self._ids)

    def __contains__(self, event_id: str) -> bool:
        with self._lock:
            return event_id in self._ids

    def remove(self, connection: Connection) -> None:
        """Remove the rows in the caller's transaction; the ids stay until `committed`."""
        with self._lock:
            self._removing = tuple(self._ids)[:_PAGE]
        if self._removing:
            removed = [(event_id,) for event_id in self._removing]
            driver: Any = connection.connection.driver_connection  # SQLite's: only its writer sweeps
            driver.executemany("DELETE FROM outbox WHERE event_id = ?", removed)

    def committed(self) -> None:
        with self._lock:
            for event_id in self._removing:
                self._ids.pop(event_id, None)
            self._removing = ()
