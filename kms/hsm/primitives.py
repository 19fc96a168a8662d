"""The primitives that the core's operations stand on: pyca's, with the choices made once."""

import hmac as stdlib_hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from kms.hsm.algorithms import Algorithm
from kms.hsm.errors import BadSeal, KeyRefused

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

ONCE = bytes(12)  # the IV of a key that encrypts one message in its life


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
    return HKDFExpand(hashes.SHA256(), length, info).derive(key)


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104), 32 bytes."""
    return stdlib_hmac.digest(key, data, "sha256")


def sign(key: PrivateKey, algorithm: Algorithm, message: bytes) -> bytes:
    """A signature that is the same each time: RFC 6979 (DER), PKCS#1 v1.5 or Ed25519 (RFC 8032)."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.hash is not None:
        return key.sign(message, ec.ECDSA(algorithm.hash, deterministic_signing=True))
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.hash is not None:
        return key.sign(message, padding.PKCS1v15(), algorithm.hash)
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm.hash is None:
        return key.sign(message)
    raise KeyRefused("the key and the algorithm are of different families")


def verify(key: PublicKey, algorithm: Algorithm, message: bytes, signature: bytes) -> None:
    """Raises BadSeal unless `signature` is the key's over `message`."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.hash is not None:
            key.verify(signature, message, ec.ECDSA(algorithm.hash))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm.hash is not None:
            key.verify(signature, message, padding.PKCS1v15(), algorithm.hash)
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm.hash is None:
            key.verify(signature, message)
        else:
            raise KeyRefused("the key and the algorithm are of different families")
    except InvalidSignature as wrong:
        raise BadSeal("the signature is not this key's over this message") from wrong
