"""A request may bring the event of the call that it is for: the core makes it one record with what it did."""

import json

from kms.hsm import frames
from kms.hsm.service import Outcome
from tests.kms.hsm import inside

USED = Outcome(frames.Result(b"answer"), (("use", b'{"op":"Encrypt"}'),))
EVENT = b'{"eventID":"one","name":"Encrypt"}'


def test_a_success_and_its_event_are_one_record() -> None:
    joined = inside.service().joined(EVENT, USED)
    [(kind, body)] = joined.records
    assert (kind, json.loads(body)) == (
        "call", {"event": {"eventID": "one", "name": "Encrypt"}, "uses": [{"op": "Encrypt"}]}
    )  # fmt: skip
    assert joined.answer == USED.answer


def test_without_an_event_a_use_stands_alone() -> None:
    assert inside.service().joined(b"", USED) == USED


def test_a_repeated_event_is_not_written_twice_but_the_use_is() -> None:
    service = inside.service()
    service.joined(EVENT, USED)
    assert service.joined(EVENT, USED).records == USED.records


def test_an_event_that_the_trail_held_at_start_is_a_repeat() -> None:
    service = inside.service()
    service.remember("call", b'{"event":%b,"uses":[]}' % EVENT)
    assert service.joined(EVENT, USED).records == USED.records


def test_a_refusal_leaves_the_event_to_its_caller() -> None:
    refused = Outcome(frames.Refusal("BadSeal", "no"), USED.records)
    assert inside.service().joined(EVENT, refused) == refused


def test_a_malformed_event_refuses_the_answer_and_the_use_is_recorded() -> None:
    for event in (b"{}", b'{"eventID":1}', b"[]", b'{"eventID":"a"}\n{}', b"{"):
        joined = inside.service().joined(event, USED)
        assert isinstance(joined.answer, frames.Refusal)
        assert joined.records == USED.records


def test_appended_events_are_joined_with_nothing() -> None:
    appended = Outcome(frames.Result(), (("event", EVENT),))
    assert inside.service().joined(b'{"eventID":"two"}', appended) == appended
