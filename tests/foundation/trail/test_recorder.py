"""One record for each call: also across crashes between the commit, the record and the answer."""

from datetime import timedelta
from pathlib import Path

import pytest

from foundation.store import Scope, Store
from foundation.trail import Draft, Recorder, chain
from tests.support.identity import ACCOUNT, REGION, administrator
from tests.support.trail import OpenLedger, SteppedClock, decoded


class LedgerDownError(Exception):
    """The core is away."""


def recorded(directory: Path) -> list[tuple[str, str]]:
    """List (event id, outcome) of every event in the chain."""
    events = [decoded(record.body) for record in chain.walk(directory) if record.kind == "event"]
    return [(event["eventID"], event["keystead"]["outcome"]) for event in events]


def committed(store: Store, recorder: Recorder, clock: SteppedClock) -> Draft:
    """A mutation whose draft is in the outbox, and whose process then died."""
    draft = recorder.draft(administrator(at=clock()), "RequestCertificate", {"DomainName": "a.example"})
    store.unit(Scope(ACCOUNT, REGION), draft.payload, draft.event_id).write(lambda _session: None)
    return draft


def test_a_complete_event_is_in_the_chain_when_record_returns(
    recorder: Recorder, directory: Path, any_store: Store, clock: SteppedClock
) -> None:
    draft = committed(any_store, recorder, clock)
    recorder.record(recorder.succeeded(draft, {"CertificateArn": "arn"}))
    assert recorded(directory) == [(draft.event_id, "succeeded")]


def test_what_was_committed_and_not_recorded_is_drained_once(
    recorder: Recorder, directory: Path, any_store: Store, clock: SteppedClock
) -> None:
    draft = committed(any_store, recorder, clock)
    assert recorder.drain(any_store) == 1
    assert recorder.drain(any_store) == 0
    assert recorded(directory) == [(draft.event_id, "committed")]


def test_draining_what_was_recorded_already_adds_nothing(
    recorder: Recorder, directory: Path, any_store: Store, clock: SteppedClock
) -> None:
    draft = committed(any_store, recorder, clock)
    recorder.record(recorder.succeeded(draft))
    recorder.drain(any_store)
    assert recorded(directory) == [(draft.event_id, "succeeded")]


def test_what_a_living_worker_may_still_complete_is_left_alone(
    recorder: Recorder, store: Store, clock: SteppedClock
) -> None:
    committed(store, recorder, clock)
    clock.advance(seconds=5)
    assert recorder.drain(store, settled=timedelta(seconds=10)) == 0
    clock.advance(seconds=6)
    assert recorder.drain(store, settled=timedelta(seconds=10)) == 1


def test_an_event_that_cannot_be_recorded_raises_and_stays_in_the_outbox(
    recorder: Recorder, ledger: OpenLedger, store: Store, clock: SteppedClock
) -> None:
    draft = committed(store, recorder, clock)
    ledger.fails = LedgerDownError()
    with pytest.raises(LedgerDownError):
        recorder.record(recorder.succeeded(draft))
    with pytest.raises(LedgerDownError):
        recorder.drain(store)
    ledger.fails = None
    assert recorder.drain(store) == 1


def test_an_event_that_was_recorded_although_the_answer_was_lost_is_recorded_once(
    recorder: Recorder, ledger: OpenLedger, directory: Path, store: Store, clock: SteppedClock
) -> None:
    draft = committed(store, recorder, clock)
    ledger.fails_after = LedgerDownError()
    with pytest.raises(LedgerDownError):
        recorder.record(recorder.succeeded(draft))
    ledger.fails_after = None
    recorder.drain(store)
    assert recorded(directory) == [(draft.event_id, "succeeded")]


def test_many_pending_events_are_all_drained(
    recorder: Recorder, directory: Path, store: Store, clock: SteppedClock
) -> None:
    drafts = [committed(store, recorder, clock) for _ in range(450)]
    assert recorder.drain(store) == 450
    assert {event_id for event_id, _ in recorded(directory)} == {draft.event_id for draft in drafts}
