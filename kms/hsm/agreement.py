"""Shared secrets: ECDH (SP 800-56A) and ML-KEM (FIPS 203)."""

from Crypto.PublicKey import MLKEM
from cryptography.hazmat.primitives.asymmetric import ec, mlkem

from kms.hsm.errors import BadPublicKey, BadSeal, KeyRefused
from kms.hsm.keypairs import read_public
from kms.hsm.specs import Spec


def derive(key: object, peer: bytes) -> bytes:
    """The x coordinate of the shared point, as long as the field (SP 800-56A, 5.7.1.2; the curves' cofactor is 1).

    peer: SPKI DER. Raises BadPublicKey unless it is a point of the key's own, named curve.
    """
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyRefused("the key is not one of an elliptic curve")
    public = read_public(peer)
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != key.curve.name:
        raise BadPublicKey(f"the public key is not one of the key's curve, {key.curve.name}")
    return key.exchange(ec.ECDH(), public)


def encapsulate(key: object) -> tuple[bytes, bytes]:
    """(shared secret, its ciphertext)."""
    if isinstance(key, MLKEM.MLKEMKey):
        return key._encaps()  # noqa: SLF001 - pycryptodome offers it publicly inside HPKE only
    if isinstance(key, (mlkem.MLKEM768PrivateKey, mlkem.MLKEM1024PrivateKey)):
        return key.public_key().encapsulate()
    raise KeyRefused("the key is not an ML-KEM key")


def decapsulate(key: object, spec: Spec, ciphertext: bytes) -> bytes:
    """The shared secret; a pseudo-random one for an altered ciphertext (implicit rejection, FIPS 203 6.3).

    BadSeal when the length is not that of the spec's ciphertexts.
    """
    if len(ciphertext) != spec.size:
        raise BadSeal(f"an encapsulated secret of {spec.name} has {spec.size} bytes")
    if isinstance(key, MLKEM.MLKEMKey):
        return key._decaps(ciphertext)  # noqa: SLF001 - pycryptodome offers it publicly inside HPKE only
    if isinstance(key, (mlkem.MLKEM768PrivateKey, mlkem.MLKEM1024PrivateKey)):
        return key.decapsulate(ciphertext)
    raise KeyRefused("the key is not an ML-KEM key")
