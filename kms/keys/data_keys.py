"""Keys for use outside of KMS: GenerateDataKey and GenerateDataKeyPair with and without plaintext, GenerateRandom."""

from collections.abc import Mapping
from typing import Final

from kms.hsm import DataKey, DataKeyPair
from kms.keys.context import Context
from kms.keys.errors import UnsupportedOperation, ValidationError
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.specs import ENCRYPT_DECRYPT, SYMMETRIC_DEFAULT, UNSUPPORTED
from kms.keys.using import KEYLESS_WORDS, PLAIN_WORDS, Using, current, refuse_dry_run

SIZES: Final[Mapping[str, int]] = {"AES_128": 16, "AES_256": 32}
"""Octets of a data key by DataKeySpec."""


def judge_size(spec: str | None, size: int | None) -> int:
    """The octets of a data key. Raises ValidationError unless exactly one of KeySpec and NumberOfBytes says it (TRAPS 22)."""
    if (spec is None) == (size is None):
        raise ValidationError("Please specify either number of bytes or key spec.")
    return SIZES[spec] if spec is not None else size or 0


def judge_pair(spec: str) -> None:
    """Raise UnsupportedOperation for a pair that keystead does not make: SM2, which is for China Regions only."""
    if spec in UNSUPPORTED:
        raise UnsupportedOperation(f"The key pair spec {spec} is not supported in this Region.")


class DataKeys:
    """For one call. `operation` is the name of the form that is asked for; `recipient` an RSA public key, SPKI."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._using = Using(context, lookup)

    def key(
        self, key_id: str, operation: str, size: int, context: Mapping[str, str],
        *, plaintext: bool, recipient: bytes = b"", dry_run: bool,
    ) -> tuple[FoundKey, DataKey]:  # fmt: skip
        """A symmetric data key of `size` octets, 1 to 1024."""
        found = self._using.key(key_id, operation, ENCRYPT_DECRYPT, SYMMETRIC_DEFAULT)
        held = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            made = self._using.core.generate_data_key(
                *held, asker, size, context, plaintext=plaintext, recipient=recipient
            )
        return found, made

    def pair(
        self, key_id: str, operation: str, spec: str, context: Mapping[str, str],
        *, plaintext: bool, recipient: bytes = b"", dry_run: bool,
    ) -> tuple[FoundKey, DataKeyPair]:  # fmt: skip
        """A key pair: SPKI and PKCS#8 DER, the private key of ML-KEM as a seed (TRAPS 21)."""
        found = self._using.key(key_id, operation, ENCRYPT_DECRYPT, SYMMETRIC_DEFAULT)
        held = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            made = self._using.core.generate_data_key_pair(
                *held, asker, spec, context, plaintext=plaintext, recipient=recipient
            )
        return found, made

    def random(self, size: int, *, recipient: bytes = b"") -> bytes:
        """`size` random octets, 1 to 1024; no key is used."""
        asker = self._using.asker(dry_run=False)
        with KEYLESS_WORDS:
            return self._using.core.generate_random(asker, size, recipient=recipient)
