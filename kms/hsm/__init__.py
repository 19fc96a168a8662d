"""The key core: the only room that ever sees private bytes. Other rooms import what is named here."""

from kms.hsm.answers import (
    DataKey,
    DataKeyPair,
    Encapsulated,
    GeneratedKey,
    ImportedKey,
    ImportParameters,
    Side,
)
from kms.hsm.checkpoints import wish_for
from kms.hsm.ciphertext import CipherHeader, describe
from kms.hsm.client import CoreClient
from kms.hsm.errors import (
    BadImportToken,
    BadMaterial,
    BadPublicKey,
    BadSeal,
    CheckpointUnproven,
    CoreBusy,
    CoreError,
    CoreUnavailable,
    CustodyError,
    InvalidMac,
    InvalidSignature,
    KeyRefused,
    WrongUnsealSecret,
)
from kms.hsm.frames import CoreStatus
from kms.hsm.handles import signing_handle
from kms.hsm.import_token import import_note
from kms.hsm.labels import Asker, KeyLabel, Kind
from kms.hsm.locks import is_locked, window_end
from kms.hsm.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    ProofFailed,
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
)
from kms.hsm.paging import SealOverCore
from kms.hsm.specs import SPECS

__all__ = [
    "EMPTY_ROOT",
    "HASH_BYTES",
    "SPECS",
    "Asker",
    "BadImportToken",
    "BadMaterial",
    "BadPublicKey",
    "BadSeal",
    "CheckpointUnproven",
    "CipherHeader",
    "CoreBusy",
    "CoreClient",
    "CoreError",
    "CoreStatus",
    "CoreUnavailable",
    "CustodyError",
    "DataKey",
    "DataKeyPair",
    "Encapsulated",
    "GeneratedKey",
    "ImportParameters",
    "ImportedKey",
    "InvalidMac",
    "InvalidSignature",
    "KeyLabel",
    "KeyRefused",
    "Kind",
    "ProofFailed",
    "SealOverCore",
    "Side",
    "WrongUnsealSecret",
    "check_consistency",
    "check_inclusion",
    "describe",
    "import_note",
    "is_locked",
    "leaf_hash",
    "node_hash",
    "signing_handle",
    "window_end",
    "wish_for",
]
