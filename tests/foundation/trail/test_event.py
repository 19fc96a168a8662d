"""Events in CloudTrail's form, and nothing secret in them."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from foundation.identity import Call, Resource, operator_call, service_call
from foundation.trail import Recorder
from foundation.trail.event import MOST_EVENT, MOST_PARAMETERS
from foundation.wire import READING_VERBS, registry
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, administrator
from tests.support.trail import START, OpenLedger, SteppedClock, decoded, recorder_over

CERTIFICATE = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1"


def test_an_event_has_cloudtrails_members_and_both_clocks(ledger: OpenLedger) -> None:
    wall = SteppedClock()
    recorder = recorder_over(ledger, wall, lambda size: b"\x01" * size, lambda: START + timedelta(days=60))
    call = administrator(at=START, request_id="the-request")
    draft = recorder.draft(call, "RequestCertificate", {"DomainName": "a.example", "ValidationMethod": "DNS"})
    event = decoded(recorder.succeeded(draft, {"CertificateArn": CERTIFICATE}))
    assert event == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": call.principal.principal_id,
            "arn": call.principal.arn,
            "accountId": ACCOUNT,
            "accessKeyId": call.access_key_id,
            "userName": "admin",
        },
        "eventTime": "2026-03-01T12:00:00Z",
        "eventSource": "acm.amazonaws.com",
        "eventName": "RequestCertificate",
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "192.0.2.7",
        "userAgent": "Boto3/1.44.8",
        "requestParameters": {"DomainName": "a.example", "ValidationMethod": "DNS"},
        "responseElements": {"CertificateArn": CERTIFICATE},
        "requestID": "the-request",
        "eventID": draft.event_id,
        "readOnly": False,
        "resources": [{"ARN": CERTIFICATE, "accountId": ACCOUNT, "type": "AWS::ACM::Certificate"}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Management",
        "keystead": {
            "wall": "2026-03-01T12:00:00.000000Z",
            "now": "2026-04-30T12:00:00.000000Z",
            "outcome": "succeeded",
        },
    }


def test_a_read_has_no_response_elements(recorder: Recorder) -> None:
    draft = recorder.draft(administrator(), "DescribeCertificate", {"CertificateArn": CERTIFICATE})
    event = decoded(recorder.succeeded(draft, {"Certificate": {"CertificateArn": CERTIFICATE}}))
    assert event["readOnly"] is True
    assert event["responseElements"] is None
    assert [resource["ARN"] for resource in event["resources"]] == [CERTIFICATE]


def test_a_failure_is_recorded_with_its_code(recorder: Recorder) -> None:
    draft = recorder.draft(administrator(), "DeleteCertificate", {"CertificateArn": CERTIFICATE})
    event = decoded(recorder.failed(draft, "ResourceInUseException", "x" * 5000))
    assert (event["errorCode"], event["errorMessage"]) == ("ResourceInUseException", "x" * 1024)
    assert event["keystead"]["outcome"] == "failed"


def test_parameters_that_could_not_be_read_are_null(recorder: Recorder) -> None:
    event = decoded(recorder.draft(administrator(), "RequestCertificate", None).payload)
    assert event["requestParameters"] is None
    assert event["keystead"]["outcome"] == "committed"


def test_long_parameters_are_omitted_as_cloudtrail_does(recorder: Recorder) -> None:
    safe = {"list": ["x" * 1000] * (MOST_PARAMETERS // 1000)}
    event = decoded(recorder.draft_plain(administrator(), "Anything", safe).payload)
    assert event["requestParameters"]["omitted"] is True
    assert event["requestParameters"]["reason"] == "requestParameters too large"


def test_an_event_is_never_too_long_to_be_recorded(recorder: Recorder) -> None:
    arns = [f"arn:{number}" + "\x01" * 2000 for number in range(20)]
    draft = recorder.draft_plain(administrator(), "Anything", {"list": arns}, mutates=True)
    line = recorder.succeeded_plain(draft, {"text": "x" * (MOST_PARAMETERS - 100)})
    assert len(line) < MOST_EVENT
    event = decoded(line)
    assert (event["eventID"], event["resources"]) == (draft.event_id, [])
    assert event["requestParameters"]["reason"] == "event too large"


def test_a_resource_that_the_operation_names_comes_with_its_owner(recorder: Recorder) -> None:
    key = Resource(arn=f"arn:aws:kms:eu-central-1:{OTHER_ACCOUNT}:key/1", account=OTHER_ACCOUNT)
    draft = recorder.draft_plain(administrator(), "Encrypt", {}, mutates=False, resources=[key])
    assert decoded(draft.payload)["resources"] == [
        {"ARN": key.arn, "accountId": OTHER_ACCOUNT, "type": "AWS::KMS::Key"}
    ]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            service_call("acm", account=ACCOUNT, region="eu-central-1", request_id="r", at=START),
            {"type": "AWSService", "invokedBy": "acm.amazonaws.com"},
        ),
        (
            operator_call(account=ACCOUNT, region="eu-central-1", request_id="r", at=START, uid=7),
            {
                "type": "KeysteadOperator",
                "principalId": "uid-7",
                "arn": "keystead:operator/uid-7",
                "accountId": ACCOUNT,
                "accessKeyId": "",
            },
        ),
        (administrator().via("acm"), {"invokedBy": "acm.amazonaws.com", "userName": "admin"}),
    ],
)
def test_every_kind_of_caller_is_named(recorder: Recorder, call: Call, expected: dict[str, str]) -> None:
    identity = decoded(recorder.draft_plain(call, "Anything", {}).payload)["userIdentity"]
    assert expected.items() <= identity.items()


def test_the_service_name_of_cloudhsm_is_cloudtrails(recorder: Recorder) -> None:
    draft = recorder.draft_plain(administrator(service="cloudhsmv2"), "CreateHsm", {})
    assert decoded(draft.payload)["eventSource"] == "cloudhsm.amazonaws.com"


def test_what_counts_as_reading_is_what_the_wire_says() -> None:
    assert READING_VERBS == registry.READING_VERBS


MARK = "planted-marker-7f3a"
OCTETS = MARK.encode()
PLANTED: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("acm", "ImportCertificate", {"Certificate": b"c", "PrivateKey": OCTETS}, {"CertificateArn": CERTIFICATE}),
    ("acm", "ExportCertificate", {"CertificateArn": CERTIFICATE, "Passphrase": OCTETS}, {"Certificate": "c", "PrivateKey": MARK}),
    ("kms", "Encrypt", {"KeyId": "k", "Plaintext": OCTETS}, {"CiphertextBlob": OCTETS}),
    ("kms", "Decrypt", {"CiphertextBlob": OCTETS}, {"Plaintext": OCTETS}),
    ("kms", "GenerateDataKey", {"KeyId": "k"}, {"Plaintext": OCTETS, "CiphertextBlob": OCTETS}),
    ("kms", "GenerateDataKeyPair", {"KeyId": "k", "KeyPairSpec": "RSA_2048"}, {"PrivateKeyPlaintext": OCTETS}),
    ("secretsmanager", "CreateSecret", {"Name": "n", "SecretString": MARK, "SecretBinary": OCTETS}, {"ARN": "a"}),
    ("secretsmanager", "PutSecretValue", {"SecretId": "n", "SecretString": MARK}, {"ARN": "a"}),
    ("secretsmanager", "GetRandomPassword", {}, {"RandomPassword": MARK}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "params", "result"), PLANTED, ids=[row[1] for row in PLANTED]
)
def test_no_planted_marker_reaches_the_trail(
    recorder: Recorder, service: str, operation: str, params: dict[str, Any], result: dict[str, Any]
) -> None:
    draft = recorder.draft(administrator(service=service), operation, params, mutates=True)
    recorded = draft.payload + recorder.succeeded(draft, result)
    for form in (OCTETS, base64.b64encode(OCTETS), OCTETS.hex().encode()):
        assert form not in recorded
    assert decoded(draft.payload)["eventName"] == operation
