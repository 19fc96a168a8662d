"""Signature algorithms by KMS's names: which specs may use each, what they sign, and how X.509 writes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives import hashes

from kms.hsm.errors import KeyRefused
from kms.hsm.labels import MessageType
from kms.hsm.specs import SPECS, spec_named

Signing = Literal["ecdsa", "pkcs1", "pss", "ed25519", "ed25519ph", "ml-dsa"]


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One signature algorithm.

    lengths: the message types that it takes, and the exact bytes of each (None: any number).
    identifiers: the DER AlgorithmIdentifier (RFC 5758, 4055, 8410, 9881) of a signature on certificates and their like,
    by the spec of the key. A CA's key on any NIST curve signs with any digest of SHA-2, as AWS Private CA's do; KMS has
    one for each curve, which `specs` says.
    """

    family: Signing
    hash: hashes.HashAlgorithm | None
    specs: frozenset[str]
    lengths: Mapping[MessageType, int | None]
    identifiers: Mapping[str, bytes]


def _hashed(
    family: Signing,
    hash_: hashes.HashAlgorithm,
    specs: frozenset[str],
    issuing: frozenset[str],
    identifier: str,
) -> Algorithm:
    lengths: dict[MessageType, int | None] = {"RAW": None, "DIGEST": hash_.digest_size}
    return Algorithm(family, hash_, specs, lengths, dict.fromkeys(issuing, bytes.fromhex(identifier)))


def _pss(hash_: hashes.HashAlgorithm, oid: str) -> Algorithm:
    """RSASSA-PSS-params of RFC 4055 3.1: one hash, MGF1 with the same, a salt as long; the trailer is the default."""
    digest = f"300d0609{oid}0500"
    mask = f"301a06092a864886f70d010108{digest}"
    parameters = f"3034a00f{digest}a11c{mask}a2030201{hash_.digest_size:02x}"
    return _hashed("pss", hash_, _RSA, _RSA, f"304106092a864886f70d01010a{parameters}")


_RSA = frozenset(name for name, spec in SPECS.items() if spec.family == "rsa")
_ML_DSA = frozenset(name for name, spec in SPECS.items() if spec.family == "ml-dsa")
_ED25519 = frozenset({"ED25519"})
_NIST = frozenset(name for name, spec in SPECS.items() if spec.family == "ec")
# AlgorithmIdentifier: ECDSA, Ed25519 and ML-DSA without parameters, PKCS#1 v1.5 with NULL.
ALGORITHMS: Mapping[str, Algorithm] = {
    "ECDSA_SHA_256": _hashed(
        "ecdsa",
        hashes.SHA256(),
        frozenset({"EC_prime256v1", "EC_secp256k1"}),
        _NIST,
        "300a06082a8648ce3d040302",
    ),
    "ECDSA_SHA_384": _hashed(
        "ecdsa", hashes.SHA384(), frozenset({"EC_secp384r1"}), _NIST, "300a06082a8648ce3d040303"
    ),
    "ECDSA_SHA_512": _hashed(
        "ecdsa", hashes.SHA512(), frozenset({"EC_secp521r1"}), _NIST, "300a06082a8648ce3d040304"
    ),
    "RSASSA_PKCS1_V1_5_SHA_256": _hashed(
        "pkcs1", hashes.SHA256(), _RSA, _RSA, "300d06092a864886f70d01010b0500"
    ),
    "RSASSA_PKCS1_V1_5_SHA_384": _hashed(
        "pkcs1", hashes.SHA384(), _RSA, _RSA, "300d06092a864886f70d01010c0500"
    ),
    "RSASSA_PKCS1_V1_5_SHA_512": _hashed(
        "pkcs1", hashes.SHA512(), _RSA, _RSA, "300d06092a864886f70d01010d0500"
    ),
    "RSASSA_PSS_SHA_256": _pss(hashes.SHA256(), "608648016503040201"),
    "RSASSA_PSS_SHA_384": _pss(hashes.SHA384(), "608648016503040202"),
    "RSASSA_PSS_SHA_512": _pss(hashes.SHA512(), "608648016503040203"),
    "ED25519_SHA_512": Algorithm(
        "ed25519", None, _ED25519, {"RAW": None}, {"ED25519": bytes.fromhex("300506032b6570")}
    ),
    "ED25519_PH_SHA_512": Algorithm("ed25519ph", None, _ED25519, {"DIGEST": 64}, {}),
    "ML_DSA_SHAKE_256": Algorithm(
        "ml-dsa",
        None,
        _ML_DSA,
        {"RAW": None, "EXTERNAL_MU": 64},
        {
            "ML_DSA_44": bytes.fromhex("300b0609608648016503040311"),
            "ML_DSA_65": bytes.fromhex("300b0609608648016503040312"),
            "ML_DSA_87": bytes.fromhex("300b0609608648016503040313"),
        },
    ),
}


def algorithm_for(name: str, spec: str) -> Algorithm:
    """The algorithm, if a key of this spec may use it; KeyRefused otherwise."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyRefused(f"{name} is not a signature algorithm of this core")
    if spec_named(spec).name not in algorithm.specs:
        raise KeyRefused(f"a key of spec {spec} does not sign with {name}")
    return algorithm


def issuing_algorithm(name: str, spec: str) -> tuple[Algorithm, bytes]:
    """The algorithm for a signature on a certificate or its like, and its AlgorithmIdentifier. Raises KeyRefused."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyRefused(f"{name} is not a signature algorithm of this core")
    identifier = algorithm.identifiers.get(spec_named(spec).name)
    if identifier is None:
        raise KeyRefused(f"a key of spec {spec} signs no certificates and their like with {name}")
    return algorithm, identifier


def check_message(algorithm: Algorithm, message: bytes, message_type: MessageType) -> None:
    """Raises KeyRefused unless the algorithm signs messages of this type and length (TRAPS 20)."""
    if message_type not in algorithm.lengths:
        raise KeyRefused(f"this algorithm does not sign a message of type {message_type}")
    length = algorithm.lengths[message_type]
    if length is not None and len(message) != length:
        raise KeyRefused(f"a message of type {message_type} has {length} bytes here, not {len(message)}")


def algorithm_named(family: str, hash_name: str) -> str:
    """KMS's name for a family and a hash (pyca's name, such as "sha256"); KeyRefused when there is none."""
    for name, algorithm in ALGORITHMS.items():
        if algorithm.family == family and (algorithm.hash.name if algorithm.hash else "") == hash_name:
            return name
    raise KeyRefused(f"no {family} signature with {hash_name or 'no hash'} in this core")
