"""The grid of states and operations, cell by cell (TRAPS 13)."""

from typing import Any

import pytest
from botocore.session import get_session

from kms.keys.errors import Disabled, InvalidState
from kms.keys.keys import BY_ALIAS, CROSS_ACCOUNT
from kms.keys.states import ANY_STATE, GRID, TABLE, WORDS, KeyState, check_state

MODEL: Any = get_session().get_service_model("kms")
ARN = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CELLS = [(operation, state) for operation in TABLE for state in KeyState]
CRYPTO = [
    "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateMac", "VerifyMac", "Sign", "Verify", "DeriveSharedSecret",
    "Encapsulate", "Decapsulate",
]  # fmt: skip


def errors_of(operation: str) -> set[str]:
    model: Any = MODEL.operation_model(operation)
    return {shape.name for shape in model.error_shapes}


def documentation(operation: str) -> str:
    model: Any = MODEL.operation_model(operation)
    return str(model.documentation)


def test_the_states_are_the_models() -> None:
    found: Any = MODEL.shape_for("KeyState")
    assert {str(state) for state in KeyState} == set(found.enum)
    assert set(WORDS) == set(KeyState)


def test_every_operation_about_a_key_has_its_row() -> None:
    about_keys = {
        name
        for name in MODEL.operation_names
        if {"KeyId", "TargetKeyId", "AliasName", "SourceKeyId"}
        & set(MODEL.operation_model(name).input_shape.members)
    }
    assert about_keys == set(TABLE)
    assert not set(GRID) & ANY_STATE


@pytest.mark.parametrize(("operation", "state"), CELLS)
def test_a_cell_allows_or_refuses_with_an_error_that_the_operation_has(
    operation: str, state: KeyState
) -> None:
    refusal = TABLE[operation][state]
    if refusal is None:
        check_state(operation, state, ARN)
        return
    assert refusal.code in errors_of(operation)
    with pytest.raises(refusal) as refused:
        check_state(operation, state, ARN)
    assert refused.value.message.startswith(ARN)


@pytest.mark.parametrize("operation", [*CRYPTO, "GetPublicKey"])
def test_trap_13_crypto_works_while_updating_and_says_disabled_of_a_disabled_key(operation: str) -> None:
    row = TABLE[operation]
    assert row[KeyState.ENABLED] is row[KeyState.UPDATING] is None
    assert row[KeyState.DISABLED] is Disabled
    others = set(KeyState) - {KeyState.ENABLED, KeyState.UPDATING, KeyState.DISABLED}
    assert {row[state] for state in others} == {InvalidState}


@pytest.mark.parametrize("operation", ["EnableKey", "DisableKey"])
def test_trap_13_what_is_pending_is_neither_enabled_nor_disabled(operation: str) -> None:
    for state in (KeyState.PENDING_DELETION, KeyState.PENDING_IMPORT, KeyState.UPDATING):
        assert TABLE[operation][state] is InvalidState


@pytest.mark.parametrize(
    "operation",
    ["TagResource", "UntagResource", "UpdateKeyDescription", "UpdateAlias", "ScheduleKeyDeletion"],
)
def test_trap_13_a_key_that_is_pending_deletion_is_not_changed_any_more(operation: str) -> None:
    assert TABLE[operation][KeyState.PENDING_DELETION] is InvalidState


def test_trap_15_only_what_is_pending_deletion_is_cancelled() -> None:
    allowed = {state for state, refusal in TABLE["CancelKeyDeletion"].items() if refusal is None}
    assert allowed == {KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION}


@pytest.mark.parametrize("operation", sorted(TABLE))
def test_trap_11_the_cross_account_set_is_the_models_own(operation: str) -> None:
    text = documentation(operation).split("Cross-account use")[1]
    says_yes = (
        text.split("</p>")[0].replace("<b>", "").replace("</b>", "").lstrip(": ").startswith(("Yes", "</p>"))
        or "The source KMS key and destination KMS key" in text[:120]
    )
    assert (operation in CROSS_ACCOUNT) == says_yes


@pytest.mark.parametrize("operation", sorted(TABLE))
def test_trap_19_aliases_are_taken_by_the_operations_that_say_so(operation: str) -> None:
    members: Any = MODEL.operation_model(operation).input_shape.members
    text = "".join(
        str(member.documentation) for name, member in members.items() if name in {"KeyId", "SourceKeyId"}
    )
    macs = {"GenerateMac", "VerifyMac"}  # their KeyId says nothing of aliases; AWS takes them
    assert (operation in BY_ALIAS) == ("alias ARN" in text or "alias name" in text or operation in macs)
