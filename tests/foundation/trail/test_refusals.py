"""Strangers are counted: one record a minute, whatever they send."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from foundation.trail import chain
from foundation.trail.refusals import INTERVAL, MOST_KINDS, Refusals
from tests.support.trail import START, OpenLedger, decoded


class Ticks:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def refusals(ledger: OpenLedger, ticks: Ticks) -> Refusals:
    numbers = iter(range(10_000))
    return Refusals(ledger.append, lambda: START, lambda: START, lambda: str(next(numbers)), ticks)


def summaries(directory: Path) -> list[dict[str, Any]]:
    return [decoded(record.body)["keystead"] for record in chain.walk(directory) if record.kind == "event"]


def test_the_first_refusal_is_recorded_at_once_and_the_rest_by_the_minute(
    refusals: Refusals, directory: Path, ticks: Ticks
) -> None:
    for _ in range(100):
        refusals.note("kms", "Encrypt", "InvalidSignatureException", "192.0.2.1")
    assert [summary["refused"][0]["count"] for summary in summaries(directory)] == [1]
    ticks.seconds += INTERVAL
    refusals.flush_due()
    refusals.flush_due()
    assert summaries(directory)[1:] == [
        {
            "wall": "2026-03-01T12:00:00.000000Z",
            "now": "2026-03-01T12:00:00.000000Z",
            "since": "2026-03-01T12:00:00.000000Z",
            "refused": [
                {
                    "eventSource": "kms",
                    "eventName": "Encrypt",
                    "errorCode": "InvalidSignatureException",
                    "sourceIPAddress": "192.0.2.1",
                    "count": 99,
                }
            ],
            "others": 0,
        }
    ]


def test_a_summary_does_not_grow_with_the_number_of_strangers(refusals: Refusals, directory: Path) -> None:
    for number in range(1001):
        refusals.note("kms", "Encrypt", "UnrecognizedClientException", f"2001:db8::{number:x}")
    refusals.flush()
    last = summaries(directory)[-1]
    assert len(last["refused"]) == MOST_KINDS
    assert last["others"] == 1000 - MOST_KINDS


def test_counts_survive_a_record_that_failed(
    refusals: Refusals, ledger: OpenLedger, directory: Path, ticks: Ticks
) -> None:
    ledger.fails = ConnectionError()
    with pytest.raises(ConnectionError):
        refusals.note("kms", "Encrypt", "c", "192.0.2.1")
    with pytest.raises(ConnectionError):
        refusals.note("kms", "Encrypt", "c", "192.0.2.1")
    ledger.fails = None
    refusals.note("kms", "Encrypt", "c", "192.0.2.1")
    assert summaries(directory)[0]["refused"][0]["count"] == 3


def test_nothing_is_recorded_when_nobody_was_refused(refusals: Refusals, directory: Path) -> None:
    refusals.flush()
    refusals.flush_due()
    assert summaries(directory) == []


def test_counts_that_come_while_a_record_fails_are_added(
    directory: Path, ledger: OpenLedger, ticks: Ticks
) -> None:
    entered = False

    def append(events: Sequence[bytes]) -> None:
        nonlocal entered
        if entered:
            ledger.append(events)
            return
        entered = True
        for number in range(MOST_KINDS):
            counting.note("kms", "Encrypt", "c", f"2001:db8::{number:x}")  # not due: only counted
        counting.note("kms", "Encrypt", "c", "192.0.2.1")
        raise ConnectionError

    counting = Refusals(append, lambda: START, lambda: START, lambda: "id", ticks)
    with pytest.raises(ConnectionError):
        counting.note("kms", "Encrypt", "c", "192.0.2.1")
    counting.flush_due()
    (summary,) = summaries(directory)
    assert sum(kind["count"] for kind in summary["refused"]) == MOST_KINDS
    assert summary["others"] == 2
