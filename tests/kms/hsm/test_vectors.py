"""Project Wycheproof's vectors through the core's own primitives, the ones that its operations call.

The vectors lie beside the project: `KEYSTEAD_VECTORS` names their folder, by default ../shared/vectors.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms.hsm import primitives
from kms.hsm.algorithms import ALGORITHMS
from kms.hsm.errors import BadSeal
from kms.hsm.primitives import PublicKey

FOLDER = (
    Path(os.environ.get("KEYSTEAD_VECTORS", Path(__file__).parents[4] / "shared" / "vectors")) / "wycheproof"
)

# What Wycheproof leaves to the implementation, decided once: file -> flags of "acceptable" vectors -> accepted?
# A DigestInfo whose NULL parameters are left out (RFC 8017 A.2.4 allows readers to accept it): refused, as OpenSSL does.
ACCEPTABLE: Mapping[str, bool] = {"MissingNull": False}

SIGNATURES = {
    "ecdsa_secp256r1_sha256": "ECDSA_SHA_256",
    "ecdsa_secp384r1_sha384": "ECDSA_SHA_384",
    "ecdsa_secp521r1_sha512": "ECDSA_SHA_512",
    "ed25519": "ED25519_SHA_512",
    "rsa_signature_2048_sha256": "RSASSA_PKCS1_V1_5_SHA_256",
    "rsa_signature_2048_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_2048_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
    "rsa_signature_3072_sha256": "RSASSA_PKCS1_V1_5_SHA_256",
    "rsa_signature_3072_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_3072_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
    "rsa_signature_4096_sha384": "RSASSA_PKCS1_V1_5_SHA_384",
    "rsa_signature_4096_sha512": "RSASSA_PKCS1_V1_5_SHA_512",
}


def vectors(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, vector) of one file."""
    path = FOLDER / f"{name}_test.json"
    if not path.exists():
        pytest.skip(f"no Wycheproof vectors at {path}: set KEYSTEAD_VECTORS to the folder that holds them")
    groups = json.loads(path.read_bytes())["testGroups"]
    return ((group, vector) for group in groups for vector in group["tests"])


def run(name: str, attempt: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Every valid vector passes, every invalid one raises BadSeal."""
    wrong, count = [], 0
    for group, vector in vectors(name):
        count += 1
        try:
            attempt(group, vector)
            accepted = True
        except BadSeal:
            accepted = False
        expected = {"valid": True, "invalid": False}.get(vector["result"])
        if expected is None:
            expected = all(ACCEPTABLE[flag] for flag in vector["flags"])
        if accepted != expected:
            wrong.append((vector["tcId"], vector["result"], vector["flags"], vector["comment"]))
    assert wrong == []
    assert count > 50


def unhex(vector: Mapping[str, str], *names: str) -> list[bytes]:
    return [bytes.fromhex(vector[name]) for name in names]


def test_aes_gcm_opens_what_it_should_and_nothing_else() -> None:
    def attempt(group: dict[str, Any], vector: dict[str, Any]) -> None:
        key, iv, aad, message, body, tag = unhex(vector, "key", "iv", "aad", "msg", "ct", "tag")
        if (
            group["ivSize"] < 64 or group["ivSize"] > 1024
        ):  # the library takes no others, nor does the core use any
            if vector["result"] == "valid":
                return
            raise BadSeal("an IV of a size that is not supported")
        assert primitives.gcm_decrypt(key, iv, body + tag, aad) == message
        assert primitives.gcm_encrypt(key, iv, message, aad) == body + tag

    run("aes_gcm", attempt)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_accepted_or_refused_as_the_vectors_say(name: str) -> None:
    algorithm = ALGORITHMS[SIGNATURES[name]]
    keys: dict[str, PublicKey] = {}

    def attempt(group: dict[str, Any], vector: dict[str, Any]) -> None:
        der = group["publicKeyDer"]
        if der not in keys:
            loaded = load_der_public_key(bytes.fromhex(der))
            assert isinstance(loaded, PublicKey)
            keys[der] = loaded
        message, signature = unhex(vector, "msg", "sig")
        primitives.verify(keys[der], algorithm, message, signature)

    run(name, attempt)


def test_hkdf_gives_the_derived_keys_of_the_vectors() -> None:
    def attempt(_: dict[str, Any], vector: dict[str, Any]) -> None:
        secret, salt, info, derived = unhex(vector, "ikm", "salt", "info", "okm")
        if vector["size"] > 255 * 32:  # RFC 5869 2.3
            with pytest.raises(ValueError, match="larger"):
                primitives.hkdf(secret, salt, info, vector["size"])
            raise BadSeal("longer than HKDF can give")
        assert primitives.hkdf(secret, salt, info, vector["size"]) == derived
        pseudorandom = primitives.mac(salt or bytes(32), secret)
        assert primitives.expand(pseudorandom, info, vector["size"]) == derived

    run("hkdf_sha256", attempt)


def test_hmac_gives_the_tags_of_the_vectors() -> None:
    def attempt(group: dict[str, Any], vector: dict[str, Any]) -> None:
        key, message, tag = unhex(vector, "key", "msg", "tag")
        if primitives.mac(key, message)[: group["tagSize"] // 8] != tag:
            raise BadSeal("another tag")

    run("hmac_sha256", attempt)
