"""Finding the operation: by target, path or form; and each way of missing it."""

from dataclasses import replace

import pytest

from foundation.wire import SERVED, Addressed, AwsError, Codec, Request
from foundation.wire.limits import LARGEST_BODY
from tests.foundation.wire.calls import cbor_call, form_call, json_call, the_models, the_wire

STS = "2011-06-15"


@pytest.mark.parametrize("service", SERVED)
def test_every_operation_is_found_in_every_protocol_of_its_service(service: str) -> None:
    model = the_models()[service]
    for operation in model.operations:
        for codec in SERVED[service]:
            call = {
                Codec.JSON11: json_call(f"{model.target}.{operation}"),
                Codec.CBOR: cbor_call(model.target, operation),
                Codec.QUERY: form_call({"Action": operation, "Version": model.version}),
            }[codec]
            expected = Addressed(service, operation, codec, model.signing_name)
            assert the_wire().address(call) == expected


@pytest.mark.parametrize(
    ("service", "signing_name"), [("cloudhsmv2", "cloudhsm"), ("acm", "acm"), ("sts", "sts"), ("kms", "kms")]
)
def test_the_signing_name_is_the_scope_of_the_service(service: str, signing_name: str) -> None:
    assert the_models()[service].signing_name == signing_name


def test_a_query_call_may_be_a_get_with_its_parameters_in_the_url() -> None:
    call = Request("GET", "/", f"Action=GetCallerIdentity&Version={STS}&X-Amz-Signature=00", (), b"")
    addressed = the_wire().address(call)
    assert (addressed.service, addressed.operation) == ("sts", "GetCallerIdentity")
    assert the_wire().decode(addressed, call) == {}


ENCRYPT = json_call("TrentService.Encrypt")
ISSUE = cbor_call("ACMPrivateCA", "IssueCertificate")
WHO = form_call({"Action": "GetCallerIdentity", "Version": STS})


def without(request: Request, header: str) -> Request:
    return replace(request, headers=tuple(pair for pair in request.headers if pair[0] != header))


def with_header(request: Request, header: str, value: str) -> Request:
    return replace(without(request, header), headers=(*without(request, header).headers, (header, value)))


@pytest.mark.parametrize(
    ("request_", "code", "status"),
    [
        (json_call("TrentService.Enkrypt"), "UnknownOperationException", 400),
        (json_call("NoService.Encrypt"), "UnknownOperationException", 400),
        (json_call("TrentService.encrypt"), "UnknownOperationException", 400),
        (json_call("Encrypt"), "UnknownOperationException", 400),
        (json_call(""), "UnknownOperationException", 400),
        (json_call("\ud800\x00" * 9), "UnknownOperationException", 400),
        (replace(ENCRYPT, path="/kms"), "UnknownOperationException", 400),
        (without(ENCRYPT, "x-amz-target"), "UnknownOperationException", 400),
        (json_call("TrentService.Encrypt", headers=[("x-amz-target", "x.y")]), "SerializationException", 400),
        (json_call("TrentService.Encrypt", headers=[("content-type", "a/b")]), "SerializationException", 400),
        (replace(ENCRYPT, method="GET"), "MethodNotAllowedException", 405),
        (replace(ENCRYPT, method="PUT"), "MethodNotAllowedException", 405),
        (with_header(ENCRYPT, "content-type", "text/plain"), "UnsupportedMediaTypeException", 415),
        (without(ENCRYPT, "content-type"), "UnsupportedMediaTypeException", 415),
        (replace(ENCRYPT, body=b" " * (LARGEST_BODY + 1)), "RequestEntityTooLargeException", 413),
        (cbor_call("ACMPrivateCA", "IssueCertificates"), "UnknownOperationException", 404),
        (cbor_call("TrentService", "Encrypt"), "UnknownOperationException", 404),
        (cbor_call("x", "y", path="/service/ACMPrivateCA"), "UnknownOperationException", 404),
        (cbor_call("x", "y", path="/service/ACMPrivateCA/operation/%00"), "UnknownOperationException", 404),
        (cbor_call("x", "y", path="/"), "UnknownOperationException", 404),
        (
            with_header(ISSUE, "x-amz-target", "ACMPrivateCA.IssueCertificate"),
            "UnknownOperationException",
            404,
        ),
        (without(ISSUE, "smithy-protocol"), "UnsupportedMediaTypeException", 415),
        (with_header(ISSUE, "smithy-protocol", "rpc-v2-json"), "UnsupportedMediaTypeException", 415),
        (with_header(ISSUE, "content-type", "application/json"), "UnsupportedMediaTypeException", 415),
        (replace(ISSUE, method="GET"), "MethodNotAllowedException", 405),
        (form_call({"Action": "GetCallerIdentities", "Version": STS}), "InvalidAction", 400),
        (form_call({"Action": "GetCallerIdentity"}), "InvalidAction", 400),
        (form_call({"Action": "GetCallerIdentity", "Version": "2010-05-08"}), "InvalidAction", 400),
        (form_call({"Version": STS}), "InvalidAction", 400),
        (form_call(b""), "InvalidAction", 400),
        (form_call(b"Action=%ff"), "MalformedInput", 400),
        (form_call(b"Action=\xff"), "MalformedInput", 400),
        (form_call(b"a=1&" * 10_001), "MalformedInput", 400),
        (replace(WHO, path="/sts"), "InvalidAction", 400),
        (replace(WHO, method="DELETE"), "MethodNotAllowedException", 405),
        (Request("GET", "/", "", (), b""), "InvalidAction", 400),
        (Request("GET", "/", "Action=\ud800", (), b""), "MalformedInput", 400),
        (
            Request("POST", "/", "", (("content-type", "text/html"),), b"<x/>"),
            "UnknownOperationException",
            400,
        ),
        (Request("OPTIONS", "*", "", (), b""), "UnknownOperationException", 400),
    ],
)
def test_what_cannot_be_addressed_is_refused_in_the_protocol_of_the_call(
    request_: Request, code: str, status: int
) -> None:
    with pytest.raises(AwsError) as refusal:
        the_wire().address(request_)
    answer = the_wire().encode_error(None, refusal.value, "id-1")
    assert (the_wire().error_code(None, refusal.value), answer.status) == ((code, status), status)
    assert code.encode() in answer.body


def test_an_rpc_call_without_input_needs_neither_body_nor_content_type() -> None:
    call = replace(without(cbor_call("BaldrApiService", "DescribeBackups"), "content-type"), body=b"")
    addressed = the_wire().address(call)
    assert the_wire().decode(addressed, call) == {}


def test_the_content_type_may_carry_parameters() -> None:
    call = with_header(ENCRYPT, "content-type", "Application/X-Amz-JSON-1.1; charset=UTF-8")
    assert the_wire().address(call).operation == "Encrypt"


def test_a_header_that_may_stand_once_is_none_when_absent() -> None:
    assert ENCRYPT.header("authorization") is None
    assert ENCRYPT.all("host") == ("kms.test",)
