"""The AWS Encryption SDK for Python, unmodified: what it encrypts under keystead's keys it decrypts again."""

from typing import Any

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateAwsKmsDiscoveryKeyringInput,
    CreateAwsKmsKeyringInput,
    CreateAwsKmsMrkDiscoveryKeyringInput,
    CreateAwsKmsMrkKeyringInput,
    CreateMultiKeyringInput,
    CreateRawAesKeyringInput,
    DiscoveryFilter,
)
from aws_encryption_sdk import CommitmentPolicy
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError

from tests.api.kms.support import create
from tests.support.world import ELSEWHERE, Caller, World

CONTEXT = {"purpose": "test", "is it": "secret"}
DATA = b"what the SDK protects" * 500


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


@pytest.fixture(scope="module")
def sdk() -> Any:
    return aws_encryption_sdk.EncryptionSDKClient(
        commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    )


@pytest.fixture(scope="module")
def providers() -> Any:
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def keyring(providers: Any, kms: Any, key_id: str) -> Any:
    return providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_id, kms_client=kms))


def discovery(providers: Any, kms: Any, *accounts: str) -> Any:
    found = DiscoveryFilter(account_ids=list(accounts), partition="aws")
    return providers.create_aws_kms_discovery_keyring(
        CreateAwsKmsDiscoveryKeyringInput(kms_client=kms, discovery_filter=found)
    )


def encrypted(sdk: Any, ring: Any) -> bytes:
    ciphertext, _ = sdk.encrypt(source=DATA, keyring=ring, encryption_context=CONTEXT)
    return bytes(ciphertext)


def decrypted(sdk: Any, ring: Any, ciphertext: bytes) -> bytes:
    plaintext, header = sdk.decrypt(source=ciphertext, keyring=ring, encryption_context=CONTEXT)
    assert CONTEXT.items() <= header.encryption_context.items()
    return bytes(plaintext)


def test_a_kms_keyring_round_trips(sdk: Any, providers: Any, kms: Any) -> None:
    ring = keyring(providers, kms, create(kms)["Arn"])
    assert decrypted(sdk, ring, encrypted(sdk, ring)) == DATA


def test_a_discovery_keyring_finds_the_key_by_the_message(
    sdk: Any, providers: Any, caller: Caller, kms: Any
) -> None:
    message = encrypted(sdk, keyring(providers, kms, create(kms)["Arn"]))
    assert decrypted(sdk, discovery(providers, kms, caller.account), message) == DATA
    with pytest.raises(AWSEncryptionSDKClientError):
        decrypted(sdk, discovery(providers, kms, "999999999999"), message)


def test_each_keyring_of_a_multi_keyring_opens_the_message(sdk: Any, providers: Any, kms: Any) -> None:
    first, second = (keyring(providers, kms, create(kms)["Arn"]) for _ in range(2))
    local = providers.create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace="tests", key_name="local", wrapping_key=bytes(32),
            wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16,
        )
    )  # fmt: skip
    both = providers.create_multi_keyring(
        CreateMultiKeyringInput(generator=first, child_keyrings=[second, local])
    )
    message = encrypted(sdk, both)
    for ring in (first, second, local, both):
        assert decrypted(sdk, ring, message) == DATA


def test_a_multi_region_key_opens_in_the_other_region(
    sdk: Any, providers: Any, shared_world: World, caller: Caller, kms: Any
) -> None:
    made = create(kms, MultiRegion=True)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    shared_world.run_due()
    elsewhere = caller.client("kms", region=ELSEWHERE)
    there = made["Arn"].replace(f":{kms.meta.region_name}:", f":{ELSEWHERE}:")
    here_ring = providers.create_aws_kms_mrk_keyring(
        CreateAwsKmsMrkKeyringInput(kms_key_id=made["Arn"], kms_client=kms)
    )
    there_ring = providers.create_aws_kms_mrk_keyring(
        CreateAwsKmsMrkKeyringInput(kms_key_id=there, kms_client=elsewhere)
    )
    found = providers.create_aws_kms_mrk_discovery_keyring(
        CreateAwsKmsMrkDiscoveryKeyringInput(
            kms_client=elsewhere, region=ELSEWHERE,
            discovery_filter=DiscoveryFilter(account_ids=[caller.account], partition="aws"),
        )
    )  # fmt: skip
    message = encrypted(sdk, here_ring)
    for ring in (here_ring, there_ring, found):
        assert decrypted(sdk, ring, message) == DATA


def test_a_message_under_a_disabled_key_stays_shut(sdk: Any, providers: Any, kms: Any) -> None:
    made = create(kms)
    ring = keyring(providers, kms, made["Arn"])
    message = encrypted(sdk, ring)
    kms.disable_key(KeyId=made["KeyId"])
    with pytest.raises(AWSEncryptionSDKClientError):
        decrypted(sdk, ring, message)
