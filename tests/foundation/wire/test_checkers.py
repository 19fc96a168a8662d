"""Parameters against the model: every constraint of every input shape is kept, and every breach is named."""

import base64
from datetime import UTC, datetime
from typing import Any

import cbor2
import pytest

from foundation.wire import (
    SERVED,
    Addressed,
    Codec,
    Operations,
    Params,
    RequestEntityTooLarge,
    SerializationError,
    ValidationFailure,
    Wire,
)
from foundation.wire.bodies import read_cbor
from foundation.wire.checkers import Checkers
from foundation.wire.constraints import NO_NUL, TESTS, shown
from foundation.wire.limits import BODY, ECHO
from foundation.wire.models import OperationShape, ServiceModel, Shape
from tests.foundation.wire.calls import cbor_call, form_call, json_call, the_models, the_wire
from tests.support.model_samples import sample, sample_scalar


def decode(target: str, body: Any) -> Params:
    call = json_call(target, body)
    return the_wire().decode(the_wire().address(call), call)


def breach(target: str, body: Any) -> str:
    with pytest.raises(ValidationFailure) as refusal:
        decode(target, body)
    return refusal.value.message


def input_scalars() -> list[tuple[str, str]]:
    """Every scalar shape that an input of a served operation reaches."""
    found = set()
    for service in SERVED:
        model = the_models()[service]
        waiting = [operation.input for operation in model.operations.values() if operation.input]
        seen = set(waiting)
        while waiting:
            name = waiting.pop()
            shape = model.shapes[name]
            inner = {*shape.members.values(), shape.element, shape.key, shape.value} - {""} - seen
            seen |= inner
            waiting += inner
            if shape.kind not in ("structure", "list", "map"):
                found.add((service, name))
    return sorted(found)


@pytest.mark.parametrize(("service", "name"), input_scalars())
def test_every_scalar_of_every_input_is_held_to_its_bounds(service: str, name: str) -> None:
    shape = the_models()[service].shapes[name]
    test = TESTS[shape.kind](shape)
    good = sample_scalar(shape)
    assert not test(good)
    if shape.kind in ("string", "blob") and not shape.enum:
        unit: Any = "a" if shape.kind == "string" else b"a"
        if shape.max is not None:
            assert f"Member must have length less than or equal to {shape.max}" in test(
                unit * (int(shape.max) + 1)
            )
        if shape.min:
            assert f"Member must have length greater than or equal to {shape.min}" in test(
                unit * (int(shape.min) - 1)
            )
    if shape.kind in ("integer", "long"):
        assert shape.max is None or test(int(shape.max) + 1)
        assert shape.min is None or test(int(shape.min) - 1)
    if shape.enum:
        assert test("no such value") == (f"Member must satisfy enum value set: [{', '.join(shape.enum)}]",)
        assert test(shape.enum[-1] + "\n")
    if shape.kind == "string" and not shape.enum:
        assert NO_NUL in test("\0")


@pytest.mark.parametrize("service", SERVED)
def test_every_input_accepts_its_sample_and_misses_each_required_member(service: str) -> None:
    model = the_models()[service]
    checkers = Checkers(model, Codec.CBOR)  # CBOR's values are those of Params
    for name, operation in model.operations.items():
        if not operation.input:
            assert checkers.check(name, {"Anything": 1}) == {}
            continue
        params = sample(model, operation.input)
        assert checkers.check(name, params) == params
        for member in model.shapes[operation.input].required:
            with pytest.raises(
                ValidationFailure, match="failed to satisfy constraint: Member must not be null"
            ):
                checkers.check(name, {key: value for key, value in params.items() if key != member})


def test_unknown_members_and_nulls_are_ignored() -> None:
    assert decode("TrentService.DescribeKey", {"KeyId": "k", "Nope": {"x": [1]}, "GrantTokens": None}) == {
        "KeyId": "k"
    }


def test_a_null_in_the_place_of_a_required_member_is_an_absent_one() -> None:
    assert breach("TrentService.DescribeKey", {"KeyId": None}) == (
        "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"
    )


def test_a_breach_is_worded_as_aws_words_it() -> None:
    assert breach("TrentService.DescribeKey", {"KeyId": ""}) == (
        "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    assert breach("TrentService.ListKeys", {"Limit": 0}) == (
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: "
        "Member must have value greater than or equal to 1"
    )
    assert breach("TrentService.ListKeys", {"Limit": 1001}).endswith(
        "Member must have value less than or equal to 1000"
    )
    assert breach("TrentService.CreateKey", {"Origin": "MOON"}) == (
        "1 validation error detected: Value 'MOON' at 'origin' failed to satisfy constraint: "
        "Member must satisfy enum value set: [AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE]"
    )
    assert breach("CertificateManager.RequestCertificate", {"DomainName": "host\n"}) == (
        "1 validation error detected: Value 'host\n' at 'domainName' failed to satisfy constraint: Member must "
        r"satisfy regular expression pattern: (\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])"
    )


def test_every_breach_is_counted_and_named_by_its_path() -> None:
    message = breach(
        "TrentService.CreateKey",
        {
            "KeySpec": "x",
            "Tags": [{"TagKey": "a", "TagValue": "b"}, {"TagKey": ""}],
            "Description": "d" * 9000,
        },
    )
    assert message.startswith("4 validation errors detected: ")
    assert "Value '' at 'tags.2.member.tagKey' failed" in message
    assert "Value null at 'tags.2.member.tagValue' failed" in message


def test_elements_of_lists_and_maps_are_named_at_their_container() -> None:
    message = breach(
        "TrentService.Encrypt",
        {
            "KeyId": "k",
            "Plaintext": "AAAA",
            "GrantTokens": ["", "", "x"] * 5,
            "EncryptionContext": {"a\0": "b\0"},
        },
    )
    assert (
        "at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10"
        in message
    )
    assert (
        "Value at 'grantTokens' failed to satisfy constraint: Member must satisfy constraint: [Member must have length greater than or equal to 1]"
        in message
    )
    assert (
        f"at 'encryptionContext' failed to satisfy constraint: Map keys must satisfy constraint: [{NO_NUL}]"
        in message
    )
    assert (
        f"at 'encryptionContext' failed to satisfy constraint: Map value must satisfy constraint: [{NO_NUL}]"
        in message
    )


def test_a_message_does_not_grow_with_the_request() -> None:
    message = breach("TrentService.CreateKey", {"Tags": [{"TagKey": "k" * 4000, "TagValue": "v"}] * 50})
    assert message.startswith("50 validation errors detected")
    assert len(message) < 10 * (ECHO + 200)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": base64.b64encode(b"hush" * 2000).decode()}),
        ("secretsmanager.PutSecretValue", {"SecretId": "s", "SecretString": "hush" * 20_000}),
        ("CertificateManager.ImportCertificate", {"Certificate": "aGk=", "PrivateKey": ""}),
        ("TrentService.CreateCustomKeyStore", {"CustomKeyStoreName": "n", "KeyStorePassword": "hush"}),
    ],
)
def test_a_sensitive_value_is_never_repeated(target: str, body: Any) -> None:
    message = breach(target, body)
    assert "Value at '" in message
    assert "hush" not in message
    assert "aHVzaA" not in message


def test_a_sensitive_container_hides_what_is_inside_it() -> None:
    shapes = {
        "Input": Shape("structure", members={"Secret": "Secret", "Plain": "Text"}),
        "Secret": Shape("structure", sensitive=True, members={"Part": "Text"}),
        "Text": Shape("string", max=3),
    }
    operation = OperationShape("Input", "", "", ())
    model = ServiceModel("kms", "", "", "kms", "", shapes, {"Say": operation}, {})
    with pytest.raises(ValidationFailure) as refusal:
        Checkers(model, Codec.JSON11).check("Say", {"Plain": "open", "Secret": {"Part": "hush"}})
    assert "Value 'open' at 'plain'" in refusal.value.message
    assert "Value at 'secret.part'" in refusal.value.message


def test_the_nul_character_is_a_breach_wherever_it_stands() -> None:
    assert NO_NUL in breach("TrentService.CreateKey", {"Description": "a\0b"})


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("TrentService.DescribeKey", []),
        ("TrentService.DescribeKey", "text"),
        ("TrentService.DescribeKey", {"KeyId": 5}),
        ("TrentService.DescribeKey", {"KeyId": ["k"]}),
        ("TrentService.DescribeKey", {"KeyId": "k", "GrantTokens": "t"}),
        ("TrentService.DescribeKey", {"KeyId": "k", "GrantTokens": [None]}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "not base64!"}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "AAA"}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "AA==AA=="}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "é"}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "AAAA", "EncryptionContext": {"a": 1}}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "AAAA", "EncryptionContext": {"a": None}}),
        ("TrentService.Encrypt", {"KeyId": "k", "Plaintext": "AAAA", "EncryptionContext": ["a"]}),
        ("TrentService.ListKeys", {"Limit": "5"}),
        ("TrentService.ListKeys", {"Limit": 5.0}),
        ("TrentService.ListKeys", {"Limit": True}),
        ("TrentService.ListKeys", {"Limit": 2**31}),
        ("TrentService.ListKeys", {"Limit": 10**25}),
        ("TrentService.CreateKey", {"MultiRegion": "true"}),
        ("TrentService.CreateKey", {"MultiRegion": 1}),
        ("TrentService.CreateKey", {"Tags": {"TagKey": "a"}}),
        ("TrentService.CreateKey", {"Tags": ["a"]}),
        ("TrentService.ImportKeyMaterial", {"ValidTo": "2026-01-01T00:00:00Z"}),
        ("TrentService.ImportKeyMaterial", {"ValidTo": 1e300}),
        ("TrentService.ImportKeyMaterial", {"ValidTo": -(10**15)}),
        ("CertificateManager.SearchCertificates", {"FilterStatement": {}}),
        ("CertificateManager.SearchCertificates", {"FilterStatement": {"Not": {}, "And": []}}),
    ],
)
def test_a_value_of_the_wrong_kind_cannot_be_read(target: str, body: Any) -> None:
    with pytest.raises(SerializationError):
        decode(target, body)


def test_timestamps_and_blobs_become_datetimes_and_bytes() -> None:
    body = {"KeyId": "k", "ImportToken": "AAE=", "EncryptedKeyMaterial": "/w==", "ValidTo": 1767225600.5}
    params = decode("TrentService.ImportKeyMaterial", body)
    assert params["ImportToken"] == b"\x00\x01"
    assert params["ValidTo"] == datetime(2026, 1, 1, 0, 0, 0, 500_000, UTC)


@pytest.mark.parametrize(
    ("member", "value"),
    [("Csr", "AAAA"), ("CertificateAuthorityArn", b"x"), ("Validity", {"Type": "DAYS", "Value": 1.5})],
)
def test_cbor_values_of_the_wrong_kind_cannot_be_read(member: str, value: Any) -> None:
    call = cbor_call("ACMPrivateCA", "IssueCertificate", {member: value})
    with pytest.raises(SerializationError):
        the_wire().decode(the_wire().address(call), call)


def test_a_cbor_timestamp_needs_its_tag() -> None:
    check = Checkers(the_models()["acm-pca"], Codec.CBOR)._checker("TStamp", hidden=False)
    tagged = read_cbor(cbor2.dumps(cbor2.CBORTag(1, 5)))
    assert check(tagged, "x", []) == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    with pytest.raises(SerializationError):
        check(5, "x", [])


@pytest.mark.parametrize(
    ("operation", "limit"), [("RequestCertificate", BODY), ("ImportCertificate", 4 * BODY)]
)
def test_a_body_may_be_as_large_as_its_operation_says(operation: str, limit: int) -> None:
    call = json_call(f"CertificateManager.{operation}", b" " * (limit + 1))
    addressed = Addressed("acm", operation, Codec.JSON11, "acm")
    with pytest.raises(RequestEntityTooLarge):
        the_wire().decode(addressed, call)


def test_a_refused_value_is_shown_cut_and_octets_not_at_all() -> None:
    assert shown("a") == "'a'"
    assert shown(b"a") is None
    assert shown("a" * 999) == "'" + "a" * ECHO + "...'"


def test_a_query_form_is_checked_like_any_other() -> None:
    call = form_call(
        {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": "x", "DurationSeconds": "1"}
    )
    with pytest.raises(ValidationFailure) as refusal:
        the_wire().decode(the_wire().address(call), call)
    assert refusal.value.message.startswith("3 validation errors detected: ")


def test_a_number_may_be_whole_or_not_but_must_be_a_number() -> None:
    shapes = {"Input": Shape("structure", members={"D": "Double"}), "Double": Shape("double", min=0.5, max=2)}
    model = ServiceModel("kms", "", "", "kms", "", shapes, {"Say": OperationShape("Input", "", "", ())}, {})
    checkers = Checkers(model, Codec.JSON11)
    assert checkers.check("Say", {"D": 1}) == {"D": 1.0}
    assert checkers.check("Say", {"D": 1.5}) == {"D": 1.5}
    with pytest.raises(ValidationFailure, match=r"greater than or equal to 0\.5"):
        checkers.check("Say", {"D": 0.4})
    with pytest.raises(SerializationError):
        checkers.check("Say", {"D": True})


def test_a_preloaded_wire_answers_as_one_that_compiles_at_the_first_call() -> None:
    pca, cloudhsm, sts, acm = (Operations(name) for name in ("acm-pca", "cloudhsmv2", "sts", "acm"))
    for operations, name in (
        (pca, "GetPolicy"),
        (pca, "PutPolicy"),
        (cloudhsm, "DescribeClusters"),
        (sts, "GetCallerIdentity"),
        (acm, "DeleteCertificate"),
        (acm, "GetAccountConfiguration"),
    ):
        operations.operation(name)(lambda _service, params: params)
    wire = Wire()
    wire.preload(pca, cloudhsm, sts, acm)
    call = cbor_call("ACMPrivateCA", "GetPolicy", {"ResourceArn": "arn:aws:acm-pca:x:1:ca/1"})
    addressed = wire.address(call)
    assert wire.decode(addressed, call) == the_wire().decode(addressed, call)
    assert wire.encode(addressed, {"Policy": "{}"}, "i") == the_wire().encode(
        addressed, {"Policy": "{}"}, "i"
    )
