"""Calls without a valid signature, counted: one summary record a minute, so that strangers cannot fill the disk.

They belong to no account, so LookupEvents shows them to nobody: they stand in the trail itself.
"""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from foundation.trail.event import moment

__all__ = ["Refusals"]

INTERVAL = 60.0  # seconds between two summary records of one process
MOST_KINDS = 64  # distinct kinds in one record; the rest is counted together
SUMMARY_NAME = "RefusedCalls"

Kind = tuple[str, str, str, str]


class Refusals:
    """Counts of refused calls. The first after a quiet minute is recorded at once, what follows once a minute.

    Counts not yet recorded are lost when the process is killed: at most one minute's.
    """

    def __init__(
        self,
        append: Callable[[Sequence[bytes]], None],
        wall: Callable[[], datetime],
        now: Callable[[], datetime],
        event_id: Callable[[], str],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._append = append
        self._wall = wall
        self._now = now
        self._event_id = event_id
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counts: dict[Kind, int] = {}  # guarded by _lock
        self._others = 0  # guarded by _lock
        self._since: datetime | None = None  # guarded by _lock; when the first of the counted calls came
        self._due = 0.0  # guarded by _lock

    def note(self, source: str, operation: str, code: str, source_ip: str) -> None:
        """Count one refused call. All four are short: names from the models, a code of ours, an address."""
        with self._lock:
            kind = (source, operation, code, source_ip)
            if kind in self._counts or len(self._counts) < MOST_KINDS:
                self._counts[kind] = self._counts.get(kind, 0) + 1
            else:
                self._others += 1
            self._since = self._since or self._wall()
        self.flush_due()

    def flush_due(self) -> None:
        """Record the summary if there is something to tell and a minute has passed since the last one."""
        if self._since is not None and self._monotonic() >= self._due:
            self.flush()

    def flush(self) -> None:
        """Record the summary now. When it cannot be recorded the counts are kept and the error is raised."""
        with self._lock:
            counts, others, since = self._counts, self._others, self._since
            if since is None:
                return
            self._counts, self._others, self._since = {}, 0, None
            self._due = self._monotonic() + INTERVAL
        stored = False
        try:
            self._append([self._summary(counts, others, since)])
            stored = True
        finally:
            if not stored:
                self._restore(counts, others, since)

    def _restore(self, counts: dict[Kind, int], others: int, since: datetime) -> None:
        with self._lock:
            for kind, count in self._counts.items():
                if kind in counts or len(counts) < MOST_KINDS:
                    counts[kind] = counts.get(kind, 0) + count
                else:
                    others += count
            self._counts, self._others, self._since = counts, self._others + others, since
            self._due = 0.0

    def _summary(self, counts: dict[Kind, int], others: int, since: datetime) -> bytes:
        at = self._wall()
        return msgspec.json.encode(
            {
                "eventVersion": "1.11",
                "userIdentity": {"type": "Unknown"},
                "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "eventSource": "keystead",
                "eventName": SUMMARY_NAME,
                "eventID": self._event_id(),
                "readOnly": True,
                "eventType": "KeysteadSummary",
                "keystead": {
                    "wall": moment(at),
                    "now": moment(self._now()),
                    "since": moment(since),
                    "refused": [
                        {
                            "eventSource": source,
                            "eventName": operation,
                            "errorCode": code,
                            "sourceIPAddress": source_ip,
                            "count": count,
                        }
                        for (source, operation, code, source_ip), count in counts.items()
                    ],
                    "others": others,
                },
            }
        )
