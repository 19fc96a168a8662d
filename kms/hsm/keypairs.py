"""Key pairs: made, written as PKCS#8 and SPKI, and read again. ML-KEM-512 is pycryptodome's, the rest pyca's."""

from collections.abc import Callable, Mapping

from Crypto.PublicKey import MLKEM
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from kms.hsm.der import INTEGER, SEQUENCE, children
from kms.hsm.errors import BadMaterial, BadPublicKey, KeyRefused
from kms.hsm.specs import Spec

MlDsaKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
MlKemKey = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey | MLKEM.MLKEMKey
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | MlDsaKey | MlKemKey

CURVES: Mapping[str, ec.EllipticCurve] = {
    "EC_prime256v1": ec.SECP256R1(),
    "EC_secp384r1": ec.SECP384R1(),
    "EC_secp521r1": ec.SECP521R1(),
    "EC_secp256k1": ec.SECP256K1(),
}
_CLASSES: Mapping[str, type] = {
    "ED25519": ed25519.Ed25519PrivateKey,
    "ML_DSA_44": mldsa.MLDSA44PrivateKey,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey,
    "ML_KEM_768": mlkem.MLKEM768PrivateKey,
    "ML_KEM_1024": mlkem.MLKEM1024PrivateKey,
}
_UNREADABLE = (ValueError, TypeError, IndexError, UnsupportedAlgorithm)
_NO_PKCS8 = "the key material is not an unencrypted PKCS#8 private key in DER"
_EXPONENTS = range(65537, 2**256)  # FIPS 186-5, A.1.1


def generate(spec: Spec, entropy: Callable[[int], bytes]) -> PrivateKey:
    """A new private key. Raises KeyRefused for a spec that is no key pair's."""
    if spec.family == "rsa":
        return rsa.generate_private_key(65537, spec.size)
    if spec.name in CURVES:
        return ec.generate_private_key(CURVES[spec.name])
    if spec.name == "ML_KEM_512":
        return MLKEM.generate(param_set=MLKEM.ML_KEM_512, randfunc=entropy)
    if spec.name not in _CLASSES:
        raise KeyRefused(f"a key of spec {spec.name} is no key pair")
    made: PrivateKey = _CLASSES[spec.name].generate()  # type: ignore[attr-defined]  # each class of the table has it
    return made


def private_der(private: PrivateKey) -> bytes:
    """PKCS#8 DER; ML-DSA and ML-KEM keys as seeds (RFC 9881, RFC 9935)."""
    if isinstance(private, MLKEM.MLKEMKey):
        return _bytes(private.export_key(format="DER"))
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def spki(private: PrivateKey) -> bytes:
    """The public half as SubjectPublicKeyInfo DER."""
    if isinstance(private, MLKEM.MLKEMKey):
        return _bytes(private.public_key().export_key(format="DER"))
    return private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def read_own(der: bytes, spec: Spec) -> PrivateKey:
    """A private key that the core wrote. Its own seal vouches for it: to check an RSA key again costs milliseconds."""
    return _read(der, spec, skip_rsa_check=True)


def read_foreign(der: bytes, spec: Spec) -> PrivateKey:
    """A private key that somebody brought. Raises BadMaterial unless it is a sound PKCS#8 key of the spec."""
    _check_pkcs8(der)
    private = _read(der, spec, skip_rsa_check=False)
    if isinstance(private, rsa.RSAPrivateKey):
        exponent = private.public_key().public_numbers().e
        if exponent not in _EXPONENTS:
            raise BadMaterial("an RSA key's public exponent lies between 65537 and 2 to the 256th")
    return private


def read_public(der: bytes) -> PublicKeyTypes:
    """Somebody's public key from its SPKI. Raises BadPublicKey."""
    try:
        return load_der_public_key(der)
    except _UNREADABLE as unreadable:
        raise BadPublicKey(
            "it is not a DER-encoded SubjectPublicKeyInfo of a kind that is known here"
        ) from unreadable


def _check_pkcs8(der: bytes) -> None:
    """Raises BadMaterial for the other forms that pyca reads: SEC 1's and PKCS#1's, which name no algorithm."""
    try:
        tags = [tag for tag, _ in children(der)][:2]
    except ValueError as malformed:
        raise BadMaterial(_NO_PKCS8) from malformed
    if tags != [INTEGER, SEQUENCE]:
        raise BadMaterial(_NO_PKCS8)


def _read(der: bytes, spec: Spec, *, skip_rsa_check: bool) -> PrivateKey:
    try:
        read = (
            MLKEM.import_key(der)
            if spec.name == "ML_KEM_512"
            else load_der_private_key(der, None, unsafe_skip_rsa_key_validation=skip_rsa_check)
        )
    except _UNREADABLE as unreadable:
        raise BadMaterial(_NO_PKCS8) from unreadable
    if not isinstance(read, PrivateKey) or not _is_of(read, spec):
        raise BadMaterial(f"the key material is not a private key of spec {spec.kms or spec.name}")
    return read


def _is_of(private: PrivateKey, spec: Spec) -> bool:
    if isinstance(private, rsa.RSAPrivateKey):
        return spec.family == "rsa" and private.key_size == spec.size
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return spec.name in CURVES and private.curve.name == CURVES[spec.name].name
    if isinstance(private, MLKEM.MLKEMKey):
        return private.param_set is MLKEM.ML_KEM_512 and private.has_private() and _has_seed(private)
    return spec.name in _CLASSES and isinstance(private, _CLASSES[spec.name])


def _has_seed(private: MLKEM.MLKEMKey) -> bool:
    """Whether it came as a seed: an expanded key is not taken, as pyca takes none either."""
    try:
        return len(private.seed) > 0
    except ValueError:
        return False


def _bytes(exported: bytes | str) -> bytes:
    assert isinstance(exported, bytes)  # format="DER" gives bytes
    return exported
