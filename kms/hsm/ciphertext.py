"""The symmetric ciphertext: a header that names key and material, then AES-256-GCM under a key used once.

    4b 01 | account (1+n) | region (1+n, empty for mrk- keys) | key id (1+n) | version (4) | nonce (16) | sealed

The AAD is the header and the encryption context in its canonical form, so neither can be moved or misread (TRAPS 7, 8).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.labels import KeyLabel, canonical_context, cipher_region
from kms.hsm.primitives import ONCE, expand, gcm_decrypt, gcm_encrypt

MAGIC = b"\x4b\x01"
NONCE_BYTES = 16
TAG_BYTES = 16
_TWO_PARTS = (2).to_bytes(4, "big")


@dataclass(frozen=True, slots=True)
class CipherHeader:
    """Which key and material made a ciphertext. region is "" for multi-Region keys. Unauthenticated until opened."""

    account: str
    region: str
    key_id: str
    version: int


def describe(blob: bytes) -> CipherHeader:
    """What a ciphertext says about its key, for looking it up; BadSeal when it is no ciphertext of keystead's."""
    if blob[:2] != MAGIC:
        raise BadSeal("it is not a ciphertext of this service")
    parts, at = [], 2
    for _ in range(3):
        length = blob[at] if at < len(blob) else 0
        parts.append(blob[at + 1 : at + 1 + length])
        at += 1 + length
    if len(blob) < at + 4 + NONCE_BYTES + TAG_BYTES:
        raise BadSeal("the ciphertext is cut short")
    try:
        account, region, key_id = (name.decode() for name in parts)
    except UnicodeDecodeError as garbled:
        raise BadSeal("the ciphertext's header is damaged") from garbled
    return CipherHeader(account, region, key_id, int.from_bytes(blob[at : at + 4], "big"))


def names(label: KeyLabel) -> bytes:
    """The header up to its nonce: the same for every ciphertext of one key material."""
    parts = (label.account, cipher_region(label), label.key_id)
    return b"".join((MAGIC, *map(_short, parts), label.version.to_bytes(4, "big")))


def encrypt(
    secret: bytes, named: bytes, plaintext: bytes, context: Mapping[str, str], entropy: Callable[[int], bytes]
) -> bytes:
    """named: `names` of the key's label."""
    nonce = entropy(NONCE_BYTES)
    header = named + nonce
    return header + gcm_encrypt(_once(secret, nonce), ONCE, plaintext, _aad(header, context))


def decrypt(secret: bytes, named: bytes, blob: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext; BadSeal when altered, of another key or material, or under another context."""
    start = len(named) + NONCE_BYTES
    if not blob.startswith(named) or len(blob) < start + TAG_BYTES:
        describe(blob)  # which may have more to say
        raise BadSeal("the ciphertext is of another key or material")
    header = blob[:start]
    return gcm_decrypt(_once(secret, header[-NONCE_BYTES:]), ONCE, blob[start:], _aad(header, context))


def _once(secret: bytes, nonce: bytes) -> bytes:
    return expand(secret, b"keystead message key" + nonce)


def _aad(header: bytes, context: Mapping[str, str]) -> bytes:
    """`canonical` of the header and the context."""
    pairs = canonical_context(context)
    return b"".join(
        (_TWO_PARTS, b"b", len(header).to_bytes(4, "big"), header, b"b", len(pairs).to_bytes(4, "big"), pairs)
    )


def _short(name: str) -> bytes:
    raw = name.encode()
    if len(raw) > 255:
        raise KeyRefused("the account, Region and key id of a symmetric key have at most 255 bytes each")
    return len(raw).to_bytes(1, "big") + raw
