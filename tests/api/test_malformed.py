"""Every operation against members that its model does not allow: never a 5xx, never a hang, each refusal AWS-shaped."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from botocore.session import Session

from foundation.wire import Request, Response
from foundation.wire.protocols import CONTENT_TYPES, SERVED, Codec
from server.assembly import OPERATIONS
from tests.api.authorization.stage import TARGETS, Stage
from tests.api.malformed import Case, cases, encoded
from tests.support.identity import signed
from tests.support.world import REGION, Caller, World

# Seconds that one bad call may take on a busy machine.
PATIENCE = 5.0
# What any operation may answer beside the errors of its service's model.
ANYWHERE = {
    "AccessDenied",
    "AccessDeniedException",
    "InvalidArgsException",
    "InvalidParameterException",
    "InvalidParameterValue",
    "MalformedInput",
    "MissingParameter",
    "NotImplementedException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ThrottlingException",
    "ValidationError",
    "ValidationException",
}
SESSION = Session()
ELEMENTS = [
    (service, name, codec)
    for service, declared in OPERATIONS.items()
    for name in sorted(declared)
    for codec in SERVED[service]
]


def call(caller: Caller, service: str, name: str, codec: Codec, body: bytes) -> Request:
    """A well-signed call with any body."""
    model = SESSION.get_service_model(service)
    headers = {"Content-Type": CONTENT_TYPES[codec]}
    url = "https://keystead.test/"
    if codec is Codec.JSON11:
        headers["X-Amz-Target"] = f"{model.metadata['targetPrefix']}.{name}"
    elif codec is Codec.CBOR:
        headers["Smithy-Protocol"] = "rpc-v2-cbor"
        url += f"service/{model.metadata['targetPrefix']}/operation/{name}"
    region = "us-east-1" if service == "iam" else REGION
    return signed(caller.made, url=url, headers=headers, body=body, service=model.signing_name, region=region)


def fault(codec: Codec, response: Response) -> tuple[str, str]:
    """(code, message) of a refusal; fails for one that is not shaped as its protocol says."""
    headers = {name.lower(): value for name, value in response.headers}
    if codec is Codec.QUERY:
        text = response.body.decode()
        [code] = re.findall(r"<Code>(\w+)</Code>", text)
        assert "<RequestId>" in text
        return code, "".join(re.findall(r"<Message>(.*)</Message>", text, re.DOTALL))
    assert headers["x-amzn-requestid"]
    assert headers["content-type"] == CONTENT_TYPES[codec]
    document: Any = (cbor2 if codec is Codec.CBOR else json).loads(response.body)
    return document["__type"].rpartition("#")[2], document.get("message") or document.get("Message")


def wrong(
    caller: Caller, service: str, name: str, codec: Codec, sent: Sequence[Case]
) -> Iterator[tuple[str, object]]:
    """(case, what is wrong with its answer), for the cases whose answers are wrong."""
    model = SESSION.get_service_model(service)
    known = ANYWHERE | {
        shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes
    }
    for case in sent:
        body = encoded(codec, name, model.metadata["apiVersion"], case.members)
        request = call(caller, service, name, codec, body)
        begun = time.monotonic()
        answer = caller.world.app(request)
        if time.monotonic() - begun > PATIENCE:
            yield case.what, f"took {time.monotonic() - begun:.1f} s"
        if answer.status >= 500:
            yield case.what, (answer.status, answer.body[:200])
        elif answer.status >= 400:
            code, message = fault(codec, answer)
            if code not in known or "Traceback" in message or 'File "' in message:
                yield case.what, (code, message)


def every_case(caller: Caller, service: str, name: str, mark: str) -> list[Case]:
    target = TARGETS[service][name]
    shape = SESSION.get_service_model(service).operation_model(name).input_shape
    return list(cases(shape, target(Stage(caller, f"{mark}-{service}-{name}"))))


@pytest.fixture(scope="module")
def owner(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.mark.parametrize(("service", "name", "codec"), ELEMENTS, ids=str)
def test_a_few_malformed_calls_of_each_operation_are_refused_in_its_protocol(
    owner: Caller, service: str, name: str, codec: Codec
) -> None:
    everything = every_case(owner, service, name, f"few{codec.name.lower()}")
    few = everything[:: max(1, len(everything) // 12)]
    assert list(wrong(owner, service, name, codec, few)) == []


@pytest.mark.slow
@pytest.mark.parametrize(("service", "name", "codec"), ELEMENTS, ids=str)
def test_every_malformed_call_of_each_operation_is_refused_in_its_protocol(
    owner: Caller, service: str, name: str, codec: Codec
) -> None:
    everything = every_case(owner, service, name, f"all{codec.name.lower()}")
    assert list(wrong(owner, service, name, codec, everything)) == []


@pytest.mark.parametrize(("service", "name", "codec"), ELEMENTS, ids=str)
def test_a_signature_changed_in_one_place_never_reaches_an_operation(
    owner: Caller, service: str, name: str, codec: Codec
) -> None:
    version = SESSION.get_service_model(service).metadata["apiVersion"]
    genuine = call(owner, service, name, codec, encoded(codec, name, version, {}))
    spoilt = tuple(
        (header, value[:-1] + ("0" if value[-1] != "0" else "1") if header == "authorization" else value)
        for header, value in genuine.headers
    )
    answer = owner.world.app(replace(genuine, headers=spoilt))
    assert answer.status in {400, 403}
    assert fault(codec, answer)[0] in {"InvalidSignatureException", "SignatureDoesNotMatch"}
