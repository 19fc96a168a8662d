"""Results on the wire: each protocol's spelling, and results that do not fit the model."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import cbor2
import pytest

from foundation.wire import Addressed, Codec
from foundation.wire.models import ServiceModel, Shape
from foundation.wire.writers import ResultMismatch, Writers
from tests.foundation.wire.calls import the_wire

DESCRIBE = Addressed("acm-pca", "DescribeCertificateAuthority", Codec.JSON11, "acm-pca")
CERTIFICATE = Addressed("acm", "GetCertificate", Codec.JSON11, "acm")
LATER = datetime(2026, 1, 1, 12, 0, 0, 123_456, timezone(timedelta(hours=2)))
SECONDS = 1767261600.123


def body(addressed: Addressed, result: dict[str, Any]) -> bytes:
    return the_wire().encode(addressed, result, "id").body


def test_json_has_timestamps_in_seconds_and_blobs_in_base64() -> None:
    result = {"CertificateAuthority": {"Arn": "a", "CreatedAt": LATER, "NotAfter": None, "Serial": None}}
    assert json.loads(body(DESCRIBE, result)) == {"CertificateAuthority": {"Arn": "a", "CreatedAt": SECONDS}}
    random = Addressed("kms", "GenerateRandom", Codec.JSON11, "kms")
    assert json.loads(body(random, {"Plaintext": b"\xff\x00"})) == {"Plaintext": "/wA="}


def test_cbor_has_timestamps_tagged_and_blobs_as_they_are() -> None:
    cbor = Addressed("acm-pca", "DescribeCertificateAuthority", Codec.CBOR, "acm-pca")
    answer = the_wire().encode(cbor, {"CertificateAuthority": {"CreatedAt": LATER}}, "id")
    assert dict(answer.headers) == {
        "Content-Type": "application/cbor",
        "x-amzn-RequestId": "id",
        "smithy-protocol": "rpc-v2-cbor",
    }
    assert answer.body == cbor2.dumps({"CertificateAuthority": {"CreatedAt": cbor2.CBORTag(1, SECONDS)}})


def test_xml_has_its_result_in_the_wrapper_and_its_lists_as_members() -> None:
    assume = Addressed("sts", "AssumeRole", Codec.QUERY, "sts")
    credentials = {"AccessKeyId": "A", "SecretAccessKey": "<S>", "SessionToken": "T", "Expiration": LATER}
    assert body(assume, {"Credentials": credentials, "PackedPolicySize": 5}).decode() == (
        '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        "<AccessKeyId>A</AccessKeyId><SecretAccessKey>&lt;S&gt;</SecretAccessKey><SessionToken>T</SessionToken>"
        "<Expiration>2026-01-01T10:00:00.123Z</Expiration></Credentials>"
        "<PackedPolicySize>5</PackedPolicySize></AssumeRoleResult>"
        "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )


def test_an_operation_without_output_answers_an_empty_result() -> None:
    assert body(Addressed("acm", "DeleteCertificate", Codec.JSON11, "acm"), {}) == b"{}"
    deleted = body(Addressed("iam", "DeleteUser", Codec.QUERY, "iam"), {})
    assert deleted == (
        b'<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>'
        b"<RequestId>id</RequestId></ResponseMetadata></DeleteUserResponse>"
    )


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ("GetCertificate", {"Certifikate": "x"}),
        ("GetCertificate", {"Certificate": b"x"}),
        ("GetCertificate", {"Certificate": 5}),
        ("GetCertificate", []),
        ("ListCertificates", {"CertificateSummaryList": "x"}),
        ("ListCertificates", {"CertificateSummaryList": ["x"]}),
        ("ListCertificates", {"CertificateSummaryList": [{"Exported": 1}]}),
        ("ListCertificates", {"CertificateSummaryList": [{"CreatedAt": datetime(2026, 1, 1)}]}),  # noqa: DTZ001 - naive is the point
        ("ListCertificates", {"CertificateSummaryList": [{"CreatedAt": 5}]}),
        ("ListTagsForCertificate", {"Tags": [{"Value": "required Key is missing"}]}),
    ],
)
def test_a_result_that_does_not_fit_the_model_is_the_handlers_fault(operation: str, result: Any) -> None:
    with pytest.raises(ResultMismatch):
        the_wire().encode(Addressed("acm", operation, Codec.JSON11, "acm"), result, "id")


def test_a_result_may_contain_its_own_shape() -> None:
    shapes = {"Tree": Shape("structure", members={"Left": "Tree", "Right": "Tree"})}
    writers = Writers(ServiceModel("kms", "", "", "kms", "", shapes, {}, {}), Codec.JSON11)
    assert writers.write("Tree", {"Left": {"Right": {}}, "Right": None}) == {"Left": {"Right": {}}}
    with pytest.raises(ResultMismatch):
        writers.write("Tree", {"Left": {"Middle": {}}})


def test_a_map_must_be_a_dict() -> None:
    clusters = Addressed("cloudhsmv2", "CreateCluster", Codec.JSON11, "cloudhsm")
    with pytest.raises(ResultMismatch):
        the_wire().encode(clusters, {"Cluster": {"SubnetMapping": []}}, "id")


def test_whole_seconds_stay_whole_in_xml() -> None:
    user = {"Path": "/", "UserName": "u", "UserId": "i" * 16, "Arn": "a" * 20}
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    answer = body(
        Addressed("iam", "CreateUser", Codec.QUERY, "iam"), {"User": {**user, "CreateDate": moment}}
    )
    assert b"<CreateDate>2026-01-01T00:00:00Z</CreateDate>" in answer
