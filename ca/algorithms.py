"""How a CA's key signs: the one table of signature algorithms, by the names of AWS Private CA's SigningAlgorithm."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

from ca import der
from ca.errors import BadKey

Digest = hashes.SHA256 | hashes.SHA384 | hashes.SHA512
MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
MlDsaPublicKey = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey
SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | MlDsaPrivateKey
AuthorityKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | MlDsaPublicKey


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """One way to sign. `digest` None: the algorithm has its own (ML-DSA). `pss`: RSASSA-PSS, a salt as long as the digest."""

    name: str  # the API's
    family: str  # of the keys that sign so: "EC" | "RSA" | an ML-DSA parameter set
    digest: Digest | None
    signature_oid: x509.ObjectIdentifier
    algorithm: str  # the name of that object identifier, as openssl prints it
    identifier: bytes  # the DER AlgorithmIdentifier (RFC 4055, 5758, 9881)
    pss: bool = False

    @property
    def rsa_padding(self) -> padding.PSS | None:
        """What pyca's builders want to hear beside the digest; None is PKCS#1 v1.5, and for keys that are not RSA."""
        return (
            padding.PSS(padding.MGF1(self.digest), self.digest.digest_size)
            if self.pss and self.digest
            else None
        )


def _ecdsa(digest: Digest, oid: x509.ObjectIdentifier, last: int) -> SignatureAlgorithm:
    name = digest.name.upper()
    identifier = bytes.fromhex(f"300a06082a8648ce3d0403{last:02x}")
    return SignatureAlgorithm(f"{name}WITHECDSA", "EC", digest, oid, f"ecdsa-with-{name}", identifier)


def _pkcs1(digest: Digest, oid: x509.ObjectIdentifier, last: int) -> SignatureAlgorithm:
    name = digest.name.upper()
    identifier = bytes.fromhex(f"300d06092a864886f70d0101{last:02x}0500")
    return SignatureAlgorithm(
        f"{name}WITHRSA", "RSA", digest, oid, f"{digest.name}WithRSAEncryption", identifier
    )


def _pss(digest: Digest, last: int) -> SignatureAlgorithm:
    name, hash_ = digest.name.upper(), f"300d06096086480165030402{last:02x}0500"
    parameters = f"3034a00f{hash_}a11c301a06092a864886f70d010108{hash_}a2030201{digest.digest_size:02x}"
    identifier = bytes.fromhex(f"304106092a864886f70d01010a{parameters}")
    oid = SignatureAlgorithmOID.RSASSA_PSS
    return SignatureAlgorithm(f"{name}WITHRSA_PSS", "RSA", digest, oid, "rsassaPss", identifier, pss=True)


def _ml_dsa(size: int, last: int) -> SignatureAlgorithm:
    oid, name = x509.ObjectIdentifier(f"2.16.840.1.101.3.4.3.{last}"), f"ML_DSA_{size}"
    identifier = bytes.fromhex(f"300b06096086480165030403{last:02x}")
    return SignatureAlgorithm(name, name, None, oid, f"id-ml-dsa-{size}", identifier)


ALGORITHMS: Final = MappingProxyType(
    {
        each.name: each
        for each in (
            _ecdsa(hashes.SHA256(), SignatureAlgorithmOID.ECDSA_WITH_SHA256, 2),
            _ecdsa(hashes.SHA384(), SignatureAlgorithmOID.ECDSA_WITH_SHA384, 3),
            _ecdsa(hashes.SHA512(), SignatureAlgorithmOID.ECDSA_WITH_SHA512, 4),
            _pkcs1(hashes.SHA256(), SignatureAlgorithmOID.RSA_WITH_SHA256, 11),
            _pkcs1(hashes.SHA384(), SignatureAlgorithmOID.RSA_WITH_SHA384, 12),
            _pkcs1(hashes.SHA512(), SignatureAlgorithmOID.RSA_WITH_SHA512, 13),
            _pss(hashes.SHA256(), 1),
            _pss(hashes.SHA384(), 2),
            _pss(hashes.SHA512(), 3),
            _ml_dsa(44, 17),
            _ml_dsa(65, 18),
            _ml_dsa(87, 19),
        )
    }
)
_BY_IDENTIFIER: Final = MappingProxyType({each.identifier: each for each in ALGORITHMS.values()})

# Key algorithm -> how such a key signs when nobody says otherwise: with a digest of its strength.
USUAL: Final = MappingProxyType(
    {
        "EC_prime256v1": ALGORITHMS["SHA256WITHECDSA"],
        "EC_secp384r1": ALGORITHMS["SHA384WITHECDSA"],
        "EC_secp521r1": ALGORITHMS["SHA512WITHECDSA"],
        "RSA_2048": ALGORITHMS["SHA256WITHRSA"],
        "RSA_3072": ALGORITHMS["SHA256WITHRSA"],
        "RSA_4096": ALGORITHMS["SHA256WITHRSA"],
        "ML_DSA_44": ALGORITHMS["ML_DSA_44"],
        "ML_DSA_65": ALGORITHMS["ML_DSA_65"],
        "ML_DSA_87": ALGORITHMS["ML_DSA_87"],
    }
)


def algorithm_of(tbs: bytes) -> SignatureAlgorithm:
    """The algorithm that a TBSCertificate names inside. Raises BadKey for one that no CA here signs with."""
    found = _BY_IDENTIFIER.get(der.signature_algorithm(tbs))
    if found is None:
        raise BadKey("the to-be-signed certificate names a signature algorithm that no CA has here")
    return found


def sign(key: SigningKey, message: bytes, how: SignatureAlgorithm) -> bytes:
    """Sign with a CA's key, by handle or not; the key is of `how.family`."""
    if isinstance(key, MlDsaPrivateKey):
        return key.sign(message)
    assert how.digest is not None  # all but ML-DSA have one
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, how.rsa_padding or padding.PKCS1v15(), how.digest)
    return key.sign(message, ec.ECDSA(how.digest))


def verify(key: AuthorityKey, signature: bytes, message: bytes, how: SignatureAlgorithm) -> None:
    """Raise InvalidSignature unless `sign` made the signature."""
    if isinstance(key, MlDsaPublicKey):
        key.verify(signature, message)
        return
    assert how.digest is not None  # all but ML-DSA have one
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, message, how.rsa_padding or padding.PKCS1v15(), how.digest)
    else:
        key.verify(signature, message, ec.ECDSA(how.digest))
