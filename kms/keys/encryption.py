"""Encrypt, Decrypt and ReEncrypt."""

from collections.abc import Mapping
from dataclasses import dataclass

from kms.hsm import Side
from kms.keys.ciphertexts import Source, material_of, name_of
from kms.keys.context import Context
from kms.keys.errors import ValidationError
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.specs import ENCRYPT_DECRYPT
from kms.keys.using import MOVING_WORDS, OPENING_WORDS, PLAIN_WORDS, Using, current, refuse_dry_run


@dataclass(frozen=True, slots=True)
class Opened:
    """A plaintext (or its CMS for a recipient), and what opened it. `material_id` is for symmetric keys only."""

    key: FoundKey
    plaintext: bytes
    material_id: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """A ciphertext under its new key. The material ids are there where the keys are symmetric."""

    source: FoundKey
    destination: FoundKey
    blob: bytes
    source_material_id: str | None
    destination_material_id: str | None


@dataclass(frozen=True, slots=True)
class Destination:
    """Under what ReEncrypt encrypts."""

    key_id: str
    algorithm: str
    context: Mapping[str, str]


class Encryption:
    """For one call."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._here = context.here
        self._using = Using(context, lookup)

    def encrypt(
        self, key_id: str, plaintext: bytes, context: Mapping[str, str], algorithm: str, *, dry_run: bool
    ) -> tuple[FoundKey, bytes]:
        """The key and the ciphertext. Raises ValidationError for a plaintext over the algorithm's limit (TRAPS 22)."""
        found = self._using.key(key_id, "Encrypt", ENCRYPT_DECRYPT, algorithm)
        _check_length(found, algorithm, plaintext)
        material = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            return found, self._using.core.encrypt(*material, asker, plaintext, context, algorithm=algorithm)

    def decrypt(self, source: Source, *, recipient: bytes = b"", dry_run: bool = False) -> Opened:
        """Raises InvalidCiphertext, IncorrectKey; all that `Using.key` raises before that."""
        found = self._using.key(name_of(source, self._here), "Decrypt", ENCRYPT_DECRYPT, source.algorithm)
        if source.blob is None:
            current(found)
            refuse_dry_run(dry_run)
            raise ValidationError("CiphertextBlob is required.")
        material, token = material_of(found, source)
        asker = self._using.asker(dry_run=dry_run)
        with OPENING_WORDS:
            plaintext = self._using.core.decrypt(
                *token, asker, source.blob, source.context, algorithm=source.algorithm, recipient=recipient
            )
        refuse_dry_run(dry_run)
        return Opened(found, plaintext, material.id if source.symmetric else None)

    def re_encrypt(self, source: Source, destination: Destination, *, dry_run: bool) -> Moved:
        """Both keys' states and usages are checked before the ciphertext is; it is opened inside the core only."""
        using = self._using
        old = using.key(name_of(source, self._here), "ReEncrypt", ENCRYPT_DECRYPT, source.algorithm)
        new = using.key(destination.key_id, "ReEncrypt", ENCRYPT_DECRYPT, destination.algorithm)
        target = Side(*current(new), destination.context, destination.algorithm)
        if source.blob is None:
            current(old)
            refuse_dry_run(dry_run)
            raise ValidationError("CiphertextBlob is required.")
        material, token = material_of(old, source)
        asker = using.asker(dry_run=dry_run)
        with MOVING_WORDS:
            origin = Side(*token, source.context, source.algorithm)
            blob = using.core.re_encrypt(origin, target, asker, source.blob)
        refuse_dry_run(dry_run)
        newest = new.current.id if new.spec.symmetric and new.current is not None else None
        return Moved(old, new, blob, material.id if source.symmetric else None, newest)


def _check_length(found: FoundKey, algorithm: str, plaintext: bytes) -> None:
    limit = found.spec.plaintext[algorithm]
    if len(plaintext) > limit:
        raise ValidationError(
            f"Algorithm {algorithm} and key spec {found.spec.name} cannot encrypt data larger than {limit} bytes."
        )
