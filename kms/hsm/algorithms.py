"""Signature algorithms by KMS's names: which specs may use each, and how X.509 writes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes

from kms.hsm.errors import KeyRefused
from kms.hsm.labels import ED25519, RSA_BITS


@dataclass(frozen=True, slots=True)
class Algorithm:
    """family: "ecdsa" | "pkcs1" | "ed25519". identifier: the DER AlgorithmIdentifier (RFC 5758, 4055, 8410)."""

    family: str
    hash: hashes.HashAlgorithm | None
    specs: frozenset[str]
    identifier: bytes


_RSA = frozenset(RSA_BITS)
# AlgorithmIdentifier: ECDSA and Ed25519 without parameters, PKCS#1 v1.5 with NULL.
ALGORITHMS: Mapping[str, Algorithm] = {
    "ECDSA_SHA_256": Algorithm(
        "ecdsa", hashes.SHA256(), frozenset({"EC_prime256v1"}), bytes.fromhex("300a06082a8648ce3d040302")
    ),
    "ECDSA_SHA_384": Algorithm(
        "ecdsa", hashes.SHA384(), frozenset({"EC_secp384r1"}), bytes.fromhex("300a06082a8648ce3d040303")
    ),
    "ECDSA_SHA_512": Algorithm(
        "ecdsa", hashes.SHA512(), frozenset({"EC_secp521r1"}), bytes.fromhex("300a06082a8648ce3d040304")
    ),
    "RSASSA_PKCS1_V1_5_SHA_256": Algorithm(
        "pkcs1", hashes.SHA256(), _RSA, bytes.fromhex("300d06092a864886f70d01010b0500")
    ),
    "RSASSA_PKCS1_V1_5_SHA_384": Algorithm(
        "pkcs1", hashes.SHA384(), _RSA, bytes.fromhex("300d06092a864886f70d01010c0500")
    ),
    "RSASSA_PKCS1_V1_5_SHA_512": Algorithm(
        "pkcs1", hashes.SHA512(), _RSA, bytes.fromhex("300d06092a864886f70d01010d0500")
    ),
    "ED25519_SHA_512": Algorithm("ed25519", None, frozenset({ED25519}), bytes.fromhex("300506032b6570")),
}


def algorithm_for(name: str, spec: str) -> Algorithm:
    """The algorithm, if a key of this spec may use it; KeyRefused otherwise."""
    algorithm = ALGORITHMS.get(name)
    if algorithm is None:
        raise KeyRefused(f"{name} is not a signature algorithm of this core")
    if spec not in algorithm.specs:
        raise KeyRefused(f"a key of spec {spec} does not sign with {name}")
    return algorithm


def algorithm_named(family: str, hash_name: str) -> str:
    """KMS's name for a family and a hash (pyca's name, such as "sha256"); KeyRefused when there is none."""
    for name, algorithm in ALGORITHMS.items():
        if algorithm.family == family and (algorithm.hash.name if algorithm.hash else "") == hash_name:
            return name
    raise KeyRefused(f"no {family} signature with {hash_name or 'no hash'} in this core")
