"""The symmetric primitives that the core's operations stand on, with the choices made once."""

import hashlib
import hmac as stdlib_hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from kms.hsm.errors import BadSeal, InvalidMac

ONCE = bytes(12)  # the IV of a key that encrypts one message in its life
MACS: Mapping[str, str] = {  # KMS's MacAlgorithmSpec to the hash's name
    "HMAC_SHA_224": "sha224", "HMAC_SHA_256": "sha256", "HMAC_SHA_384": "sha384", "HMAC_SHA_512": "sha512",
}  # fmt: skip


def gcm_encrypt(key: bytes, iv: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-GCM (SP 800-38D): the ciphertext, then its 16-byte tag."""
    return AESGCM(key).encrypt(iv, plaintext, aad)


def gcm_decrypt(key: bytes, iv: bytes, sealed: bytes, aad: bytes) -> bytes:
    """The plaintext; BadSeal when anything differs from what was encrypted."""
    try:
        return AESGCM(key).decrypt(iv, sealed, aad)
    except InvalidTag as altered:
        raise BadSeal("it does not open: altered, of another key, or bound to something else") from altered


def hkdf(secret: bytes, salt: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF with SHA-256 (RFC 5869)."""
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def expand(key: bytes, info: bytes, length: int = 32) -> bytes:
    """HKDF's second step alone, for keys that are already uniform."""
    if length <= 32:  # one block (RFC 5869 2.3): an HMAC, and the hot path
        return mac(key, info + b"\x01")[:length]
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104), 32 bytes.

    By its definition: OpenSSL 3 looks its HMAC up at each call, which costs twice as much as the two hashes.
    """
    block = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inside = hashlib.sha256(block.translate(_INNER) + data).digest()
    return hashlib.sha256(block.translate(_OUTER) + inside).digest()


_INNER, _OUTER = (bytes(octet ^ pad for octet in range(256)) for pad in (0x36, 0x5C))


def hmac(algorithm: str, key: bytes, message: bytes) -> bytes:
    """The whole HMAC (RFC 2104). algorithm: a key of MACS."""
    return stdlib_hmac.digest(key, message, MACS[algorithm])


def check_hmac(algorithm: str, key: bytes, message: bytes, tag: bytes) -> None:
    """Raises InvalidMac unless `tag` is the whole HMAC of the message, in a time that does not tell how it differs."""
    if not stdlib_hmac.compare_digest(hmac(algorithm, key, message), tag):
        raise InvalidMac("the MAC is not this key's over this message")
