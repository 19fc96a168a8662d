"""Recipient: plaintexts that leave for an attested enclave only, and policies that ask what it is."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from tests.api.kms.support import allow, create, policy, refused, root
from tests.support.attestation import PCRS, Enclave, issue, made_now
from tests.support.core import RunningCore
from tests.support.world import Caller, World, linked

CONTEXT = {"for": "the enclave"}


@pytest.fixture(scope="module")
def enclave() -> Enclave:
    return made_now()


@pytest.fixture(scope="module")
def attested_world(
    tmp_path_factory: pytest.TempPathFactory, running_core: RunningCore, enclave: Enclave
) -> Iterator[World]:
    """A deployment whose operator has named the enclave's root."""
    folder = tmp_path_factory.mktemp("attested")
    pem: Path = folder / "root.pem"
    pem.write_bytes(enclave.root.certificate.public_bytes(Encoding.PEM))
    world = World(linked(folder / "data", running_core), running_core, {"kms.attestation_root": str(pem)})
    yield world
    world.close()


@pytest.fixture(scope="module")
def caller(attested_world: World) -> Caller:
    return attested_world.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


@pytest.fixture(scope="module")
def key(kms: Any) -> dict[str, Any]:
    return create(kms)


@pytest.fixture
def recipient(enclave: Enclave) -> dict[str, Any]:
    return {
        "KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256",
        "AttestationDocument": made_now(enclave.root).document(),
    }


def fresh(enclave: Enclave) -> tuple[Enclave, dict[str, Any]]:
    made = made_now(enclave.root)
    return made, {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": made.document()}


def test_decrypt_for_an_enclave_gives_nobody_else_the_plaintext(
    kms: Any, key: dict[str, Any], enclave: Enclave
) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"a secret", EncryptionContext=CONTEXT)["CiphertextBlob"]
    inside, recipient = fresh(enclave)
    answer = kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, Recipient=recipient)
    assert "Plaintext" not in answer
    assert "KeyMaterialId" not in answer  # TRAPS 17
    assert inside.open(answer["CiphertextForRecipient"]) == b"a secret"


def test_data_keys_and_random_bytes_for_an_enclave(kms: Any, key: dict[str, Any], enclave: Enclave) -> None:
    inside, recipient = fresh(enclave)
    made = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", Recipient=recipient)
    assert "Plaintext" not in made
    assert (
        inside.open(made["CiphertextForRecipient"])
        == kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]
    )
    pair = kms.generate_data_key_pair(KeyId=key["KeyId"], KeyPairSpec="ECC_NIST_P256", Recipient=recipient)
    assert "PrivateKeyPlaintext" not in pair
    private: Any = load_der_private_key(inside.open(pair["CiphertextForRecipient"]), None)
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == pair["PublicKey"]
    random = kms.generate_random(NumberOfBytes=48, Recipient=recipient)
    assert "Plaintext" not in random
    assert len(inside.open(random["CiphertextForRecipient"])) == 48


def test_a_shared_secret_for_an_enclave(kms: Any, enclave: Enclave) -> None:
    made = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    peer = ec.generate_private_key(ec.SECP256R1()).public_key()
    asked = {
        "KeyId": made["KeyId"], "KeyAgreementAlgorithm": "ECDH",
        "PublicKey": peer.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    }  # fmt: skip
    inside, recipient = fresh(enclave)
    answer = kms.derive_shared_secret(Recipient=recipient, **asked)
    assert "SharedSecret" not in answer
    assert inside.open(answer["CiphertextForRecipient"]) == kms.derive_shared_secret(**asked)["SharedSecret"]


REGISTERS = [
    ("ImageSha384", PCRS[0].hex(), True),
    ("PCR1", PCRS[1].hex(), True),
    ("PCR1", PCRS[2].hex(), False),
    ("PCR9", PCRS[1].hex(), False),
]


@pytest.mark.parametrize(("register", "value", "allowed"), REGISTERS)
def test_policies_ask_what_runs_in_the_enclave(
    attested_world: World,
    caller: Caller,
    kms: Any,
    enclave: Enclave,
    register: str,
    value: str,
    allowed: bool,
) -> None:
    friend = attested_world.account()
    made = create(kms)
    asked = {"StringEqualsIgnoreCase": {f"kms:RecipientAttestation:{register}": value}}
    statement = allow(root(friend), "kms:GenerateDataKey", Condition=asked)
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), statement))
    theirs: Callable[..., Any] = friend.client("kms").generate_data_key
    _, recipient = fresh(enclave)
    with refused("AccessDeniedException"):
        theirs(KeyId=made["Arn"], KeySpec="AES_256")
    if allowed:
        theirs(KeyId=made["Arn"], KeySpec="AES_256", Recipient=recipient)
    else:
        with refused("AccessDeniedException"):
            theirs(KeyId=made["Arn"], KeySpec="AES_256", Recipient=recipient)


def test_a_document_that_proves_nothing_is_refused_before_the_key_is_looked_up(
    kms: Any, recipient: dict[str, Any]
) -> None:
    other = made_now(issue("another root", at=made_now().at)).document()
    nobody = "1234abcd-12ab-34cd-56ef-1234567890ab"
    for bad, says in (
        ({**recipient, "AttestationDocument": other}, "root certificate"),
        ({**recipient, "AttestationDocument": b"no document"}, "not CBOR"),
        ({"AttestationDocument": other}, "must have"),
        ({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, "must have"),
    ):
        with refused("ValidationException", says):
            kms.generate_data_key(KeyId=nobody, KeySpec="AES_256", Recipient=bad)
    with refused("NotFoundException"):
        kms.generate_data_key(KeyId=nobody, KeySpec="AES_256", Recipient=recipient)


def test_without_a_root_nobody_is_attested(shared_world: World, recipient: dict[str, Any]) -> None:
    kms = shared_world.account().client("kms")
    with refused("ValidationException", "kms.attestation_root"):
        kms.generate_random(NumberOfBytes=1, Recipient=recipient)
