"""Signing and verifying by KMS's algorithms and message types: one function for each direction."""

from Crypto.Hash import SHA512
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature as Mismatch
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from kms.hsm.algorithms import Algorithm
from kms.hsm.errors import InvalidSignature, KeyRefused
from kms.hsm.keypairs import MlDsaKey
from kms.hsm.labels import MessageType

MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey


def sign(key: object, algorithm: Algorithm, message: bytes, message_type: MessageType = "RAW") -> bytes:
    """A signature: ECDSA (DER, RFC 6979), PKCS#1 v1.5 and Ed25519 (RFC 8032) are the same each time.

    RSASSA-PSS has a salt as long as its hash. ML-DSA (FIPS 204) is hedged, with an empty context.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey) and algorithm.family == "ecdsa":
        return key.sign(message, _ecdsa(algorithm, message_type))
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.family in {"pkcs1", "pss"}:
        return key.sign(message, _padding(algorithm), _hash(algorithm, message_type))
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm.family == "ed25519":
        return key.sign(message)
    if isinstance(key, ed25519.Ed25519PrivateKey) and algorithm.family == "ed25519ph":
        prehash = eddsa.new(eddsa.import_private_key(key.private_bytes_raw()), "rfc8032")
        return prehash.sign(SHA512.new(message))
    if isinstance(key, MlDsaKey) and algorithm.family == "ml-dsa":
        return key.sign_mu(message) if message_type == "EXTERNAL_MU" else key.sign(message)
    raise KeyRefused("the key and the algorithm are of different families")


def verify(
    key: object, algorithm: Algorithm, message: bytes, signature: bytes, message_type: MessageType = "RAW"
) -> None:
    """Raises InvalidSignature unless `signature` is that of the public `key` over `message`."""
    try:
        if isinstance(key, ec.EllipticCurvePublicKey) and algorithm.family == "ecdsa":
            key.verify(signature, message, ec.ECDSA(_hash(algorithm, message_type)))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm.family in {"pkcs1", "pss"}:
            key.verify(signature, message, _padding(algorithm), _hash(algorithm, message_type))
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm.family == "ed25519":
            key.verify(signature, message)
        elif isinstance(key, ed25519.Ed25519PublicKey) and algorithm.family == "ed25519ph":
            prehash = eddsa.new(eddsa.import_public_key(key.public_bytes_raw()), "rfc8032")
            prehash.verify(SHA512.new(message), signature)
        elif isinstance(key, MlDsaPublicKey) and algorithm.family == "ml-dsa":
            if message_type == "EXTERNAL_MU":
                key.verify_mu(signature, message)
            else:
                key.verify(signature, message)
        else:
            raise KeyRefused("the key and the algorithm are of different families")
    except (Mismatch, ValueError) as wrong:  # ValueError is pycryptodome's word for it
        raise InvalidSignature("the signature is not this key's over this message") from wrong


def _ecdsa(algorithm: Algorithm, message_type: MessageType) -> ec.ECDSA:
    """Made once for each hash: pyca asks the library each time whether it can."""
    assert algorithm.hash is not None
    key = (algorithm.hash.name, message_type)
    if key not in _ECDSA:
        _ECDSA[key] = ec.ECDSA(_hash(algorithm, message_type), deterministic_signing=True)
    return _ECDSA[key]


_ECDSA: dict[tuple[str, MessageType], ec.ECDSA] = {}


def _hash(algorithm: Algorithm, message_type: MessageType) -> hashes.HashAlgorithm | Prehashed:
    assert algorithm.hash is not None  # the families that come here have one
    return Prehashed(algorithm.hash) if message_type == "DIGEST" else algorithm.hash


def _padding(algorithm: Algorithm) -> padding.AsymmetricPadding:
    if algorithm.family == "pkcs1":
        return padding.PKCS1v15()
    assert algorithm.hash is not None
    return padding.PSS(padding.MGF1(algorithm.hash), algorithm.hash.digest_size)
