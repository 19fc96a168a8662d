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
    identifier: the DER AlgorithmIdentifier (RFC 5758, 4055, 8410) where certificates may be signed with it, else b"".
    """

    family: Signing
    hash: hashes.HashAlgorithm | None
    specs: frozenset[str]
    lengths: Mapping[MessageType, int | None]
    identifier: bytes = b""


def _hashed(family: Signing, hash_: hashes.HashAlgorithm, specs: frozenset[str], oid: str = "") -> Algorithm:
    lengths: dict[MessageType, int | None] = {"RAW": None, "DIGEST": hash_.digest_size}
    return Algorithm(family, hash_, specs, lengths, bytes.fromhex(oid))


_RSA = frozenset(name for name, spec in SPECS.items() if spec.family == "rsa")
_ML_DSA = frozenset(name for name, spec in SPECS.items() if spec.family == "ml-dsa")
_ED25519 = frozenset({"ED25519"})
# AlgorithmIdentifier: ECDSA and Ed25519 without parameters, PKCS#1 v1.5 with NULL.
ALGORITHMS: Mapping[str, Algorithm] = {
    "ECDSA_SHA_256": _hashed(
        "ecdsa", hashes.SHA256(), frozenset({"EC_prime256v1", "EC_secp256k1"}), "300a06082a8648ce3d040302"
    ),
    "ECDSA_SHA_384": _hashed(
        "ecdsa", hashes.SHA384(), frozenset({"EC_secp384r1"}), "300a06082a8648ce3d040303"
    ),
    "ECDSA_SHA_512": _hashed(
        "ecdsa", hashes.SHA512(), frozenset({"EC_secp521r1"}), "300a06082a8648ce3d040304"
    ),
    "RSASSA_PKCS1_V1_5_SHA_256": _hashed("pkcs1", hashes.SHA256(), _RSA, "300d06092a864886f70d01010b0500"),
    "RSASSA_PKCS1_V1_5_SHA_384": _hashed("pkcs1", hashes.SHA384(), _RSA, "300d06092a864886f70d01010c0500"),
    "RSASSA_PKCS1_V1_5_SHA_512": _hashed("pkcs1", hashes.SHA512(), _RSA, "300d06092a864886f70d01010d0500"),
    "RSASSA_PSS_SHA_256": _hashed("pss", hashes.SHA256(), _RSA),
    "RSASSA_PSS_SHA_384": _hashed("pss", hashes.SHA384(), _RSA),
    "RSASSA_PSS_SHA_512": _hashed("pss", hashes.SHA512(), _RSA),
    "ED25519_SHA_512": Algorithm("ed25519", None, _ED25519, {"RAW": None}, bytes.fromhex("300506032b6570")),
    "ED25519_PH_SHA_512": Algorithm("ed25519ph", None, _ED25519, {"DIGEST": 64}),
    "ML_DSA_SHAKE_256": Algorithm("ml-dsa", None, _ML_DSA, {"RAW": None, "EXTERNAL_MU": 64}),
}


def algorithm_for(name: str, spec: str) -> Algorithm:
    """The algorithm, if a key of this spec may use it; KeyRefused otherwise."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyRefused(f"{name} is not a signature algorithm of this core")
    if spec_named(spec).name not in algorithm.specs:
        raise KeyRefused(f"a key of spec {spec} does not sign with {name}")
    return algorithm


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
