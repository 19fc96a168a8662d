"""botocore's own serialisers, parsers and clients against the wire, for every operation of every service."""

import math
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel as PublishedModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from foundation.wire import SERVED, AwsError, Codec, Request, Response, Throttling
from tests.foundation.wire.calls import the_models, the_wire
from tests.support.botocore_client import client, wsgi
from tests.support.model_samples import sample

PROTOCOLS = {Codec.JSON11: "json", Codec.CBOR: "smithy-rpc-v2-cbor", Codec.QUERY: "query"}
SPOKEN = [(service, codec) for service, codecs in SERVED.items() for codec in codecs]


def published(service: str) -> PublishedModel:
    return PublishedModel(
        Loader(include_default_search_paths=True).load_service_model(service, "service-2"), service
    )


def spelled_by_botocore(model: PublishedModel, operation: str, params: Any, codec: Codec) -> Request:
    from urllib.parse import urlencode

    wire = create_serializer(PROTOCOLS[codec]).serialize_to_request(params, model.operation_model(operation))
    body = wire["body"]
    octets = (
        urlencode(body).encode()
        if isinstance(body, dict)
        else body.encode()
        if isinstance(body, str)
        else body
    )
    headers = tuple((name.lower(), value) for name, value in wire["headers"].items())
    return Request(wire["method"], wire["url_path"], "", headers, octets or b"")


@pytest.mark.parametrize(("service", "codec"), SPOKEN)
def test_every_input_arrives_as_botocore_sent_it(service: str, codec: Codec) -> None:
    model, stock = the_models()[service], published(service)
    for name, operation in model.operations.items():
        params = sample(model, operation.input) if operation.input else {}
        call = spelled_by_botocore(stock, name, params, codec)
        addressed = the_wire().address(call)
        assert (addressed.service, addressed.operation, addressed.codec) == (service, name, codec)
        assert the_wire().decode(addressed, call) == params, name


@pytest.mark.parametrize(("service", "codec"), SPOKEN)
def test_every_output_arrives_as_it_was_given(service: str, codec: Codec) -> None:
    model, stock = the_models()[service], published(service)
    parser = create_parser(PROTOCOLS[codec])
    for name, operation in model.operations.items():
        if not operation.output:
            continue
        result = sample(model, operation.output)
        addressed = the_wire().address(spelled_by_botocore(stock, name, sample_input(service, name), codec))
        answer = the_wire().encode(addressed, result, "id-1")
        shape = stock.operation_model(name).output_shape
        assert shape is not None
        received = parser.parse(
            {"status_code": answer.status, "headers": lower(answer), "body": answer.body}, shape
        )
        metadata = received.pop("ResponseMetadata")
        assert metadata["RequestId"] == "id-1"
        assert same(received, result), name


def sample_input(service: str, name: str) -> Any:
    model = the_models()[service]
    operation = model.operations[name]
    return sample(model, operation.input) if operation.input else {}


def lower(answer: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers}


def same(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, datetime):
        return bool(left == right)
    return math.isclose(left, right) if isinstance(left, float) else bool(left == right)


def answering(result: dict[str, Any]) -> Any:
    def app(request: Request) -> Response:
        addressed = None
        try:
            addressed = the_wire().address(request)
            the_wire().decode(addressed, request)
        except AwsError as error:
            return the_wire().encode_error(addressed, error, "id-1")
        return the_wire().encode(addressed, result, "id-1")

    return app


def test_a_stock_client_reads_a_result_in_each_protocol() -> None:
    authority = {"CertificateAuthority": {"Arn": "arn:a"}}
    arn = "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/x"
    for protocol in ("json", "smithy-rpc-v2-cbor"):
        pca = client("acm-pca", answering(authority), protocol=protocol)
        answer = pca.describe_certificate_authority(CertificateAuthorityArn=arn)
        assert answer["CertificateAuthority"] == {"Arn": "arn:a"}
    who = {"UserId": "AIDA", "Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ä<&>"}
    received = client("sts", answering(who)).get_caller_identity()
    assert {key: received[key] for key in who} == who


@pytest.mark.parametrize(
    ("service", "protocol", "call", "code"),
    [
        ("kms", None, lambda kms: kms.describe_key(KeyId=""), "ValidationException"),
        ("acm", None, lambda acm: acm.request_certificate(DomainName="host\n"), "InvalidParameterException"),
        ("acm-pca", "json", lambda pca: pca.list_permissions(), "ValidationException"),
        ("acm-pca", "smithy-rpc-v2-cbor", lambda pca: pca.issue_certificate(), "InvalidArgsException"),
        ("cloudhsmv2", "smithy-rpc-v2-cbor", lambda hsm: hsm.create_hsm(), "CloudHsmInvalidRequestException"),
        ("secretsmanager", None, lambda sm: sm.get_secret_value(), "InvalidParameterException"),
        ("sts", None, lambda sts: sts.assume_role(), "ValidationError"),
    ],
)
def test_a_stock_client_reads_the_servers_own_validation_error(
    service: str, protocol: str | None, call: Any, code: str
) -> None:
    stock = client(service, answering({}), protocol=protocol, checked=False)
    with pytest.raises(ClientError) as refusal:
        call(stock)
    assert refusal.value.response["Error"]["Code"] == code
    assert "validation error" in refusal.value.response["Error"]["Message"]
    assert refusal.value.response["ResponseMetadata"]["RequestId"] == "id-1"


def test_a_stock_client_raises_the_modelled_exception_of_an_error() -> None:
    kms = client("kms", answering({}), checked=False)
    secrets = client("secretsmanager", answering({}), checked=False)
    with pytest.raises(secrets.exceptions.InvalidParameterException):
        secrets.describe_secret(SecretId="")
    assert kms.meta.service_model.service_name == "kms"


def test_a_stock_client_retries_what_is_throttled() -> None:
    calls = 0

    def app(request: Request) -> Response:
        nonlocal calls
        calls += 1
        addressed = the_wire().address(request)
        if calls == 1:
            return the_wire().encode_error(addressed, Throttling("slow down"), "id-1")
        return the_wire().encode(addressed, {"Keys": []}, "id-2")

    assert client("kms", app, attempts=2).list_keys()["Keys"] == []
    assert calls == 2


def test_a_wsgi_application_is_called_as_by_a_server() -> None:
    seen = {}

    def application(environ: Any, start_response: Any) -> list[bytes]:
        seen.update(environ)
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-RequestId", "id")])
        return [b'{"Plaintext":', b'"AAAA"', b"}"] if body else []

    assert client("kms", wsgi(application)).generate_random(NumberOfBytes=3)["Plaintext"] == b"\0\0\0"
    assert seen["HTTP_X_AMZ_TARGET"] == "TrentService.GenerateRandom"
    assert (seen["CONTENT_TYPE"], seen["REMOTE_ADDR"]) == ("application/x-amz-json-1.1", "192.0.2.7")
