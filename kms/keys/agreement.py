"""Shared secrets: DeriveSharedSecret (ECDH), Encapsulate and Decapsulate (ML-KEM, TRAPS 21)."""

from kms.hsm import Encapsulated
from kms.keys.context import Context
from kms.keys.errors import InvalidCiphertext
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.specs import ENCAPSULATE_DECAPSULATE, KEY_AGREEMENT
from kms.keys.using import NOT_VALID, OPENING_WORDS, PLAIN_WORDS, Using, current, refuse_dry_run


class Agreement:
    """For one call."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._using = Using(context, lookup)

    def derive(
        self, key_id: str, algorithm: str, public_key: bytes, *, recipient: bytes = b"", dry_run: bool
    ) -> tuple[FoundKey, bytes]:
        """The key and the raw secret. Raises ValidationError unless the peer's key is a point of the key's curve."""
        found = self._using.key(key_id, "DeriveSharedSecret", KEY_AGREEMENT, algorithm)
        held = current(found)
        asker = self._using.asker(dry_run=dry_run)
        with PLAIN_WORDS:
            secret = self._using.core.derive_shared_secret(*held, asker, public_key, recipient=recipient)
        refuse_dry_run(dry_run)
        return found, secret

    def encapsulate(self, key_id: str, algorithm: str, *, dry_run: bool) -> tuple[FoundKey, Encapsulated]:
        """The key, a new secret of 32 octets, and its encapsulated form."""
        found = self._using.key(key_id, "Encapsulate", ENCAPSULATE_DECAPSULATE, algorithm)
        held = current(found)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with PLAIN_WORDS:
            return found, self._using.core.encapsulate(*held, asker)

    def decapsulate(
        self, key_id: str, algorithm: str, ciphertext: bytes, *, dry_run: bool
    ) -> tuple[FoundKey, bytes]:
        """The key and the secret, which is pseudo-random for a ciphertext that was altered: only its length can be wrong."""
        found = self._using.key(key_id, "Decapsulate", ENCAPSULATE_DECAPSULATE, algorithm)
        held = current(found)
        if len(ciphertext) != found.spec.ciphertext:
            raise InvalidCiphertext(NOT_VALID)
        refuse_dry_run(dry_run)
        asker = self._using.asker(dry_run=False)
        with OPENING_WORDS:
            return found, self._using.core.decapsulate(*held, asker, ciphertext)
