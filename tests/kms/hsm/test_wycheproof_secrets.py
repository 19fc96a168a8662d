"""Wycheproof's ciphers, MACs, derivations and shared secrets, through the primitives that the operations call.

What KMS's API can express goes the whole way: the vector's key is imported, wrapped, and then used by the operation.
"""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kms.hsm import frames, keypairs, primitives, wrapping
from kms.hsm.der import IMPLICIT_0, INTEGER, OCTET_STRING, SEQUENCE, tlv
from kms.hsm.errors import BadSeal
from kms.hsm.specs import SPECS
from tests.kms.hsm import inside
from tests.kms.hsm.imports import Importer, external, succeed
from tests.kms.hsm.wycheproof import Vector, expected, run, unhex


@pytest.fixture(scope="module")
def importer() -> Importer:
    return Importer(inside.service())


def test_aes_gcm_opens_what_it_should_and_nothing_else() -> None:
    def attempt(group: Vector, vector: Vector) -> None:
        key, iv, aad, message, body, tag = unhex(vector, "key", "iv", "aad", "msg", "ct", "tag")
        if group["ivSize"] < 64 or group["ivSize"] > 1024:  # pyca takes no others, nor does the core use any
            if vector["result"] == "valid":
                return
            raise BadSeal("an IV of a size that is not supported")
        assert primitives.gcm_decrypt(key, iv, body + tag, aad) == message
        assert primitives.gcm_encrypt(key, iv, message, aad) == body + tag

    run("aes_gcm", attempt)


def test_aes_key_wrap_with_padding_unwraps_what_it_should_and_nothing_else() -> None:
    def attempt(_: Vector, vector: Vector) -> None:
        key, message, wrapped = unhex(vector, "key", "msg", "ct")
        assert wrapping.unwrap_aes(key, wrapped) == message

    run("aes_kwp", attempt)


def test_hkdf_gives_the_derived_keys_of_the_vectors() -> None:
    def attempt(_: Vector, vector: Vector) -> None:
        secret, salt, info, derived = unhex(vector, "ikm", "salt", "info", "okm")
        if vector["size"] > 255 * 32:  # RFC 5869 2.3
            with pytest.raises(ValueError, match="larger"):
                primitives.hkdf(secret, salt, info, vector["size"])
            raise BadSeal("longer than HKDF can give")
        assert primitives.hkdf(secret, salt, info, vector["size"]) == derived
        pseudorandom = primitives.mac(salt or bytes(32), secret)
        assert primitives.expand(pseudorandom, info, vector["size"]) == derived

    run("hkdf_sha256", attempt)


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_hmac_gives_the_tags_of_the_vectors(bits: int, importer: Importer) -> None:
    named, algorithm, whole = external(f"HMAC_{bits}"), f"HMAC_SHA_{bits}", 0

    def attempt(group: Vector, vector: Vector) -> None:
        nonlocal whole
        key, message, tag = unhex(vector, "key", "msg", "tag")
        if group["keySize"] == bits and group["tagSize"] == bits:
            whole += 1
            token = importer.token(named, key)
            ask = frames.VerifyMac(token, named, algorithm, message, tag)
            succeed(inside.perform(importer.keys, ask).answer)
        elif group["tagSize"] == bits:
            primitives.check_hmac(algorithm, key, message, tag)
        elif primitives.hmac(algorithm, key, message)[: group["tagSize"] // 8] != tag:
            raise BadSeal("another tag")

    run(f"hmac_sha{bits}", attempt)
    assert whole > 20


@pytest.mark.parametrize(
    ("name", "algorithm"),
    [
        ("rsa_oaep_2048_sha1_mgf1sha1", "RSAES_OAEP_SHA_1"),
        ("rsa_oaep_2048_sha256_mgf1sha256", "RSAES_OAEP_SHA_256"),
        ("rsa_oaep_3072_sha256_mgf1sha256", "RSAES_OAEP_SHA_256"),
        ("rsa_oaep_4096_sha256_mgf1sha256", "RSAES_OAEP_SHA_256"),
    ],
)
def test_rsa_decrypts_what_it_should_and_nothing_else(name: str, algorithm: str, importer: Importer) -> None:
    """KMS has no parameter for a label: a ciphertext with one does not open."""

    def attempt(group: Vector, vector: Vector) -> None:
        named = external(f"RSA_{group['keySize']}", usage="ENCRYPT_DECRYPT")
        token = importer.token(named, bytes.fromhex(group["privateKeyPkcs8"]))
        message, blob = unhex(vector, "msg", "ct")
        ask = frames.Decrypt(token, named, blob, {}, algorithm)
        assert succeed(inside.perform(importer.keys, ask).answer).first == message

    run(name, attempt, lambda vector: expected(vector) and not vector["label"])


@pytest.mark.parametrize(
    ("name", "spec"),
    [("secp256r1", "EC_prime256v1"), ("secp384r1", "EC_secp384r1"), ("secp521r1", "EC_secp521r1")],
)
def test_ecdh_derives_the_shared_secrets_of_the_vectors(name: str, spec: str, importer: Importer) -> None:
    named = external(spec, usage="KEY_AGREEMENT")

    def attempt(_: Vector, vector: Vector) -> None:
        private = ec.derive_private_key(int(vector["private"], 16), keypairs.CURVES[spec])
        token = importer.token(named, keypairs.private_der(private))
        peer, shared = unhex(vector, "public", "shared")
        ask = frames.DeriveSharedSecret(token, named, peer)
        assert succeed(inside.perform(importer.keys, ask).answer).first == shared

    run(f"ecdh_{name}", attempt)


@pytest.mark.parametrize("spec", ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"])
def test_ml_kem_decapsulates_as_the_vectors_say(spec: str, importer: Importer) -> None:
    named = external(spec)
    algorithm = keypairs.private_der(keypairs.generate(SPECS[spec], bytes))[5:18]  # AlgorithmIdentifier

    def attempt(_: Vector, vector: Vector) -> None:
        seed, blob, shared = unhex(vector, "seed", "c", "K")
        token = importer.token(named, pkcs8(algorithm, seed))
        assert importer.keys._backing.open(token, named).spki.hex().endswith(vector.get("ek", ""))
        ask = frames.Decapsulate(token, named, blob)
        assert succeed(inside.perform(importer.keys, ask).answer).first == shared

    run(spec.lower().replace("ml_kem", "mlkem"), attempt)


def pkcs8(algorithm: bytes, seed: bytes) -> bytes:
    """RFC 9935 6: the seed under [0] inside the private key."""
    return tlv(SEQUENCE, tlv(INTEGER, b"\0") + algorithm + tlv(OCTET_STRING, tlv(IMPLICIT_0, seed)))
