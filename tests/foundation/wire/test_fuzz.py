"""Anything may be sent: nothing but an AwsError leaves the wire, and every refusal can be answered."""

from typing import Any

import cbor2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.wire import SERVED, AwsError, Codec, Request
from tests.foundation.wire.calls import cbor_call, form_call, json_call, the_models, the_wire
from tests.support.model_samples import sample

HEADERS = st.sampled_from(["x-amz-target", "content-type", "smithy-protocol", "host", "x-amz-date"])
TEXTS = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "\0",
        "\n",
        "TrentService.Encrypt",
        "application/x-amz-json-1.1",
        "application/cbor",
        "rpc-v2-cbor",
        "null",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["\0", "AAAA", "x" * 5000, "host\n", "1" * 40])
)


def answered(request: Request) -> int:
    """The status that the wire gives: 200 or a clean refusal."""
    addressed = None
    try:
        addressed = the_wire().address(request)
        params = the_wire().decode(addressed, request)
    except AwsError as error:
        answer = the_wire().encode_error(addressed, error, "id")
        assert 400 <= answer.status < 500
        assert answer.body
        return answer.status
    shown = the_wire().redacted(addressed.service, addressed.operation, params)
    msgspec.json.encode(shown)
    return 200


@given(
    st.sampled_from(["POST", "GET", "PUT", "", "\0"]),
    st.sampled_from(["/", "", "//", "/service/ACMPrivateCA/operation/IssueCertificate", "/service/"])
    | st.text(max_size=9),
    st.text(max_size=12),
    st.lists(st.tuples(HEADERS, TEXTS), max_size=5),
    st.binary(max_size=60),
)
def test_any_request_at_all_is_answered_cleanly(
    method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> None:
    answered(Request(method, path, query, tuple(headers), body))


@st.composite
def mutated(draw: st.DrawFn, value: Any) -> Any:
    """`value` with a place or two replaced by something else."""
    if draw(st.integers(0, 5)) == 0:
        return draw(SCALARS | st.just([]) | st.just({}) | st.just([{}]) | st.just({"": [None]}))
    if isinstance(value, dict) and value:
        key = draw(st.sampled_from(sorted(value)))
        name = draw(st.sampled_from([key, key, key, "Other", "\0", "K" * 300]))
        return {**value, name: draw(mutated(value[key]))}
    if isinstance(value, list) and value:
        return [draw(mutated(value[0])), *value[1:]] * draw(st.sampled_from([1, 1, 2, 300]))
    return draw(SCALARS)


def flat(value: Any, prefix: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        pairs = [flat(member, f"{prefix}.{name}" if prefix else name) for name, member in value.items()]
    elif isinstance(value, list):
        pairs = [flat(element, f"{prefix}.member.{number}") for number, element in enumerate(value, 1)]
    else:
        return {prefix: str(value)}
    return {name: text for pair in pairs for name, text in pair.items()}


def jsonable(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (OverflowError, msgspec.EncodeError):
        return repr(value).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("service", "codec"), [(name, codec) for name, codecs in SERVED.items() for codec in codecs]
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_damaged_parameters_of_any_operation_are_answered_cleanly(
    service: str, codec: Codec, data: st.DataObject
) -> None:
    model = the_models()[service]
    name = data.draw(st.sampled_from(sorted(model.operations)))
    given_input = model.operations[name].input
    params = data.draw(mutated(sample(model, given_input) if given_input else {}))
    if codec is Codec.JSON11:
        answered(json_call(f"{model.target}.{name}", jsonable(params)))
    elif codec is Codec.CBOR:
        answered(cbor_call(model.target, name, cbor2.dumps(params, timezone=None)))
    else:
        form = flat(params) if isinstance(params, dict) else {"x": str(params)}
        answered(form_call({"Action": name, "Version": model.version, **form}))


@settings(max_examples=200)
@given(st.sampled_from(["Action=AssumeRole&Version=2011-06-15&", ""]), st.binary(max_size=80))
def test_any_form_is_answered_cleanly(start: str, rest: bytes) -> None:
    answered(form_call(start.encode() + rest))


@settings(max_examples=200)
@given(st.text("&=.%0123456789ABCDEFmembrTagsKyV-٣²", max_size=80))
def test_any_form_of_likely_characters_is_answered_cleanly(rest: str) -> None:
    answered(form_call(("Action=AssumeRole&Version=2011-06-15&" + rest).encode()))
