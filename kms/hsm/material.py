"""Backing keys: made, sealed into tokens, opened, and kept open for a while."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import ED25519, RSA_BITS, SYMMETRIC, KeyLabel, token_binding
from kms.hsm.primitives import PrivateKey

CACHE = 4096
_CURVES: dict[str, ec.EllipticCurve] = {
    "EC_prime256v1": ec.SECP256R1(),
    "EC_secp384r1": ec.SECP384R1(),
    "EC_secp521r1": ec.SECP521R1(),
}


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKey:
    """A key in the clear, of one label: either half is set. spki: the public half (DER), b"" if symmetric."""

    label: KeyLabel
    secret: bytes
    private: PrivateKey | None
    spki: bytes


class Backing:
    """Makes and opens backing keys, keeping the most recently used ones open. Not thread-safe: one per process."""

    def __init__(self, domain: DomainKeys, entropy: Callable[[int], bytes], size: int = CACHE) -> None:
        self._domain = domain
        self._entropy = entropy
        self._size = size
        self._opened: OrderedDict[bytes, OpenedKey] = OrderedDict()

    def make(self, label: KeyLabel) -> tuple[bytes, bytes]:
        """A new key of the label's spec: (token, SPKI DER or b"")."""
        if label.spec == SYMMETRIC:
            return self._seal(label, self._entropy(32)), b""
        private: PrivateKey
        if label.spec in RSA_BITS:
            private = rsa.generate_private_key(65537, RSA_BITS[label.spec])
        elif label.spec in _CURVES:
            private = ec.generate_private_key(_CURVES[label.spec])
        elif label.spec == ED25519:
            private = ed25519.Ed25519PrivateKey.generate()
        else:
            raise KeyRefused(f"{label.spec} is not a key spec of this core")
        der = private.private_bytes(
            serialization.Encoding.DER,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._seal(label, der), spki(private)

    def open(self, token: bytes, label: KeyLabel) -> OpenedKey:
        """The key of that label; BadSeal when the token is of another label, or no token of ours."""
        found = self._opened.get(token)
        if found is not None and found.label == label:
            self._opened.move_to_end(token)
            return found
        opened = self._load(label, self._raw(token, label))
        self._opened[token] = opened
        if len(self._opened) > self._size:
            self._opened.popitem(last=False)
        return opened

    def reseal(self, token: bytes, label: KeyLabel, other: KeyLabel) -> bytes:
        """The same key sealed anew, under the newest domain key, for another label."""
        return self._seal(other, self._raw(token, label))

    def _seal(self, label: KeyLabel, raw: bytes) -> bytes:
        return self._domain.seal(f"key {label.purpose}", token_binding(label), raw)

    def _raw(self, token: bytes, label: KeyLabel) -> bytes:
        return self._domain.open(f"key {label.purpose}", token_binding(label), token)

    def _load(self, label: KeyLabel, raw: bytes) -> OpenedKey:
        if label.spec == SYMMETRIC:
            return OpenedKey(label, raw, None, b"")
        # Its own seal vouches for it: checking an RSA key's primes again would cost milliseconds.
        private = serialization.load_der_private_key(raw, None, unsafe_skip_rsa_key_validation=True)
        if not isinstance(private, PrivateKey):
            raise BadSeal("the token holds a key of another kind than its spec says")
        return OpenedKey(label, b"", private, spki(private))


def spki(private: PrivateKey) -> bytes:
    """The public half as SubjectPublicKeyInfo DER."""
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
