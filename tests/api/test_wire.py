"""What strangers and broken clients send to the AWS door: each a clean refusal, in the protocol it was asked in."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import cbor2
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import Session

from foundation.wire import Request, Response
from foundation.wire.protocols import SERVED
from server.assembly import OPERATIONS
from tests.support.botocore_client import as_request
from tests.support.identity import signed
from tests.support.world import REGION, Caller, World

JSON = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded"
LIST = "CertificateManager.ListCertificates"


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def send(
    caller: Caller,
    body: bytes,
    *,
    headers: dict[str, str] | None = None,
    url: str = "https://keystead.test/",
    service: str = "acm",
    method: str = "POST",
) -> Response:
    """A well-signed request with any body and headers at all."""
    given = headers or {"X-Amz-Target": LIST, "Content-Type": JSON}
    request = signed(
        caller.made, method=method, url=url, headers=given, body=body, service=service, region=REGION
    )
    return caller.world.app(request)


def fault(response: Response) -> tuple[int, str]:
    """(status, code) of a refusal in JSON 1.1, with a request id and a message."""
    document = json.loads(response.body)
    assert {name.lower() for name, _ in response.headers} >= {"x-amzn-requestid", "content-type"}
    assert document.get("message") or document.get("Message")
    return response.status, document["__type"].rpartition("#")[2]


BROKEN_BODIES = {
    "no JSON": b"hello",
    "cut short": b'{"MaxItems": 1',
    "two documents": b"{}{}",
    "a list": b"[]",
    "not UTF-8": b'{"NextToken": "\xff"}',
    "half a surrogate pair": b'{"NextToken": "\\ud800"}',
    "NaN": b'{"MaxItems": NaN}',
    "too deep": b'{"Includes": ' + b"[" * 100 + b"]" * 100 + b"}",
    "very deep": b"[" * 500_000,
    "a huge integer": b'{"MaxItems": ' + b"9" * 5000 + b"}",
    "an integer over 64 bits": b'{"MaxItems": 18446744073709551616}',
    "too many values": b'{"CertificateStatuses": [' + b"1," * 20_000 + b"1]}",
    "a text for a number": b'{"MaxItems": "1"}',
    "a number for a list": b'{"CertificateStatuses": 1}',
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_body_that_cannot_be_read_is_refused_as_such(caller: Caller, name: str) -> None:
    assert fault(send(caller, BROKEN_BODIES[name])) == (400, "SerializationException")


@pytest.mark.parametrize("size", [1024 * 1024 + 1, 5 * 1024 * 1024])
def test_a_body_over_its_limit_is_too_large(caller: Caller, size: int) -> None:
    answer = send(caller, b'{"NextToken": "' + b"x" * size + b'"}')
    assert fault(answer) == (413, "RequestEntityTooLargeException")


TARGETS: dict[str, tuple[dict[str, str], str, int]] = {
    "no target": ({"Content-Type": JSON}, "UnknownOperationException", 400),
    "an unknown service": (
        {"X-Amz-Target": "Nobody.List", "Content-Type": JSON},
        "UnknownOperationException",
        400,
    ),
    "an unknown operation": (
        {"X-Amz-Target": "CertificateManager.Launch", "Content-Type": JSON},
        "UnknownOperationException",
        400,
    ),
    "a target without end": (
        {"X-Amz-Target": "C" * 5000, "Content-Type": JSON},
        "UnknownOperationException",
        400,
    ),
    "another content type": (
        {"X-Amz-Target": LIST, "Content-Type": "text/html"},
        "UnsupportedMediaTypeException",
        415,
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_call_that_names_no_operation_is_refused(caller: Caller, name: str) -> None:
    headers, code, status = TARGETS[name]
    assert fault(send(caller, b"{}", headers=headers)) == (status, code)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_another_method_is_refused(caller: Caller, method: str) -> None:
    assert fault(send(caller, b"{}", method=method)) == (405, "MethodNotAllowedException")


@pytest.mark.parametrize(
    ("form", "code", "status"),
    [
        (b"Action=GetCallerIdentity&Version=2099-01-01", "InvalidAction", 400),
        (b"Action=Launch&Version=2011-06-15", "InvalidAction", 400),
        (b"Version=2011-06-15", "InvalidAction", 400),
        (b"Action=DecodeAuthorizationMessage&Version=2011-06-15", "NotImplemented", 400),
        (b"Action=GetCallerIdentity&Version=2011-06-15&X=%ff", "MalformedInput", 400),
    ],
)
def test_a_query_call_is_refused_in_xml(caller: Caller, form: bytes, code: str, status: int) -> None:
    answer = send(caller, form, headers={"Content-Type": FORM}, service="sts")
    assert answer.status == status
    assert f"<Code>{code}</Code>".encode() in answer.body
    assert b"<RequestId>" in answer.body


def rpc(caller: Caller, path: str, body: bytes) -> tuple[int, str]:
    headers = {
        "smithy-protocol": "rpc-v2-cbor",
        "Content-Type": "application/cbor",
        "Accept": "application/cbor",
    }
    answer = send(caller, body, headers=headers, url=f"https://keystead.test{path}", service="acm-pca")
    assert dict(answer.headers)["smithy-protocol"] == "rpc-v2-cbor"
    document = cbor2.loads(answer.body)
    return answer.status, document["__type"].rpartition("#")[2]


ACM_PCA = "/service/ACMPrivateCA/operation"


def test_cbor_calls_are_refused_in_cbor(caller: Caller) -> None:
    assert rpc(caller, f"{ACM_PCA}/DescribeCertificateAuthorityAuditReport", cbor2.dumps({})) == (
        400,
        "InvalidArgsException",
    )
    assert rpc(caller, f"{ACM_PCA}/Launch", cbor2.dumps({})) == (404, "UnknownOperationException")
    assert rpc(caller, "/service/Nobody/operation/List", cbor2.dumps({})) == (
        404,
        "UnknownOperationException",
    )


UNDECLARED = [
    (service, operation)
    for service in SERVED
    for operation in Session().get_service_model(service).operation_names
    if operation not in OPERATIONS.get(service, {})
]


# Stock clients send these without a signature, as their model says.
ASKED_UNSIGNED = {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"}


@pytest.mark.parametrize("service", SERVED)
def test_every_operation_that_keystead_lacks_says_so(caller: Caller, service: str) -> None:
    """Not as a fault, not as an unknown name: a client learns that the operation exists and is not here."""
    client = caller.client(service, checked=False)
    model = Session().get_service_model(service)
    names = {
        model.operation_model(operation).name: method
        for method, operation in client.meta.method_to_api_mapping.items()
    }
    for operation in [name for served, name in UNDECLARED if served == service]:
        with pytest.raises(ClientError) as refused:
            getattr(client, names[operation])()
        answer: Any = refused.value.response
        if operation in ASKED_UNSIGNED:
            assert answer["Error"]["Code"] == "MissingAuthenticationToken"
            continue
        assert answer["Error"]["Code"] in {"NotImplementedException", "NotImplemented"}, operation
        assert f"{service}:{operation}" in answer["Error"]["Message"]
        assert 400 <= answer["ResponseMetadata"]["HTTPStatusCode"] < 500


def at(caller: Caller, moment: datetime, **changes: Any) -> Request:
    """ListCertificates signed as of `moment`, by botocore's signer."""
    request = AWSRequest(
        "POST", "https://keystead.test/", headers={"X-Amz-Target": LIST, "Content-Type": JSON}, data=b"{}"
    )
    request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
    key = changes.get("key", caller.made.access_key_id)
    secret = changes.get("secret", caller.made.secret_access_key)
    signer = _SignedAt(Credentials(key, secret), changes.get("service", "acm"), changes.get("region", REGION))
    signer.add_auth(request)
    return as_request(request.prepare())


class _SignedAt(SigV4Auth):
    """botocore's signer at a given moment."""

    def add_auth(self, request: AWSRequest) -> None:
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        canonical = self.canonical_request(request)
        to_sign = self.string_to_sign(request, canonical)
        signature = self.signature(to_sign, request)
        self._inject_signature_to_request(request, signature)  # type: ignore[attr-defined]  # botocore's own step, which its stubs leave out


def test_a_signature_of_now_is_taken(caller: Caller) -> None:
    assert caller.world.app(at(caller, datetime.now(UTC))).status == 200


@pytest.mark.parametrize("away", [timedelta(minutes=-6), timedelta(minutes=6), timedelta(days=-400)])
def test_a_signature_of_another_time_is_refused(caller: Caller, away: timedelta) -> None:
    status, code = fault(caller.world.app(at(caller, datetime.now(UTC) + away)))
    assert (status, code) == (400, "InvalidSignatureException")


def test_moving_the_services_clock_does_not_move_signatures(world: World) -> None:
    caller = world.account()
    world.advance(timedelta(days=30))
    assert caller.client("sts").get_caller_identity()["Account"] == caller.account


def test_an_unsigned_call_is_told_what_is_missing(caller: Caller) -> None:
    headers = (("host", "keystead.test"), ("x-amz-target", LIST), ("content-type", JSON))
    unsigned = Request("POST", "/", "", headers, b"{}", True, "192.0.2.9")
    assert fault(caller.world.app(unsigned)) == (400, "MissingAuthenticationTokenException")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": "x" * 40}, "InvalidSignatureException"),
        ({"key": "AKIDNOBODYNOBODY0000"}, "UnrecognizedClientException"),
        ({"service": "kms"}, "InvalidSignatureException"),
        ({"region": "mars-north-1"}, "InvalidSignatureException"),
    ],
)
def test_a_signature_that_does_not_hold_is_refused(caller: Caller, change: dict[str, str], code: str) -> None:
    assert fault(caller.world.app(at(caller, datetime.now(UTC), **change))) == (400, code)


def test_a_body_changed_on_the_way_is_refused(caller: Caller) -> None:
    genuine = at(caller, datetime.now(UTC))
    changed = Request(
        genuine.method, genuine.path, genuine.query, genuine.headers, b'{"MaxItems":1}', True, "192.0.2.9"
    )
    assert fault(caller.world.app(changed))[1] == "InvalidSignatureException"


def test_a_presigned_url_works_in_a_browser_until_it_expires(caller: Caller) -> None:
    url = "https://keystead.test/?Action=GetCallerIdentity&Version=2011-06-15"
    request = signed(caller.made, method="GET", url=url, body=b"", service="sts", region=REGION, presign=60)
    answer = caller.world.app(request)
    assert answer.status == 200
    assert caller.account.encode() in answer.body


def test_sts_says_who_calls(caller: Caller) -> None:
    identity = caller.client("sts").get_caller_identity()
    assert identity["Account"] == caller.account
    assert identity["Arn"] == f"arn:aws:iam::{caller.account}:user/admin"
    assert identity["UserId"].startswith("AIDA")


def test_calls_to_every_region_are_served(caller: Caller) -> None:
    for region in boto3.session.Session().get_available_regions("acm"):
        body, headers = b"Action=GetCallerIdentity&Version=2011-06-15", {"Content-Type": FORM}
        call = signed(caller.made, headers=headers, body=body, service="sts", region=region)
        assert caller.world.app(call).status == 200, region
