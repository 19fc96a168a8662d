"""What errors are called: per service, operation and protocol."""

import json
from typing import Any

import cbor2
import pytest

from foundation.wire import (
    SERVED,
    AccessDenied,
    Addressed,
    AwsError,
    BadToken,
    Codec,
    ExpiredToken,
    IncompleteSignature,
    InternalFailure,
    InvalidSignature,
    MissingAuthenticationToken,
    NotImplementedByKeystead,
    RequestEntityTooLarge,
    SerializationError,
    ServiceUnavailable,
    SignatureDoesNotMatch,
    Throttling,
    UnknownOperation,
    UnrecognizedClient,
    ValidationFailure,
)
from foundation.wire.faults import QUERY_CODES, SERVICE_CODES, VALIDATION_CODES
from tests.foundation.wire.calls import the_models, the_wire

JSON, CBOR, QUERY = Codec.JSON11, Codec.CBOR, Codec.QUERY


class NoSuchEntity(AwsError, code="NoSuchEntity"): ...


class Quota(AwsError, code="ServiceQuotaExceededException"): ...


class Unavailable(AwsError, code="KeyUnavailableException"): ...


class Slow(AwsError, code="ThrottlingException"): ...


def at(service: str, operation: str, codec: Codec | None = None) -> Addressed:
    return Addressed(service, operation, codec or SERVED[service][-1], the_models()[service].signing_name)


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("kms", "Encrypt", "ValidationException"),
        ("acm", "RequestCertificate", "InvalidParameterException"),
        ("acm", "DescribeCertificate", "ValidationException"),
        ("acm", "ListCertificates", "ValidationException"),
        ("acm", "ListCertificateDomainValidations", "InvalidArgsException"),
        ("acm", "AddTagsToCertificate", "ValidationException"),
        ("acm", "GetAccountConfiguration", "ValidationException"),
        ("acm-pca", "IssueCertificate", "InvalidArgsException"),
        ("acm-pca", "RevokeCertificate", "InvalidRequestException"),
        ("acm-pca", "GetPolicy", "ValidationException"),
        ("secretsmanager", "GetSecretValue", "InvalidParameterException"),
        ("cloudhsmv2", "CreateCluster", "CloudHsmInvalidRequestException"),
        ("cloudtrail", "StartQuery", "InvalidParameterException"),
        ("cloudtrail", "LookupEvents", "ValidationException"),
        ("sts", "AssumeRole", "ValidationError"),
        ("iam", "CreateUser", "ValidationError"),
    ],
)
def test_a_breach_of_the_model_has_the_code_of_the_operations_own_list(
    service: str, operation: str, code: str
) -> None:
    assert the_wire().error_code(at(service, operation), ValidationFailure("x")) == (code, 400)


@pytest.mark.parametrize("service", SERVED)
def test_every_validation_code_is_one_that_the_operation_lists_or_the_fronts_own(service: str) -> None:
    front = "ValidationError" if SERVED[service] == (QUERY,) else "ValidationException"
    for operation, shape in the_models()[service].operations.items():
        code, status = the_wire().error_code(at(service, operation), ValidationFailure("x"))
        assert status == 400
        assert code in shape.errors or code == front
        assert code == front or code in VALIDATION_CODES[service]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("kms", "ListKeys", "InvalidMarkerException"),
        ("secretsmanager", "ListSecrets", "InvalidNextTokenException"),
        ("acm-pca", "ListPermissions", "InvalidNextTokenException"),
        ("acm-pca", "ListTags", "ValidationException"),
        ("acm", "ListCertificates", "ValidationException"),
        ("acm", "ListCertificateDomainValidations", "InvalidArgsException"),
        ("cloudtrail", "LookupEvents", "InvalidNextTokenException"),
        ("cloudtrail", "ListPublicKeys", "InvalidTokenException"),
        ("cloudhsmv2", "DescribeClusters", "CloudHsmInvalidRequestException"),
        ("iam", "ListUsers", "ValidationError"),
    ],
)
def test_a_bad_paging_token_has_the_code_of_the_service(service: str, operation: str, code: str) -> None:
    assert the_wire().error_code(at(service, operation), BadToken("x")) == (code, 400)


@pytest.mark.parametrize(
    ("error", "json_answer", "query_answer"),
    [
        (AccessDenied, ("AccessDeniedException", 400), ("AccessDenied", 403)),
        (ExpiredToken, ("ExpiredTokenException", 400), ("ExpiredTokenException", 400)),
        (IncompleteSignature, ("IncompleteSignatureException", 400), ("IncompleteSignature", 400)),
        (InternalFailure, ("KMSInternalException", 500), ("InternalFailure", 500)),
        (InvalidSignature, ("InvalidSignatureException", 400), ("SignatureDoesNotMatch", 403)),
        (SignatureDoesNotMatch, ("InvalidSignatureException", 400), ("SignatureDoesNotMatch", 403)),
        (
            MissingAuthenticationToken,
            ("MissingAuthenticationTokenException", 400),
            ("MissingAuthenticationToken", 403),
        ),
        (NotImplementedByKeystead, ("NotImplementedException", 400), ("NotImplemented", 400)),
        (RequestEntityTooLarge, ("RequestEntityTooLargeException", 413), ("RequestEntityTooLarge", 413)),
        (SerializationError, ("SerializationException", 400), ("MalformedInput", 400)),
        (ServiceUnavailable, ("KeyUnavailableException", 500), ("ServiceUnavailable", 503)),
        (Throttling, ("ThrottlingException", 400), ("Throttling", 400)),
        (UnknownOperation, ("UnknownOperationException", 400), ("InvalidAction", 400)),
        (UnrecognizedClient, ("UnrecognizedClientException", 400), ("InvalidClientTokenId", 403)),
    ],
)
def test_a_generic_error_has_each_protocols_own_code_and_status(
    error: type[AwsError], json_answer: tuple[str, int], query_answer: tuple[str, int]
) -> None:
    assert the_wire().error_code(at("kms", "Encrypt"), error("x")) == json_answer
    query = at("iam", "CreateUser") if error is ExpiredToken else at("sts", "GetCallerIdentity")
    expected = ("ExpiredToken", 403) if error is ExpiredToken else query_answer
    assert the_wire().error_code(query, error("x")) == expected


@pytest.mark.parametrize(("service", "generic"), SERVICE_CODES)
def test_every_own_word_for_a_generic_error_is_in_the_services_model(service: str, generic: str) -> None:
    word = SERVICE_CODES[service, generic]
    assert any(word in operation.errors for operation in the_models()[service].operations.values())


def test_a_generic_code_stays_where_the_operation_does_not_list_the_services_own() -> None:
    assert the_wire().error_code(at("acm", "DescribeCertificate"), InternalFailure("x")) == (
        "InternalFailure",
        500,
    )
    assert the_wire().error_code(at("kms", "CreateAlias"), ServiceUnavailable("x")) == (
        "ServiceUnavailableException",
        503,
    )


def test_the_model_says_the_status_of_a_declared_error() -> None:
    assert the_wire().error_code(at("iam", "GetUser"), NoSuchEntity("x")) == ("NoSuchEntity", 404)
    assert the_wire().error_code(at("kms", "Encrypt"), Unavailable("x")) == ("KeyUnavailableException", 500)


def test_every_generic_class_has_a_query_code_of_its_own() -> None:
    unnamed = {BadToken.code, "MethodNotAllowedException", "UnsupportedMediaTypeException"}
    assert {error.code for error in AwsError.__subclasses__() if error.__module__ == AwsError.__module__} == (
        QUERY_CODES.keys() | unnamed
    )


def body_of(addressed: Addressed, error: AwsError) -> tuple[dict[str, str], Any]:
    answer = the_wire().encode_error(addressed, error, "id-1")
    headers = {name.lower(): value for name, value in answer.headers}
    assert headers["x-amzn-requestid"] == "id-1"
    read: Any = {JSON: json.loads, CBOR: cbor2.loads, QUERY: bytes.decode}[addressed.codec]
    return headers, read(answer.body)


def test_a_json_error_names_its_shape_in_body_and_header() -> None:
    headers, body = body_of(at("kms", "Encrypt"), AccessDenied("no"))
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["x-amzn-errortype"] == "AccessDeniedException"
    assert body == {"__type": "AccessDeniedException", "message": "no"}


def test_an_error_may_carry_any_text() -> None:
    _, body = body_of(at("kms", "Encrypt"), AccessDenied("half \ud800 \x00 \u2028"))
    assert body["message"] == "half ? \x00 \u2028"


def test_an_error_calls_its_text_what_its_shape_calls_it() -> None:
    _, body = body_of(at("secretsmanager", "GetSecretValue"), ValidationFailure("no"))
    assert body == {"__type": "InvalidParameterException", "Message": "no"}


def test_an_errors_further_members_are_those_of_its_shape() -> None:
    reasons = [{"reason": "r", "resource": "s"}]
    _, body = body_of(at("acm", "DescribeCertificate"), Slow("slow", throttlingReasons=reasons))
    assert body == {"__type": "ThrottlingException", "message": "slow", "throttlingReasons": reasons}


def test_members_of_an_error_without_a_shape_are_left_out() -> None:
    _, body = body_of(at("kms", "Encrypt"), Quota("x", resource="y"))
    assert body == {"__type": "ServiceQuotaExceededException", "message": "x"}


def test_a_cbor_error_names_its_shape_absolutely() -> None:
    headers, body = body_of(at("acm-pca", "GetPolicy", CBOR), AccessDenied("no"))
    assert headers["smithy-protocol"] == "rpc-v2-cbor"
    assert body == {"__type": "com.amazonaws.acmpca#AccessDeniedException", "message": "no"}


def test_a_query_error_is_a_document_that_says_whose_fault_it_was() -> None:
    headers, body = body_of(at("sts", "AssumeRole"), AccessDenied("a <b> & \x00\ud800\U0001f600"))
    assert headers["content-type"] == "text/xml"
    assert body == (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        "<Code>AccessDenied</Code><Message>a &lt;b&gt; &amp; \ufffd\ufffd\U0001f600</Message></Error>"
        "<RequestId>id-1</RequestId></ErrorResponse>"
    )
    _, body = body_of(at("sts", "AssumeRole"), InternalFailure("x"))
    assert "<Type>Receiver</Type>" in body


def test_a_retry_time_is_told_in_the_header() -> None:
    headers, _ = body_of(at("kms", "Encrypt"), Throttling("slow down", retry_after=2))
    assert headers["retry-after"] == "2"


def test_an_error_class_without_a_code_has_its_parents() -> None:
    assert (InvalidSignature.code, InvalidSignature.status) == ("InvalidSignatureException", 400)
    assert (AwsError.code, AwsError.status) == ("InternalFailure", 500)
    assert str(AccessDenied("no")) == AccessDenied("no").message == "no"
