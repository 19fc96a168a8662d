"""Trails for tests: a recorder over a chain that this process writes, without a core."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from foundation.trail.chain import ChainWriter
from foundation.trail.recorder import Recorder
from foundation.wire import Wire

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class OpenLedger:
    """What the core does with events: one durable batch, repeats dropped. Can be told to fail, before or after."""

    def __init__(self, directory: Path, *, segment_bytes: int = 16 * 1024 * 1024) -> None:
        self.writer = ChainWriter(directory, "test", segment_bytes=segment_bytes, ahead=64 * 1024)
        self.seen: set[str] = set()
        self.fails: Exception | None = None
        self.fails_after: Exception | None = None

    def append(self, events: Sequence[bytes], /) -> None:
        if self.fails is not None:
            raise self.fails
        for event in events:
            event_id = msgspec.json.decode(event)["eventID"]
            if event_id not in self.seen:
                self.seen.add(event_id)
                self.writer.append("event", event)
        self.writer.commit()
        if self.fails_after is not None:
            raise self.fails_after


class SteppedClock:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **step: float) -> None:
        self.at += timedelta(**step)


@cache
def wire() -> Wire:
    """All tests' wire: it holds nothing but compiled models."""
    return Wire()


def recorder_over(
    ledger: OpenLedger,
    wall: Callable[[], datetime],
    entropy: Callable[[int], bytes],
    now: Callable[[], datetime] | None = None,
) -> Recorder:
    """Make a recorder that redacts by the real models."""
    return Recorder(ledger, wire().redacted, wall, now or wall, entropy)


def decoded(event: bytes) -> dict[str, Any]:
    """Read an event back."""
    found: dict[str, Any] = msgspec.json.decode(event)
    return found
