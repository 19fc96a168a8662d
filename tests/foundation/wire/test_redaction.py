"""What trail and logs may show of parameters and results."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from foundation.wire import SERVED
from foundation.wire.redaction import HIDDEN
from tests.foundation.wire.calls import the_models, the_wire
from tests.support.model_samples import sample


def redacted(service: str, operation: str, params: dict[str, Any], *, output: bool = False) -> dict[str, Any]:
    return the_wire().redacted(service, operation, params, output=output)


def test_sensitive_members_are_hidden_and_the_rest_is_shown() -> None:
    params = {"KeyId": "k", "Plaintext": b"hush", "EncryptionContext": {"a": "b"}, "GrantTokens": ["t"]}
    assert redacted("kms", "Encrypt", params) == {**params, "Plaintext": HIDDEN}


def test_blobs_are_shown_as_their_length_and_timestamps_as_text() -> None:
    params = {"KeyId": "k", "ImportToken": b"abc", "ValidTo": datetime(2026, 1, 1, tzinfo=UTC)}
    assert redacted("kms", "ImportKeyMaterial", params) == {
        "KeyId": "k",
        "ImportToken": "3 octets",
        "ValidTo": "2026-01-01T00:00:00Z",
    }


def test_members_that_the_model_lacks_or_that_are_none_are_left_out() -> None:
    assert redacted("kms", "Encrypt", {"Password": "hush", "KeyId": None}) == {}


def test_results_are_redacted_by_the_output_shape() -> None:
    result = {"KeyId": "k", "Plaintext": b"hush", "CiphertextBlob": b"1234"}
    assert redacted("kms", "GenerateDataKey", result, output=True) == {
        "KeyId": "k",
        "Plaintext": HIDDEN,
        "CiphertextBlob": "4 octets",
    }
    assert redacted("acm", "DeleteCertificate", {"x": 1}, output=True) == {}


def test_structures_in_lists_are_redacted_member_by_member() -> None:
    result = {"SecretValues": [{"Name": "n", "SecretString": "hush"}]}
    shown = redacted("secretsmanager", "BatchGetSecretValue", result, output=True)
    assert shown == {"SecretValues": [{"Name": "n", "SecretString": HIDDEN}]}


@pytest.mark.parametrize("service", SERVED)
def test_no_sensitive_value_of_any_operation_is_shown(service: str) -> None:
    model = the_models()[service]
    for name, operation in model.operations.items():
        for shape, output in ((operation.input, False), (operation.output, True)):
            if shape:
                params = planted(sample(model, shape), shape, service)
                shown = msgspec.json.encode(redacted(service, name, params, output=output))
                assert b"hush" not in shown, name


def planted(value: Any, shape_name: str, service: str) -> Any:
    """`value` with a marker in every sensitive place."""
    model = the_models()[service]
    shape = model.shapes[shape_name]
    if shape.sensitive:
        return {"string": "hush", "blob": b"hush", "list": ["hush"], "structure": {"x": "hush"}}[shape.kind]
    if shape.kind == "structure":
        return {name: planted(member, shape.members[name], service) for name, member in value.items()}
    if shape.kind == "list":
        return [planted(element, shape.element, service) for element in value]
    if shape.kind == "map":
        return {key: planted(element, shape.value, service) for key, element in value.items()}
    return value
