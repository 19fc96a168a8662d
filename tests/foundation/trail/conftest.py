"""A chain in a temporary directory, and what records into it and reads from it."""

import hashlib
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from foundation.trail import Recorder, Shipper, TrailIndex
from tests.support.trail import OpenLedger, SteppedClock, recorder_over


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "trail"


@pytest.fixture
def ledger(directory: Path) -> Iterator[OpenLedger]:
    made = OpenLedger(directory, segment_bytes=200_000)
    yield made
    made.writer.close()


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def recorder(ledger: OpenLedger, clock: SteppedClock) -> Recorder:
    numbers = count(1)
    return recorder_over(ledger, clock, lambda size: hashlib.sha512(b"%d" % next(numbers)).digest()[:size])


@pytest.fixture
def index(tmp_path: Path) -> Iterator[TrailIndex]:
    made = TrailIndex(tmp_path / "trail-index.db")
    yield made
    made.close()


@pytest.fixture
def shipper(directory: Path, index: TrailIndex) -> Shipper:
    return Shipper(directory, index)
