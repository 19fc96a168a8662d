"""LookupEvents: newest first, filtered, paged, and nobody's but the caller's own account and Region."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from foundation.identity import Call, Principal, authorize
from foundation.trail import Lookup, Recorder, Shipper, TrailIndex, cloudtrail
from foundation.trail.operations import ATTRIBUTES
from foundation.wire import Addressed, AwsError, BadToken, Codec, Request
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, administrator
from tests.support.trail import START, SteppedClock, decoded, wire

CERTIFICATE = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1"
LOOKUP = cloudtrail.declared["LookupEvents"]
ADDRESSED = Addressed(
    service="cloudtrail", operation="LookupEvents", codec=Codec.JSON11, signing_name="cloudtrail"
)


class OpenSeal:
    """A token seal that keeps nothing secret, but opens only what it sealed."""

    def seal(self, purpose: str, payload: bytes) -> str:
        return base64.urlsafe_b64encode(purpose.encode() + b":" + payload).decode()

    def open(self, purpose: str, token: str) -> bytes:
        try:
            found, _, payload = base64.urlsafe_b64decode(token).partition(b":")
        except ValueError as error:
            raise BadToken("The token is not valid.") from error
        if found != purpose.encode():
            raise BadToken("The token is not valid.")
        return payload


def lookup(index: TrailIndex, call: Any = None, **params: Any) -> dict[str, Any]:
    service = Lookup(index, call or administrator(service="cloudtrail"), OpenSeal())
    return LOOKUP.handler(service, params)


def names(answer: dict[str, Any]) -> list[str]:
    return [event["EventName"] for event in answer["Events"]]


@pytest.fixture
def events(recorder: Recorder, shipper: Shipper, clock: SteppedClock) -> list[str]:
    """Three calls a minute apart by `admin`, then one each of another account and another Region; their ids."""
    calls: list[tuple[Call, str, dict[str, Any], dict[str, Any]]] = [
        (administrator(), "RequestCertificate", {"DomainName": "a.example"}, {"CertificateArn": CERTIFICATE}),
        (administrator(), "DescribeCertificate", {"CertificateArn": CERTIFICATE}, {}),
        (administrator(service="kms"), "Encrypt", {"KeyId": "k", "Plaintext": b"p"}, {}),
        (administrator(OTHER_ACCOUNT), "ListCertificates", {}, {}),
        (administrator(region="us-east-1"), "ListCertificates", {}, {}),
    ]
    ids = []
    for call, operation, params, result in calls:
        draft = recorder.draft(structs.replace(call, at=clock()), operation, params)
        recorder.record(recorder.succeeded(draft, result))
        ids.append(draft.event_id)
        clock.advance(minutes=1)
    shipper.ship()
    return ids


def test_the_newest_come_first_and_only_ones_own(index: TrailIndex, events: list[str]) -> None:
    answer = lookup(index)
    assert names(answer) == ["Encrypt", "DescribeCertificate", "RequestCertificate"]
    assert "NextToken" not in answer
    assert names(lookup(index, administrator(OTHER_ACCOUNT))) == ["ListCertificates"]
    assert names(lookup(index, administrator(region="us-east-1"))) == ["ListCertificates"]


def test_an_event_is_answered_as_cloudtrail_does(index: TrailIndex, events: list[str]) -> None:
    event = lookup(index)["Events"][2]
    record = decoded(event.pop("CloudTrailEvent").encode())
    assert record["eventID"] == events[0]
    assert event == {
        "EventId": events[0],
        "EventName": "RequestCertificate",
        "ReadOnly": "false",
        "AccessKeyId": "AKIAEXAMPLEADMIN0001",
        "EventTime": START,
        "EventSource": "acm.amazonaws.com",
        "Username": "admin",
        "Resources": [{"ResourceName": CERTIFICATE, "ResourceType": "AWS::ACM::Certificate"}],
    }


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("EventName", "Encrypt", ["Encrypt"]),
        ("EventName", "Decrypt", []),
        ("Username", "admin", ["Encrypt", "DescribeCertificate", "RequestCertificate"]),
        ("EventSource", "acm.amazonaws.com", ["DescribeCertificate", "RequestCertificate"]),
        ("ReadOnly", "true", ["DescribeCertificate"]),
        ("ReadOnly", "false", ["Encrypt", "RequestCertificate"]),
        ("ResourceName", CERTIFICATE, ["DescribeCertificate", "RequestCertificate"]),
        ("ResourceType", "AWS::ACM::Certificate", ["DescribeCertificate", "RequestCertificate"]),
        ("AccessKeyId", "AKIAEXAMPLEADMIN0001", ["Encrypt", "DescribeCertificate", "RequestCertificate"]),
        ("AccessKeyId", "AKIAOTHER", []),
    ],
)
def test_each_attribute_filters(
    index: TrailIndex, events: list[str], key: str, value: str, found: list[str]
) -> None:
    answer = lookup(index, LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
    assert names(answer) == found


def test_roots_calls_are_found_by_the_name_root(
    index: TrailIndex, recorder: Recorder, shipper: Shipper
) -> None:
    root = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "root", "root")
    recorder.record(
        recorder.draft_plain(structs.replace(administrator(), principal=root), "Anything", {}).payload
    )
    shipper.ship()
    answer = lookup(index, LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "root"}])
    assert names(answer) == ["Anything"]


def test_an_event_is_found_by_its_id(index: TrailIndex, events: list[str]) -> None:
    answer = lookup(index, LookupAttributes=[{"AttributeKey": "EventId", "AttributeValue": events[1]}])
    assert names(answer) == ["DescribeCertificate"]


def test_every_attribute_of_the_model_is_known() -> None:
    from botocore.loaders import Loader  # the record of CloudTrail's shapes

    shapes = Loader().load_service_model("cloudtrail", "service-2")["shapes"]
    assert set(ATTRIBUTES) == set(shapes["LookupAttributeKey"]["enum"])


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (timedelta(minutes=1), None, ["Encrypt", "DescribeCertificate"]),
        (None, timedelta(minutes=1), ["DescribeCertificate", "RequestCertificate"]),
        (timedelta(minutes=1), timedelta(minutes=1), ["DescribeCertificate"]),
        (timedelta(seconds=1), timedelta(seconds=59), []),
        (timedelta(microseconds=1), None, ["Encrypt", "DescribeCertificate"]),
    ],
)
def test_a_time_range_includes_its_ends(
    index: TrailIndex, events: list[str], start: timedelta | None, end: timedelta | None, found: list[str]
) -> None:
    params = {} if start is None else {"StartTime": START + start}
    params |= {} if end is None else {"EndTime": START + end}
    assert names(lookup(index, **params)) == found


def test_pages_follow_each_other_without_gap_or_repeat(
    index: TrailIndex, events: list[str], recorder: Recorder, shipper: Shipper
) -> None:
    seen, token = [], None
    while True:
        answer = lookup(index, MaxResults=1, **({} if token is None else {"NextToken": token}))
        seen += names(answer)
        token = answer.get("NextToken")
        if token is None:
            break
        # What happens meanwhile is newer, and does not shift the pages.
        recorder.record(recorder.draft_plain(administrator(at=datetime.now(UTC)), "Later", {}).payload)
        shipper.ship()
    assert seen == ["Encrypt", "DescribeCertificate", "RequestCertificate"]


def test_events_of_one_second_page_in_order(index: TrailIndex, recorder: Recorder, shipper: Shipper) -> None:
    for number in range(5):
        recorder.record(recorder.draft_plain(administrator(at=START), f"Call{number}", {}).payload)
    shipper.ship()
    first = lookup(index, MaxResults=3)
    second = lookup(index, MaxResults=3, NextToken=first["NextToken"])
    assert names(first) + names(second) == ["Call4", "Call3", "Call2", "Call1", "Call0"]


@pytest.mark.parametrize(
    ("changed", "of_other"),
    [
        ({"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "Encrypt"}]}, False),
        ({"StartTime": START}, False),
        ({}, True),
    ],
)
def test_a_token_is_good_for_its_own_caller_and_query(
    index: TrailIndex, events: list[str], changed: dict[str, Any], of_other: bool
) -> None:
    token = lookup(index, MaxResults=1)["NextToken"]
    caller = administrator(OTHER_ACCOUNT) if of_other else administrator()
    with pytest.raises(BadToken):
        lookup(index, caller, MaxResults=1, NextToken=token, **changed)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"StartTime": START + timedelta(seconds=1), "EndTime": START}, "InvalidTimeRangeException"),
        (
            {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "a"}] * 2},
            "InvalidLookupAttributesException",
        ),
        (
            {"LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "yes"}]},
            "InvalidLookupAttributesException",
        ),
        ({"NextToken": "made up"}, "InvalidNextTokenException"),
    ],
)
def test_a_bad_question_has_cloudtrails_error(
    index: TrailIndex, events: list[str], params: dict[str, Any], code: str
) -> None:
    with pytest.raises(AwsError) as refusal:
        lookup(index, **params)
    assert wire().error_code(ADDRESSED, refusal.value) == (code, 400)


@pytest.mark.parametrize("most", [0, 51])
def test_the_number_of_results_is_bounded_by_the_model(most: int) -> None:
    request = Request(
        method="POST", path="/", query="", headers=(("host", "h"),), body=b'{"MaxResults":%d}' % most
    )
    with pytest.raises(AwsError):
        wire().decode(ADDRESSED, request)


def test_there_are_no_insights(index: TrailIndex, events: list[str]) -> None:
    assert lookup(index, EventCategory="insight") == {"Events": []}


def test_the_answer_fits_the_model(index: TrailIndex, events: list[str]) -> None:
    assert wire().encode(ADDRESSED, lookup(index, MaxResults=2), "r").status == 200


def test_looking_up_is_asked_about_the_callers_own_account(index: TrailIndex) -> None:
    service = Lookup(index, administrator(), OpenSeal())
    assert LOOKUP.on is not None
    assert authorize(service.call, LOOKUP.action, LOOKUP.on(service, {})).allowed
    assert LOOKUP.action == "cloudtrail:LookupEvents"
