"""Signatures on certificates and their like, the same each time, so that a resume after a crash makes no second one.

ECDSA (RFC 6979), PKCS#1 v1.5 and Ed25519 are so by themselves. RSASSA-PSS takes its salt, and ML-DSA its `rnd`, from
chance in pyca; here the salt is derived, and ML-DSA is FIPS 204's deterministic variant: pycryptodome's, for both.
"""

import hmac

from Crypto.Hash import SHA256, SHA384, SHA512
from Crypto.PublicKey import MLDSA, RSA
from Crypto.Signature import mldsa as deterministic_mldsa
from Crypto.Signature import pss
from cryptography.hazmat.primitives.asymmetric import rsa

from kms.hsm.algorithms import Algorithm
from kms.hsm.keypairs import MlDsaKey, PrivateKey, private_der
from kms.hsm.signatures import sign as usual

_HASHES = {"sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


def sign(key: PrivateKey | None, algorithm: Algorithm, message: bytes) -> bytes:
    """The one signature of this key and algorithm over the message. Raises KeyRefused when they do not fit."""
    if isinstance(key, rsa.RSAPrivateKey) and algorithm.family == "pss":
        return _pss(key, algorithm, message)
    if isinstance(key, MlDsaKey) and algorithm.family == "ml-dsa":
        return deterministic_mldsa.new(MLDSA.import_key(private_der(key)), deterministic=True).sign(message)
    return usual(key, algorithm, message)


def _pss(key: rsa.RSAPrivateKey, algorithm: Algorithm, message: bytes) -> bytes:
    """A salt as long as the hash (RFC 8017 9.1), which HMAC makes of the message under the private exponent."""
    assert algorithm.hash is not None  # PSS has one
    hash_, numbers = _HASHES[algorithm.hash.name], key.private_numbers()
    secret = numbers.d.to_bytes(key.key_size // 8, "big")
    salt = hmac.digest(secret, b"keystead PSS salt 1" + message, algorithm.hash.name)
    parts = (numbers.public_numbers.n, numbers.public_numbers.e, numbers.d, numbers.p, numbers.q)
    signer = pss.new(
        RSA.construct(parts, consistency_check=False),  # the key's own seal vouches for it
        salt_bytes=len(salt),
        rand_func=lambda count: salt[:count],
    )
    return bytes(signer.sign(hash_.new(message)))
