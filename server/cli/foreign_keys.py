"""Private keys and certificates as other tools leave them: PEM (PKCS#1, SEC 1, PKCS#8, encrypted or not), DER, PKCS#12."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    pkcs12,
)

from server.admin.protocol import CommandFailed

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.+?-----END \1-----", re.DOTALL)
_ENCRYPTED = (b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")
Passphrase = Callable[[], bytes]


@dataclass(frozen=True, repr=False)
class ForeignKey:
    """A private key (PKCS#8, DER) and its public half (SPKI, DER); PEM certificates that came with it, its own first."""

    pkcs8: bytes
    spki: bytes
    certificates: bytes = b""


def read_key(data: bytes, passphrase: Passphrase) -> ForeignKey:
    """The one private key of a PEM or DER file. `passphrase` is asked only where it is needed. Raises CommandFailed."""
    blocks = list(_BLOCK.finditer(data))
    if b"-----BEGIN" in data and len(blocks) != 1:
        raise CommandFailed(
            f"the key file holds {len(blocks)} private keys; it needs exactly one"
            + ("" if blocks else " (is it the certificate?)")
        )
    secret = None
    try:
        if blocks:
            block = blocks[0][0] + b"\n"
            secret = passphrase() if any(mark in block for mark in _ENCRYPTED) else None
            return _foreign(load_pem_private_key(block, secret))
        return _foreign(load_der_private_key(data, None))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if secret is not None:
            raise CommandFailed("the private key does not open: is the passphrase right?") from error
        raise CommandFailed(f"the key file holds no private key that can be read: {error}") from error


def read_pkcs12(data: bytes, passphrase: Passphrase) -> ForeignKey:
    """The key and the certificates of a PKCS#12 file. Raises CommandFailed."""
    try:
        found = pkcs12.load_pkcs12(data, passphrase() or None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CommandFailed("the PKCS#12 file does not open: is the passphrase right?") from error
    if found.key is None or found.cert is None:
        raise CommandFailed("the PKCS#12 file holds no private key with its certificate")
    certificates = [found.cert.certificate, *(each.certificate for each in found.additional_certs)]
    return _foreign(found.key, b"".join(each.public_bytes(Encoding.PEM) for each in certificates))


def _foreign(key: object, certificates: bytes = b"") -> ForeignKey:
    """Raises ValueError for a kind of key that cannot be written as PKCS#8 (none that signs)."""
    if not hasattr(key, "private_bytes") or not hasattr(key, "public_key"):
        raise ValueError("it is no private key that signs")
    return ForeignKey(
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        certificates,
    )


def wrap(public_key: bytes, algorithm: str, material: bytes, entropy: Callable[[int], bytes]) -> bytes:
    """The material as only the key core can open it.

    public_key: of its wrapping key, SPKI, DER. algorithm: RSAES_OAEP_SHA_256, or RSA_AES_KEY_WRAP_SHA_256, where an AES
    key goes before the material that it wraps (RFC 5649), as AWS KMS has it.
    """
    public = load_der_public_key(public_key)
    if not isinstance(public, rsa.RSAPublicKey):
        raise CommandFailed("the server gave a wrapping key that is not RSA: is it of another version?")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    if algorithm == "RSAES_OAEP_SHA_256":
        return public.encrypt(material, oaep)
    key = entropy(32)
    return public.encrypt(key, oaep) + aes_key_wrap_with_padding(key, material)
