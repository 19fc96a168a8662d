"""Multi-Region keys through the front door (TRAPS 16)."""

from datetime import timedelta
from typing import Any

import pytest

from foundation.store import Scope
from kms.hsm import Asker
from tests.api.kms.support import answer, create, describe, refused
from tests.support.world import ELSEWHERE, REGION, World

THIRD = "eu-west-1"
ASKER = Asker("test", "test")


def both(world: World, **options: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Clients in two Regions and a key that is in both."""
    caller = world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    made = create(kms, MultiRegion=True, **options)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    world.run_due()
    return kms, there, made


def opens(world: World, made: dict[str, Any], sealed_in: str, opened_in: str) -> bool:
    """Whether what the key of one Region encrypts opens with the key of another."""
    keys, core = world.scheduler.keys.cache, world.scheduler.core
    one = keys.key(Scope(made["AWSAccountId"], sealed_in), made["KeyId"])
    other = keys.key(Scope(made["AWSAccountId"], opened_in), made["KeyId"])
    assert one is not None
    assert other is not None
    version = one.current.version if one.current else 0
    sealing, opening = one.material(version), other.material(version)
    assert sealing is not None
    assert opening is not None
    assert sealing.token is not None
    assert opening.token is not None
    assert sealing.token != opening.token
    blob = core.encrypt(sealing.token, one.label(version), ASKER, b"secret", {})
    return core.decrypt(opening.token, other.label(version), ASKER, blob, {}) == b"secret"


def test_trap_16_a_replica_is_creating_for_a_while_and_then_has_id_and_material(world: World) -> None:
    caller = world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    made = create(kms, MultiRegion=True)
    assert made["KeyId"].startswith("mrk-")
    assert made["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    answered = kms.replicate_key(
        KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE, Tags=[{"TagKey": "a", "TagValue": "b"}]
    )
    replica = answered["ReplicaKeyMetadata"]
    assert (replica["KeyId"], replica["KeyState"]) == (made["KeyId"], "Creating")
    assert replica["Arn"] == made["Arn"].replace(REGION, ELSEWHERE)
    assert answered["ReplicaTags"] == [{"TagKey": "a", "TagValue": "b"}]
    assert root_of(answered["ReplicaPolicy"]) == caller.account
    world.run_due()
    found = describe(there, made["KeyId"])
    assert (found["KeyState"], found["CurrentKeyMaterialId"]) == ("Enabled", made["CurrentKeyMaterialId"])
    configuration = found["MultiRegionConfiguration"]
    assert configuration["MultiRegionKeyType"] == "REPLICA"
    assert configuration["PrimaryKey"] == {"Arn": made["Arn"], "Region": REGION}
    assert configuration["ReplicaKeys"] == [{"Arn": found["Arn"], "Region": ELSEWHERE}]


def root_of(document: str) -> str:
    return document.split(":root", maxsplit=1)[0][-12:]


def test_trap_16_a_blob_opens_in_any_region_of_the_set(world: World) -> None:
    kms, _, made = both(world)
    assert opens(world, made, REGION, ELSEWHERE)
    assert opens(world, made, ELSEWHERE, REGION)
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    assert opens(world, made, REGION, ELSEWHERE)
    assert opens(world, made, ELSEWHERE, REGION)


def test_trap_16_what_is_shared_and_what_is_not(world: World) -> None:
    kms, there, made = both(world, Description="primary", Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    kms.disable_key(KeyId=made["KeyId"])
    found = describe(there, made["KeyId"])
    assert (found["Description"], found["KeyState"]) == ("", "Enabled")
    assert there.list_resource_tags(KeyId=made["KeyId"])["Tags"] == []
    with refused("NotFoundException"):
        describe(there, "alias/app")
    assert there.get_key_rotation_status(KeyId=made["KeyId"])["RotationPeriodInDays"] == 90
    shared = ("KeyId", "KeySpec", "KeyUsage", "Origin", "CurrentKeyMaterialId")
    assert [found[name] for name in shared] == [made[name] for name in shared]


def test_trap_16_rotation_is_the_primarys_to_decide_and_reaches_every_region_at_once(world: World) -> None:
    kms, there, made = both(world)
    for call in (there.enable_key_rotation, there.disable_key_rotation, there.rotate_key_on_demand):
        with refused("UnsupportedOperationException"):
            call(KeyId=made["KeyId"])
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    world.advance(timedelta(days=91))
    ids = {describe(client, made["KeyId"])["CurrentKeyMaterialId"] for client in (kms, there)}
    assert len(ids) == 1
    assert made["CurrentKeyMaterialId"] not in ids


def test_trap_16_a_replica_made_after_a_rotation_has_the_old_materials_too(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms, MultiRegion=True)
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    world.run_due()
    every = {"KeyId": made["KeyId"], "IncludeKeyMaterial": "ALL_KEY_MATERIAL"}
    listed = [
        [entry["KeyMaterialId"] for entry in client.list_key_rotations(**every)["Rotations"]]
        for client in (kms, caller.client("kms", region=ELSEWHERE))
    ]
    assert listed[0] == listed[1]
    assert len(listed[0]) == 2


def test_trap_16_one_replica_in_a_region_and_only_of_a_primary(world: World) -> None:
    kms, there, made = both(world)
    for region in (ELSEWHERE, REGION):
        with refused("AlreadyExistsException"):
            kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=region)
    with refused("UnsupportedOperationException"):
        there.replicate_key(KeyId=made["KeyId"], ReplicaRegion=THIRD)
    with refused("UnsupportedOperationException"):
        kms.replicate_key(KeyId=create(kms)["KeyId"], ReplicaRegion=THIRD)
    with refused("ValidationException"):
        kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion="xx-nowhere-1")


def test_trap_16_a_primary_waits_for_its_replicas_and_its_window_begins_after_the_last(world: World) -> None:
    kms, there, made = both(world)
    scheduled = kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    assert scheduled["KeyState"] == "PendingReplicaDeletion"
    assert "DeletionDate" not in scheduled
    found = describe(kms, made["KeyId"])
    assert (found["PendingDeletionWindowInDays"], "DeletionDate" in found) == (7, False)
    assert (
        answer(lambda: kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=THIRD))
        == "KMSInvalidStateException"
    )
    there.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    world.advance(timedelta(days=6))
    assert describe(kms, made["KeyId"])["KeyState"] == "PendingReplicaDeletion"
    world.advance(timedelta(days=1, hours=1))
    with refused("NotFoundException"):
        describe(there, made["KeyId"])
    found = describe(kms, made["KeyId"])
    assert (found["KeyState"], "DeletionDate" in found) == ("PendingDeletion", True)
    world.advance(timedelta(days=8))
    with refused("NotFoundException"):
        describe(kms, made["KeyId"])


def test_trap_16_a_primarys_deletion_is_cancelled_while_it_waits_for_replicas(world: World) -> None:
    kms, _, made = both(world)
    kms.schedule_key_deletion(KeyId=made["KeyId"])
    kms.cancel_key_deletion(KeyId=made["KeyId"])
    assert describe(kms, made["KeyId"])["KeyState"] == "Disabled"
    kms.enable_key(KeyId=made["KeyId"])
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=THIRD)


def test_trap_16_the_primarys_part_moves_by_way_of_updating(world: World) -> None:
    kms, there, made = both(world)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=ELSEWHERE)
    for client in (kms, there):
        assert describe(client, made["KeyId"])["KeyState"] == "Updating"
        with refused("KMSInvalidStateException", "is updating"):
            client.disable_key(KeyId=made["KeyId"])
    assert opens(world, made, REGION, ELSEWHERE)
    world.run_due()
    for client, part in ((kms, "REPLICA"), (there, "PRIMARY")):
        found = describe(client, made["KeyId"])
        assert (found["KeyState"], found["MultiRegionConfiguration"]["MultiRegionKeyType"]) == (
            "Enabled",
            part,
        )
    with refused("UnsupportedOperationException"):
        kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=THIRD)
    there.replicate_key(KeyId=made["KeyId"], ReplicaRegion=THIRD)
    world.advance(timedelta(days=91))
    assert [entry["RotationType"] for entry in kms.list_key_rotations(KeyId=made["KeyId"])["Rotations"]] == [
        "AUTOMATIC"
    ]


def test_the_primarys_part_moves_only_to_a_replica(world: World) -> None:
    kms, there, made = both(world)
    with refused("NotFoundException"):
        kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=THIRD)
    with refused("ValidationException"):
        kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=REGION)
    with refused("UnsupportedOperationException"):
        there.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=REGION)
    there.disable_key(KeyId=made["KeyId"])
    with refused("DisabledException"):
        kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=ELSEWHERE)


def test_a_replica_of_imported_material_waits_for_its_own_import(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms, MultiRegion=True, Origin="EXTERNAL")
    with refused("KMSInvalidStateException"):
        kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)


@pytest.mark.postgres
def test_a_set_lives_its_life_on_either_database(any_world: World) -> None:
    kms, there, made = both(any_world)
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    any_world.run_due()
    assert opens(any_world, made, ELSEWHERE, REGION)
    there.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    kms.disable_key(KeyId=made["KeyId"])
    assert describe(kms, made["KeyId"])["KeyState"] == "Disabled"
    any_world.advance(timedelta(days=8))
    with refused("NotFoundException"):
        describe(there, made["KeyId"])
