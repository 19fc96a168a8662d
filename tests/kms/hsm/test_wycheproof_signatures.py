"""Wycheproof's signatures through the core's own verification, the one that Verify calls."""

import functools
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from kms.hsm import keypairs, signatures
from kms.hsm.algorithms import ALGORITHMS
from kms.hsm.errors import InvalidSignature
from tests.kms.hsm.wycheproof import Vector, expected, run, unhex

FILES = {
    "ecdsa_secp256r1_sha256": "ECDSA_SHA_256",
    "ecdsa_secp384r1_sha384": "ECDSA_SHA_384",
    "ecdsa_secp521r1_sha512": "ECDSA_SHA_512",
    "ecdsa_secp256k1_sha256": "ECDSA_SHA_256",
    "ed25519": "ED25519_SHA_512",
    "rsa_signature_2048_sha256": "RSASSA_PKCS1_V1_5_SHA_256",
    "rsa_signature_2048_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_2048_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
    "rsa_signature_3072_sha256": "RSASSA_PKCS1_V1_5_SHA_256",
    "rsa_signature_3072_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_3072_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
    "rsa_signature_4096_sha256": "RSASSA_PKCS1_V1_5_SHA_256",
    "rsa_signature_4096_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_4096_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
    "rsa_pss_2048_sha256_mgf1_32": "RSASSA_PSS_SHA_256",
    "rsa_pss_2048_sha384_mgf1_48": "RSASSA_PSS_SHA_384",
    "rsa_pss_3072_sha256_mgf1_32": "RSASSA_PSS_SHA_256",
    "rsa_pss_4096_sha384_mgf1_48": "RSASSA_PSS_SHA_384",
    "rsa_pss_4096_sha512_mgf1_64": "RSASSA_PSS_SHA_512",
}
ML_DSA = ["mldsa_44_verify", "mldsa_65_verify", "mldsa_87_verify"]


@functools.lru_cache(maxsize=256)
def public(der: str) -> PublicKeyTypes:
    return keypairs.read_public(bytes.fromhex(der))


@pytest.mark.parametrize("name", FILES)
def test_signatures_are_accepted_or_refused_as_the_vectors_say(name: str) -> None:
    algorithm = ALGORITHMS[FILES[name]]

    def attempt(group: Vector, vector: Vector) -> None:
        message, signature = unhex(vector, "msg", "sig")
        signatures.verify(public(group["publicKeyDer"]), algorithm, message, signature)

    run(name, attempt)


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("ed25519")])
def test_signatures_over_a_digest_are_judged_as_those_over_the_message(name: str) -> None:
    algorithm = ALGORITHMS[FILES[name]]
    assert algorithm.hash is not None
    digest = algorithm.hash.name

    def attempt(group: Vector, vector: Vector) -> None:
        message, signature = unhex(vector, "msg", "sig")
        hashed = hashlib.new(digest, message).digest()
        signatures.verify(public(group["publicKeyDer"]), algorithm, hashed, signature, "DIGEST")

    run(name, attempt)


@pytest.mark.parametrize("name", ML_DSA)
def test_ml_dsa_signatures_are_accepted_with_the_empty_context_only(name: str) -> None:
    """KMS has no parameter for a context: a signature under another one is not the key's over the message."""

    def attempt(group: Vector, vector: Vector) -> None:
        message, signature = unhex(vector, "msg", "sig")
        key = public(group["publicKeyDer"])
        signatures.verify(key, ALGORITHMS["ML_DSA_SHAKE_256"], message, signature)

    run(name, attempt, lambda vector: expected(vector) and not vector.get("ctx"))


@pytest.mark.parametrize("name", ML_DSA)
def test_ml_dsa_signatures_over_an_external_mu_are_accepted_or_refused_as_the_vectors_say(name: str) -> None:
    """The caller makes the representative, and with it the context (FIPS 204, algorithm 7, line 6)."""

    def attempt(group: Vector, vector: Vector) -> None:
        message, signature = unhex(vector, "msg", "sig")
        context = bytes.fromhex(vector.get("ctx", ""))
        key = public(group["publicKeyDer"])
        if len(context) > 255:
            raise InvalidSignature("there is no such context")
        hashed = hashlib.shake_256(bytes.fromhex(group["publicKey"])).digest(64)
        mu = hashlib.shake_256(hashed + bytes((0, len(context))) + context + message).digest(64)
        signatures.verify(key, ALGORITHMS["ML_DSA_SHAKE_256"], mu, signature, "EXTERNAL_MU")

    run(name, attempt)
