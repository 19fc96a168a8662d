"""RSAES-OAEP (RFC 8017 7.1), with one hash for the label and for MGF1, as KMS has it."""

from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kms.hsm.errors import BadSeal, KeyRefused

OAEP: Mapping[str, hashes.HashAlgorithm] = {
    "RSAES_OAEP_SHA_1": hashes.SHA1(),  # noqa: S303 - KMS's name for it; OAEP does not rest on collision resistance
    "RSAES_OAEP_SHA_256": hashes.SHA256(),
}


def encrypt(public: rsa.RSAPublicKey, algorithm: str, plaintext: bytes) -> bytes:
    """Raises KeyRefused for a plaintext longer than the modulus allows (TRAPS 22), and for an unknown algorithm."""
    limit = public.key_size // 8 - 2 * _hash(algorithm).digest_size - 2
    if len(plaintext) > limit:
        raise KeyRefused(f"a key of {public.key_size} bits encrypts at most {limit} bytes with {algorithm}")
    return public.encrypt(plaintext, padding_of(algorithm))


def decrypt(private: rsa.RSAPrivateKey, algorithm: str, ciphertext: bytes) -> bytes:
    """The plaintext; BadSeal for anything that is not a ciphertext for this key and algorithm, without saying why."""
    padded = padding_of(algorithm)
    try:
        return private.decrypt(ciphertext, padded)
    except ValueError as wrong:
        raise BadSeal("the ciphertext does not open with this key and algorithm") from wrong


def padding_of(algorithm: str) -> padding.OAEP:
    hash_ = _hash(algorithm)
    return padding.OAEP(padding.MGF1(hash_), hash_, None)


def _hash(algorithm: str) -> hashes.HashAlgorithm:
    hash_ = OAEP.get(algorithm)
    if hash_ is None:
        raise KeyRefused(f"an RSA key does not encrypt with {algorithm}")
    return hash_
