"""Which public keys a certificate may carry."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ca import der, weak_rsa
from ca.algorithms import USUAL, AuthorityKey, SignatureAlgorithm
from ca.errors import BadKey

MAX_SPKI_BYTES = (
    4096  # an ML-DSA-87 key has 2614; an RSA-8192 key with the longest exponent allowed below 1200
)
RSA_BITS = range(2048, 8192 + 1)
RSA_EXPONENTS = range(65537, (1 << 256) + 1)  # SP 800-56B rev. 2, 6.2; the BRs' 6.1.6

_NEITHER = "the public key is neither RSA nor on a NIST curve: use RSA, P-256, P-384 or P-521"

CURVES: dict[str, str] = {  # pyca's name of the curve -> the key spec
    "secp256r1": "EC_prime256v1",
    "secp384r1": "EC_secp384r1",
    "secp521r1": "EC_secp521r1",
}

ML_DSA: Final[Mapping[type, str]] = {
    mldsa.MLDSA44PublicKey: "ML_DSA_44",
    mldsa.MLDSA65PublicKey: "ML_DSA_65",
    mldsa.MLDSA87PublicKey: "ML_DSA_87",
}

CertifiedKey = AuthorityKey | ed25519.Ed25519PublicKey

CA_KEY_SPECS: Final[Mapping[str, SignatureAlgorithm]] = USUAL
"""What keys a CA may have, and how each signs when nobody says otherwise."""


def judge_key(public_key: bytes) -> str:
    """Return the spec ("RSA_2048", "EC_prime256v1", …) of a SubjectPublicKeyInfo in DER, or raise BadKey.

    The tests are those of SECURITY 2.9: sizes, exponent, curves, and moduli that are known to be weak.
    """
    return judge_loaded_key(load_key(public_key))


@lru_cache(maxsize=256)
def load_key(public_key: bytes) -> object:
    """Parse a SubjectPublicKeyInfo (DER). Raises BadKey; a point off its curve is refused here, by OpenSSL."""
    if len(public_key) > MAX_SPKI_BYTES:
        raise BadKey(f"the public key is {len(public_key)} bytes long; {MAX_SPKI_BYTES} is the most")
    try:
        return load_der_public_key(public_key)
    except UnsupportedAlgorithm as error:
        raise BadKey(
            "the public key's algorithm or curve is not supported: use RSA, P-256, P-384 or P-521"
        ) from error
    except ValueError as error:
        exponent = der.rsa_exponent(public_key)
        if exponent is not None:
            check_exponent(exponent)  # pyca parses no even exponent; say so rather than "malformed"
        raise BadKey("the public key is malformed") from error


def judge_loaded_key(key: object) -> str:
    """Like `judge_key`, for a key that pyca has parsed already."""
    narrowed = certified(key)
    if isinstance(narrowed, rsa.RSAPublicKey):
        return _judge_rsa(narrowed)
    if isinstance(narrowed, ed25519.Ed25519PublicKey):
        return "ED25519"
    if not isinstance(narrowed, ec.EllipticCurvePublicKey):
        return next(spec for kind, spec in ML_DSA.items() if isinstance(narrowed, kind))
    if narrowed.curve.name not in CURVES:
        raise BadKey(f"the curve {narrowed.curve.name} is not supported: use P-256, P-384 or P-521")
    return CURVES[narrowed.curve.name]


def check_for_server(spec: str) -> None:
    """Raise BadKey unless servers' certificates of keystead's own profiles may be for keys of this spec.

    Ed25519 and ML-DSA keys are certified by Private CA's templates alone: browsers take neither.
    """
    if not spec.startswith(("RSA_", "EC_")):
        raise BadKey(_NEITHER)


def certified(key: object) -> CertifiedKey:
    """Narrow a public key that pyca has parsed to the families that certificates carry, or raise BadKey."""
    if isinstance(key, CertifiedKey):
        return key
    raise BadKey(_NEITHER)


@lru_cache(maxsize=1024)
def authority_key(public_key: bytes) -> AuthorityKey:
    """The public key (SPKI, DER) of a certificate authority. Raises BadKey for one that no CA can have."""
    key = certified(load_key(public_key))
    if isinstance(key, ed25519.Ed25519PublicKey):
        raise BadKey("no CA has an Ed25519 key here")
    return key


def spki(key: CertifiedKey) -> bytes:
    """The SubjectPublicKeyInfo of a key, DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _judge_rsa(key: rsa.RSAPublicKey) -> str:
    numbers = key.public_numbers()
    bits = numbers.n.bit_length()
    if bits not in RSA_BITS:
        raise BadKey(f"the RSA key has {bits} bits; it needs {RSA_BITS[0]} to {RSA_BITS[-1]}")
    if bits % 8:
        raise BadKey(f"the RSA modulus has {bits} bits, which is not a multiple of 8")
    check_exponent(numbers.e)
    weak_rsa.check_small_factors(numbers.n)
    weak_rsa.check_roca(numbers.n)
    weak_rsa.check_fermat(numbers.n)
    return f"RSA_{bits}"


def check_exponent(exponent: int) -> None:
    """Raise BadKey unless the RSA public exponent is odd and from 65537 to 2^256."""
    if exponent % 2 == 0:
        raise BadKey("the RSA public exponent is even")
    if exponent not in RSA_EXPONENTS:
        raise BadKey("the RSA public exponent is outside 65537 to 2^256: use 65537")
