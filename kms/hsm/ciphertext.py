"""The symmetric ciphertext: a header that names key and material, then AES-256-GCM under a key used once.

    4b 01 | account (1+n) | region (1+n, empty for mrk- keys) | key id (1+n) | version (4) | nonce (16) | sealed

The AAD is the header and the encryption context in its canonical form, so neither can be moved or misread (TRAPS 7, 8).
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.labels import KeyLabel, canonical, canonical_context, cipher_region
from kms.hsm.primitives import ONCE, expand, gcm_decrypt, gcm_encrypt

MAGIC = b"\x4b\x01"
NONCE_BYTES = 16
TAG_BYTES = 16


@dataclass(frozen=True, slots=True)
class CipherHeader:
    """Which key and material made a ciphertext. region is "" for multi-Region keys. Unauthenticated until opened."""

    account: str
    region: str
    key_id: str
    version: int


def describe(blob: bytes) -> CipherHeader:
    """What a ciphertext says about its key, for looking it up; BadSeal when it is no ciphertext of keystead's."""
    header, _ = _split(blob)
    return header


def encrypt(
    secret: bytes,
    label: KeyLabel,
    plaintext: bytes,
    context: Mapping[str, str],
    entropy: Callable[[int], bytes],
) -> bytes:
    nonce = entropy(NONCE_BYTES)
    header = _names(label) + nonce
    return header + gcm_encrypt(_once(secret, nonce), ONCE, plaintext, _aad(header, context))


def decrypt(secret: bytes, label: KeyLabel, blob: bytes, context: Mapping[str, str]) -> bytes:
    """The plaintext; BadSeal when altered, of another key or material, or under another context."""
    named, start = _split(blob)
    if named != CipherHeader(label.account, cipher_region(label), label.key_id, label.version):
        raise BadSeal("the ciphertext is of another key or material")
    header = blob[:start]
    return gcm_decrypt(_once(secret, header[-NONCE_BYTES:]), ONCE, blob[start:], _aad(header, context))


def _once(secret: bytes, nonce: bytes) -> bytes:
    return expand(secret, b"keystead message key" + nonce)


def _aad(header: bytes, context: Mapping[str, str]) -> bytes:
    return canonical(header, canonical_context(context))


@functools.lru_cache(maxsize=4096)
def _names(label: KeyLabel) -> bytes:
    """The header up to its nonce: the same for every ciphertext of one key material."""
    names = (label.account, cipher_region(label), label.key_id)
    return b"".join((MAGIC, *map(_short, names), label.version.to_bytes(4, "big")))


def _short(name: str) -> bytes:
    raw = name.encode()
    if len(raw) > 255:
        raise KeyRefused("the account, Region and key id of a symmetric key have at most 255 bytes each")
    return len(raw).to_bytes(1, "big") + raw


def _split(blob: bytes) -> tuple[CipherHeader, int]:
    """The header and where the sealed part starts."""
    if blob[:2] != MAGIC:
        raise BadSeal("it is not a ciphertext of this service")
    names, at = [], 2
    for _ in range(3):
        length = blob[at] if at < len(blob) else 0
        names.append(blob[at + 1 : at + 1 + length])
        at += 1 + length
    start = at + 4 + NONCE_BYTES
    if len(blob) < start + TAG_BYTES:
        raise BadSeal("the ciphertext is cut short")
    try:
        account, region, key_id = (name.decode() for name in names)
    except UnicodeDecodeError as garbled:
        raise BadSeal("the ciphertext's header is damaged") from garbled
    return CipherHeader(account, region, key_id, int.from_bytes(blob[at : at + 4], "big")), start
