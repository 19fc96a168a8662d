"""Key states × operations: one table says what each state allows, and which error it answers otherwise (TRAPS 13).

Source: KMS Developer Guide, "Key states of KMS keys"; botocore's `kms` model for Creating, Updating and
PendingReplicaDeletion. Operations that are not here are asked about no key, or work in every state (`ANY_STATE`).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from foundation.wire import AwsError
from kms.keys.errors import Disabled, InvalidState, UnsupportedOperation


class KeyState(StrEnum):
    """The model's KeyState."""

    ENABLED = "Enabled"
    DISABLED = "Disabled"
    PENDING_DELETION = "PendingDeletion"
    PENDING_REPLICA_DELETION = "PendingReplicaDeletion"
    PENDING_IMPORT = "PendingImport"
    CREATING = "Creating"
    UPDATING = "Updating"
    UNAVAILABLE = "Unavailable"


WORDS: Final[Mapping[KeyState, str]] = {
    KeyState.ENABLED: "is enabled",
    KeyState.DISABLED: "is disabled",
    KeyState.PENDING_DELETION: "is pending deletion",
    KeyState.PENDING_REPLICA_DELETION: "is pending replica deletion",
    KeyState.PENDING_IMPORT: "is pending import",
    KeyState.CREATING: "is creating",
    KeyState.UPDATING: "is updating",
    KeyState.UNAVAILABLE: "is unavailable",
}

REFUSALS: Final[Mapping[str, type[AwsError]]] = {
    "D": Disabled,
    "S": InvalidState,
    "U": UnsupportedOperation,
}
""" "." allows; a letter names the error."""

_CRYPTO: Final = ". D S S S S . S"
_MANAGED: Final = ". . S S . . . ."  # tags, description, alias targets
_ROTATION: Final = ". D S S U S S U"

GRID: Final[Mapping[str, str]] = {
    # columns:               E D P R I C U X  (the order of KeyState)
    "Encrypt":                             _CRYPTO,
    "Decrypt":                             _CRYPTO,
    "ReEncrypt":                           _CRYPTO,
    "GenerateDataKey":                     _CRYPTO,
    "GenerateDataKeyWithoutPlaintext":     _CRYPTO,
    "GenerateDataKeyPair":                 _CRYPTO,
    "GenerateDataKeyPairWithoutPlaintext": _CRYPTO,
    "GenerateMac":                         _CRYPTO,
    "VerifyMac":                           _CRYPTO,
    "Sign":                                _CRYPTO,
    "Verify":                              _CRYPTO,
    "DeriveSharedSecret":                  _CRYPTO,
    "Encapsulate":                         _CRYPTO,
    "Decapsulate":                         _CRYPTO,
    "GetPublicKey":                        _CRYPTO,
    "EnableKey":                ". . S S S S S S",
    "DisableKey":               ". . S S S S S S",
    "ScheduleKeyDeletion":      ". . S S . S S .",
    "CancelKeyDeletion":        "S S . . S S S S",
    "UpdateKeyDescription":                _MANAGED,
    "TagResource":                         _MANAGED,
    "UntagResource":                       _MANAGED,
    "CreateAlias":                         _MANAGED,
    "UpdateAlias":                         _MANAGED,
    "EnableKeyRotation":                   _ROTATION,
    "DisableKeyRotation":                  _ROTATION,
    "RotateKeyOnDemand":        ". D S S S S S U",
    "GetParametersForImport":   ". . S S . S S U",
    "ImportKeyMaterial":        ". . S S . S S U",
    "DeleteImportedKeyMaterial": ". . . S . S S U",
    "CreateGrant":              ". D S S S . . .",
    "ReplicateKey":             ". D S S S S S U",
    "UpdatePrimaryRegion":      ". D S S S S S U",
}  # fmt: skip

ANY_STATE: Final = frozenset({
    "DescribeKey", "GetKeyPolicy", "PutKeyPolicy", "ListKeyPolicies", "ListResourceTags", "ListAliases",
    "ListGrants", "RetireGrant", "RevokeGrant", "DeleteAlias", "GetKeyRotationStatus", "ListKeyRotations",
    "GetKeyLastUsage",
})  # fmt: skip


def _read(row: str) -> dict[KeyState, type[AwsError] | None]:
    return {state: REFUSALS.get(cell) for state, cell in zip(KeyState, row.split(), strict=True)}


TABLE: Final[Mapping[str, Mapping[KeyState, type[AwsError] | None]]] = {
    **{operation: _read(row) for operation, row in GRID.items()},
    **{operation: dict.fromkeys(KeyState) for operation in sorted(ANY_STATE)},
}
"""Operation → state → the class of the refusal, or None where the state allows it."""


def check_state(operation: str, state: KeyState, arn: str) -> None:
    """Raise the operation's refusal of a key in this state."""
    refusal = TABLE[operation][state]
    if refusal is None:
        return
    if operation == "CancelKeyDeletion":
        raise refusal(f"{arn} is not pending deletion.")
    raise refusal(f"{arn} {WORDS[state]}.")
