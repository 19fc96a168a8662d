"""The key core: the only room that ever sees private bytes. Other rooms import what is named here."""

from kms.hsm.client import CoreClient, DataKey, GeneratedKey
from kms.hsm.errors import (
    BadSeal,
    CoreBusy,
    CoreError,
    CoreUnavailable,
    CustodyError,
    KeyRefused,
    WrongUnsealSecret,
)
from kms.hsm.frames import CoreStatus
from kms.hsm.handles import signing_handle
from kms.hsm.labels import SPECS, Asker, KeyLabel
from kms.hsm.paging import SealOverCore

__all__ = [
    "SPECS",
    "Asker",
    "BadSeal",
    "CoreBusy",
    "CoreClient",
    "CoreError",
    "CoreStatus",
    "CoreUnavailable",
    "CustodyError",
    "DataKey",
    "GeneratedKey",
    "KeyLabel",
    "KeyRefused",
    "SealOverCore",
    "WrongUnsealSecret",
    "signing_handle",
]
