"""GenerateDataKey in its four forms, GenerateRandom, DeriveSharedSecret, Encapsulate and Decapsulate."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from kms.keys.specs import KEY_SPECS
from tests.api.kms.support import create, refused
from tests.support.world import World

CONTEXT = {"for": "a file"}
PAIRS = [
    "RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
    "ECC_NIST_EDWARDS25519", "ML_KEM_768", "ML_KEM_1024",
]  # fmt: skip


@pytest.fixture(scope="module")
def kms(shared_world: World) -> Any:
    return shared_world.account().client("kms")


@pytest.fixture(scope="module")
def key(kms: Any) -> dict[str, Any]:
    return create(kms)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({"KeySpec": "AES_256"}, 32),
        ({"KeySpec": "AES_128"}, 16),
        ({"NumberOfBytes": 1}, 1),
        ({"NumberOfBytes": 1024}, 1024),
    ],
)
def test_a_data_key_decrypts_to_itself(
    kms: Any, key: dict[str, Any], asked: dict[str, Any], size: int
) -> None:
    made = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext=CONTEXT, **asked)
    assert len(made["Plaintext"]) == size
    assert (made["KeyId"], made["KeyMaterialId"]) == (key["Arn"], key["CurrentKeyMaterialId"])
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == made["Plaintext"]
    hidden = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], EncryptionContext=CONTEXT, **asked)
    assert "Plaintext" not in hidden
    assert (
        len(kms.decrypt(CiphertextBlob=hidden["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"])
        == size
    )


@pytest.mark.parametrize("asked", [{}, {"KeySpec": "AES_256", "NumberOfBytes": 32}])
def test_trap_22_exactly_one_of_key_spec_and_number_of_bytes(
    kms: Any, key: dict[str, Any], asked: dict[str, Any]
) -> None:
    for generate in (kms.generate_data_key, kms.generate_data_key_without_plaintext):
        with refused("ValidationException", "either number of bytes or key spec"):
            generate(KeyId=key["KeyId"], **asked)


@pytest.mark.parametrize("size", [0, 1025])
def test_trap_22_a_data_key_has_1_to_1024_bytes(shared_world: World, key: dict[str, Any], size: int) -> None:
    unchecked = shared_world.account().client("kms", checked=False)
    with refused("ValidationException"):
        unchecked.generate_data_key(KeyId=key["KeyId"], NumberOfBytes=size)


def test_trap_22_a_call_carries_at_most_ten_grant_tokens(kms: Any, key: dict[str, Any]) -> None:
    with refused("ValidationException", "10"):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", GrantTokens=["token"] * 11)


def test_only_a_symmetric_key_makes_data_keys(kms: Any) -> None:
    made = create(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    with refused("InvalidKeyUsageException"):
        kms.generate_data_key(KeyId=made["KeyId"], KeySpec="AES_256")
    with refused("InvalidKeyUsageException"):
        kms.generate_data_key_pair(KeyId=made["KeyId"], KeyPairSpec="ECC_NIST_P256")


@pytest.mark.parametrize("spec", PAIRS)
def test_a_data_key_pair_is_whole_and_its_private_half_decrypts(
    kms: Any, key: dict[str, Any], spec: str
) -> None:
    made = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=spec, EncryptionContext=CONTEXT)
    private: Any = load_der_private_key(made["PrivateKeyPlaintext"], None)
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == made["PublicKey"]
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == made["PrivateKeyPlaintext"]


def test_trap_21_the_private_key_of_an_ml_kem_pair_is_a_seed(kms: Any, key: dict[str, Any]) -> None:
    lengths = {
        len(kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec=spec)["PrivateKeyPlaintext"])
        for spec in ("ML_KEM_512", "ML_KEM_768", "ML_KEM_1024")
    }
    assert len(lengths) == 1
    assert lengths.pop() < 100


def test_a_pair_without_plaintext_shows_its_public_half_only(kms: Any, key: dict[str, Any]) -> None:
    made = kms.generate_data_key_pair_without_plaintext(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256")
    assert "PrivateKeyPlaintext" not in made
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])["Plaintext"]
    private: Any = load_der_private_key(opened, None)
    assert private.public_key() == load_der_public_key(made["PublicKey"])


def test_sm2_pairs_are_clearly_unsupported(kms: Any, key: dict[str, Any]) -> None:
    with refused("UnsupportedOperationException", "SM2"):
        kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="SM2")


def test_random_bytes_are_as_many_as_asked_for(kms: Any) -> None:
    drawn = {kms.generate_random(NumberOfBytes=32)["Plaintext"] for _ in range(3)}
    assert {len(one) for one in drawn} == {32}
    assert len(drawn) == 3
    with refused("ValidationException", "number of bytes"):
        kms.generate_random()
    with refused("CustomKeyStoreNotFoundException"):
        kms.generate_random(NumberOfBytes=32, CustomKeyStoreId="cks-1234567890abcdef0")


CURVES = {"ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1()}


@pytest.mark.parametrize("spec", CURVES)
def test_a_shared_secret_is_the_peers_too(kms: Any, spec: str) -> None:
    made = create(kms, KeySpec=spec, KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(CURVES[spec])
    spki = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    derived = kms.derive_shared_secret(KeyId=made["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=spki)
    ours = load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    assert isinstance(ours, ec.EllipticCurvePublicKey)
    assert derived["SharedSecret"] == peer.exchange(ec.ECDH(), ours)
    assert (derived["KeyOrigin"], derived["KeyAgreementAlgorithm"]) == ("AWS_KMS", "ECDH")
    other = ec.generate_private_key(ec.SECP256K1()).public_key()
    for wrong in (b"no key", other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)):
        with refused("ValidationException", "public key"):
            kms.derive_shared_secret(KeyId=made["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=wrong)
    with refused("DryRunOperationException"):
        kms.derive_shared_secret(
            KeyId=made["KeyId"], KeyAgreementAlgorithm="ECDH", PublicKey=spki, DryRun=True
        )


@pytest.mark.parametrize("spec", ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"])
def test_trap_21_an_altered_encapsulation_gives_a_secret_that_nobody_has(kms: Any, spec: str) -> None:
    made = create(kms, KeySpec=spec, KeyUsage="ENCAPSULATE_DECAPSULATE")
    asked = {"KeyId": made["KeyId"], "EncapsulationAlgorithm": "ML_KEM"}
    shared = kms.encapsulate(**asked)
    secret, blob = shared["SharedSecret"], shared["SharedSecretCiphertextBlob"]
    assert (len(secret), len(blob)) == (32, KEY_SPECS[spec].ciphertext)
    assert kms.decapsulate(SharedSecretCiphertextBlob=blob, **asked)["SharedSecret"] == secret
    altered = bytes([blob[0] ^ 1]) + blob[1:]
    rejected = kms.decapsulate(SharedSecretCiphertextBlob=altered, **asked)["SharedSecret"]
    assert len(rejected) == 32
    assert rejected != secret
    assert kms.decapsulate(SharedSecretCiphertextBlob=altered, **asked)["SharedSecret"] == rejected
    for wrong in (blob[:-1], blob + b"x"):
        with refused("InvalidCiphertextException"):
            kms.decapsulate(SharedSecretCiphertextBlob=wrong, **asked)
    with refused("InvalidKeyUsageException"):
        kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x")
    for call in (kms.encapsulate, lambda **more: kms.decapsulate(SharedSecretCiphertextBlob=blob, **more)):
        with refused("DryRunOperationException"):
            call(DryRun=True, **asked)


def test_what_is_encapsulated_outside_decapsulates_here(kms: Any) -> None:
    made = create(kms, KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
    public = load_der_public_key(kms.get_public_key(KeyId=made["KeyId"])["PublicKey"])
    assert isinstance(public, mlkem.MLKEM768PublicKey)
    secret, blob = public.encapsulate()
    opened = kms.decapsulate(
        KeyId=made["KeyId"], EncapsulationAlgorithm="ML_KEM", SharedSecretCiphertextBlob=blob
    )
    assert opened["SharedSecret"] == secret
