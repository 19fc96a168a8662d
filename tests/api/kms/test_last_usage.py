"""GetKeyLastUsage, and what the trail says of keys (TRAPS 24)."""

from typing import Any

from tests.api.kms.support import answer, create, refused
from tests.support.world import ELSEWHERE, World


def usage(world: World, kms: Any, key_id: str) -> dict[str, Any]:
    world.scheduler.shipper.ship()
    found: dict[str, Any] = kms.get_key_last_usage(KeyId=key_id)
    return found


def test_trap_24_an_unused_key_has_an_empty_usage_and_two_dates(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    found = usage(world, kms, made["KeyId"])
    assert found["KeyLastUsage"] == {}
    assert found["KeyCreationDate"] == found["TrackingStartDate"] == made["CreationDate"]


def test_trap_24_only_successful_cryptographic_operations_count(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.disable_key(KeyId=made["KeyId"])
    assert answer(lambda: kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x")) == "DisabledException"
    kms.enable_key(KeyId=made["KeyId"])
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    assert (
        answer(lambda: kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x", DryRun=True))
        == "DryRunOperationException"
    )
    assert usage(world, kms, made["KeyId"])["KeyLastUsage"] == {}


def test_trap_24_the_last_use_carries_the_event_id_that_cloudtrail_has(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.encrypt(KeyId=made["KeyId"], Plaintext=b"first")
    sealed = kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x")
    assert usage(world, kms, made["Arn"])["KeyLastUsage"]["Operation"] == "Encrypt"
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])
    last = usage(world, kms, made["KeyId"])["KeyLastUsage"]
    assert last["Operation"] == "Decrypt"
    assert last["KmsRequestId"] == opened["ResponseMetadata"]["RequestId"]
    (event,) = [event for event in world.events(caller) if event["eventName"] == "Decrypt"]
    assert event["eventID"] == last["CloudTrailEventId"]
    assert event["requestID"] == last["KmsRequestId"]


def test_trap_24_reencrypt_counts_on_both_keys(world: World) -> None:
    kms = world.account().client("kms")
    source, destination = create(kms), create(kms)
    sealed = kms.encrypt(KeyId=source["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.re_encrypt(CiphertextBlob=sealed, DestinationKeyId=destination["KeyId"])
    for made in (source, destination):
        assert usage(world, kms, made["KeyId"])["KeyLastUsage"]["Operation"] == "ReEncrypt"


def test_trap_24_each_region_of_a_set_counts_for_itself(world: World) -> None:
    caller = world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    made = create(kms, MultiRegion=True)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    world.run_due()
    there.encrypt(KeyId=made["KeyId"], Plaintext=b"x")
    assert usage(world, kms, made["KeyId"])["KeyLastUsage"] == {}
    assert usage(world, there, made["KeyId"])["KeyLastUsage"]["Operation"] == "Encrypt"


def test_trap_24_it_takes_an_id_or_arn_and_no_alias(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    with refused("NotFoundException"):
        kms.get_key_last_usage(KeyId="alias/app")


def test_the_use_of_a_key_that_is_pending_deletion_is_an_alarm_in_the_trail(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    sealed = kms.encrypt(KeyId=made["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.schedule_key_deletion(KeyId=made["KeyId"])
    with refused("KMSInvalidStateException", "is pending deletion"):
        kms.decrypt(CiphertextBlob=sealed)
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "KeyUsedWhilePendingDeletion"}]
    (alarm,) = world.events(caller, LookupAttributes=by_name)
    by_key = [{"AttributeKey": "ResourceName", "AttributeValue": made["Arn"]}]
    assert alarm in world.events(caller, LookupAttributes=by_key)
    assert alarm["requestParameters"] == {
        "alarm": True, "keyId": made["Arn"], "operation": "Decrypt", "principal": caller.made.admin_arn
    }  # fmt: skip
    counted = 'keystead_alarms_total{alarm="KeyUsedWhilePendingDeletion"}'
    assert f"{counted} 1.0" in world.http("GET", "/metrics").body.decode()
    kms.cancel_key_deletion(KeyId=made["KeyId"])
    kms.enable_key(KeyId=made["KeyId"])
    kms.decrypt(CiphertextBlob=sealed)
    assert f"{counted} 1.0" in world.http("GET", "/metrics").body.decode()


def test_every_change_of_a_key_is_found_in_the_trail_by_the_keys_arn(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.disable_key(KeyId=made["KeyId"])
    kms.enable_key(KeyId=made["KeyId"])
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": made["Arn"]}]
    names = [event["eventName"] for event in world.events(caller, LookupAttributes=wanted)]
    assert names == ["RotateKey", "RotateKeyOnDemand", "CreateAlias", "EnableKey", "DisableKey", "CreateKey"]
