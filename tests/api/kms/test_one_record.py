"""A call that uses a key and changes nothing leaves one record: what the caller asked, and what the core did."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from foundation.trail import chain
from tests.api.kms.support import create, refused
from tests.support.world import REGION, Caller, World


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


def left(world: World, act: Callable[[], Any]) -> list[tuple[str, dict[str, Any]]]:
    """The records that an act leaves in the chain, as (kind, body)."""
    before = list(chain.walk(world.core.trail))[-1].position
    act()
    return [(record.kind, json.loads(record.body)) for record in chain.walk(world.core.trail, before)]


CALLS: dict[str, Callable[[Any, dict[str, str]], Any]] = {
    "Encrypt": lambda kms, keys: kms.encrypt(KeyId=keys["aes"], Plaintext=b"x", EncryptionContext={"a": "b"}),
    "GenerateDataKey": lambda kms, keys: kms.generate_data_key(KeyId=keys["aes"], KeySpec="AES_256"),
    "GenerateDataKeyPair": lambda kms, keys: kms.generate_data_key_pair(
        KeyId=keys["aes"], KeyPairSpec="ECC_NIST_P256"
    ),
    "Sign": lambda kms, keys: kms.sign(
        KeyId=keys["rsa"], Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256"
    ),
    "GenerateMac": lambda kms, keys: kms.generate_mac(
        KeyId=keys["mac"], Message=b"x", MacAlgorithm="HMAC_SHA_256"
    ),
}


@pytest.fixture(scope="module")
def keys(kms: Any) -> dict[str, str]:
    return {
        "aes": create(kms)["KeyId"],
        "rsa": create(kms, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyId"],
        "mac": create(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"],
    }


@pytest.mark.parametrize("operation", CALLS)
def test_a_use_and_its_call_are_one_record(
    shared_world: World, caller: Caller, kms: Any, keys: dict[str, str], operation: str
) -> None:
    CALLS[operation](kms, keys)  # signing keys and the like are derived, and recorded, at first use
    [(kind, body)] = left(shared_world, lambda: CALLS[operation](kms, keys))
    assert kind == "call"
    event, [use] = body["event"], body["uses"]
    assert (event["eventName"], event["readOnly"], event["keystead"]["outcome"]) == (
        operation,
        True,
        "succeeded",
    )
    assert (use["account"], use["region"], use["request"]) == (caller.account, REGION, event["requestID"])
    assert event["resources"][0]["ARN"].endswith(use["key"])


def test_a_re_encryption_is_one_record_with_both_uses(
    shared_world: World, kms: Any, keys: dict[str, str]
) -> None:
    other = create(kms)["KeyId"]
    blob = kms.encrypt(KeyId=keys["aes"], Plaintext=b"x")["CiphertextBlob"]
    [(kind, body)] = left(shared_world, lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=other))
    assert kind == "call"
    assert [use["key"] for use in body["uses"]] == [keys["aes"], other]
    assert [one["ARN"].rpartition("/")[2] for one in body["event"]["resources"]] == [keys["aes"], other]


def test_random_bytes_use_no_key_and_are_recorded(shared_world: World, kms: Any) -> None:
    [(kind, body)] = left(shared_world, lambda: kms.generate_random(NumberOfBytes=8))
    assert (kind, body["uses"], body["event"]["eventName"]) == ("call", [], "GenerateRandom")


def test_a_failure_is_recorded_with_what_the_key_was_asked(
    shared_world: World, kms: Any, keys: dict[str, str]
) -> None:
    blob = kms.encrypt(KeyId=keys["aes"], Plaintext=b"x")["CiphertextBlob"]

    def fail() -> None:
        with refused("InvalidCiphertextException"):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext={"not": "its own"})

    [(first, use), (second, event)] = left(shared_world, fail)
    assert (first, use["outcome"]) == ("use", "BadSeal")
    assert (second, event["errorCode"], event["requestID"]) == (
        "event",
        "InvalidCiphertextException",
        use["request"],
    )


def test_a_dry_run_counts_as_no_use_of_the_key(shared_world: World, kms: Any) -> None:
    made = create(kms)
    blob = kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    with refused("DryRunOperationException"):
        kms.decrypt(CiphertextBlob=blob, DryRun=True)
    shared_world.scheduler.shipper.ship()
    assert kms.get_key_last_usage(KeyId=made["KeyId"])["KeyLastUsage"]["Operation"] == "Encrypt"


def test_trap_24_both_keys_of_a_re_encryption_were_used(
    shared_world: World, caller: Caller, kms: Any
) -> None:
    old, new = create(kms), create(kms)
    blob = kms.encrypt(KeyId=old["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new["KeyId"])
    shared_world.scheduler.shipper.ship()
    [event] = [
        one
        for one in shared_world.events(caller)
        if one["eventName"] == "ReEncrypt" and new["Arn"] in [named["ARN"] for named in one["resources"]]
    ]
    for key in (old, new):
        usage = kms.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]
        assert (usage["Operation"], usage["CloudTrailEventId"]) == ("ReEncrypt", event["eventID"])
