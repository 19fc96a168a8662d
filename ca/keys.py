"""Which public keys a certificate may carry, and how each kind of CA key signs."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import SignatureAlgorithmOID

from ca import der, weak_rsa
from ca.errors import BadKey

MAX_SPKI_BYTES = 4096  # an RSA-8192 key with the longest exponent allowed stays below 1200
RSA_BITS = range(2048, 8192 + 1)
RSA_EXPONENTS = range(65537, (1 << 256) + 1)  # SP 800-56B rev. 2, 6.2; the BRs' 6.1.6

CURVES: dict[str, str] = {  # pyca's name of the curve -> the key spec
    "secp256r1": "EC_prime256v1",
    "secp384r1": "EC_secp384r1",
    "secp521r1": "EC_secp521r1",
}

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
CertifiedKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


@dataclass(frozen=True, slots=True)
class CaKeySpec:
    """How a kind of CA key signs. RSA signs with PKCS#1 v1.5: like ECDSA by RFC 6979 it repeats itself on a resume."""

    family: str  # "EC" | "RSA"
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
    signature_oid: x509.ObjectIdentifier
    algorithm: str  # the name of that object identifier, as openssl prints it


CA_KEY_SPECS: dict[str, CaKeySpec] = {
    "EC_prime256v1": CaKeySpec(
        "EC", hashes.SHA256(), SignatureAlgorithmOID.ECDSA_WITH_SHA256, "ecdsa-with-SHA256"
    ),
    "EC_secp384r1": CaKeySpec(
        "EC", hashes.SHA384(), SignatureAlgorithmOID.ECDSA_WITH_SHA384, "ecdsa-with-SHA384"
    ),
    "EC_secp521r1": CaKeySpec(
        "EC", hashes.SHA512(), SignatureAlgorithmOID.ECDSA_WITH_SHA512, "ecdsa-with-SHA512"
    ),
    "RSA_2048": CaKeySpec(
        "RSA", hashes.SHA256(), SignatureAlgorithmOID.RSA_WITH_SHA256, "sha256WithRSAEncryption"
    ),
    "RSA_3072": CaKeySpec(
        "RSA", hashes.SHA256(), SignatureAlgorithmOID.RSA_WITH_SHA256, "sha256WithRSAEncryption"
    ),
    "RSA_4096": CaKeySpec(
        "RSA", hashes.SHA256(), SignatureAlgorithmOID.RSA_WITH_SHA256, "sha256WithRSAEncryption"
    ),
}


def sign(key: SigningKey, message: bytes, spec: CaKeySpec) -> bytes:
    """Sign with a CA's key, by handle or not."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), spec.digest)
    return key.sign(message, ec.ECDSA(spec.digest))


def verify(key: CertifiedKey, signature: bytes, message: bytes, spec: CaKeySpec) -> None:
    """Raise InvalidSignature unless `sign` made the signature."""
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, padding.PKCS1v15(), spec.digest)
    else:
        key.verify(signature, message, ec.ECDSA(spec.digest))


def judge_key(public_key: bytes) -> str:
    """Return the spec ("RSA_2048", "EC_prime256v1", …) of a SubjectPublicKeyInfo in DER, or raise BadKey.

    The tests are those of SECURITY 2.9: sizes, exponent, curves, and moduli that are known to be weak.
    """
    return judge_loaded_key(load_key(public_key))


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
    if narrowed.curve.name not in CURVES:
        raise BadKey(f"the curve {narrowed.curve.name} is not supported: use P-256, P-384 or P-521")
    return CURVES[narrowed.curve.name]


def certified(key: object) -> CertifiedKey:
    """Narrow a public key that pyca has parsed to the families that certificates carry, or raise BadKey."""
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        return key
    raise BadKey("the public key is neither RSA nor on a NIST curve: use RSA, P-256, P-384 or P-521")


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
