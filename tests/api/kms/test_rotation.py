"""Rotation through the front door (TRAPS 17)."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.kms.support import answer, create, describe, refused
from tests.support.world import World

YEAR = timedelta(days=365)


def rotations(kms: Any, key_id: str, **options: Any) -> list[dict[str, Any]]:
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key_id, **options)
    return [entry for page in pages for entry in page["Rotations"]]


def kinds(kms: Any, key_id: str) -> list[str]:
    return [entry["RotationType"] for entry in rotations(kms, key_id)]


def test_trap_17_automatic_rotation_is_yearly_unless_said_and_keeps_the_key(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=made["KeyId"])
    status = kms.get_key_rotation_status(KeyId=made["KeyId"])
    assert (status["KeyId"], status["RotationPeriodInDays"]) == (made["Arn"], 365)
    assert abs(status["NextRotationDate"] - made["CreationDate"] - YEAR) < timedelta(minutes=1)
    world.advance(timedelta(days=366))
    found = describe(kms, made["KeyId"])
    assert (found["Arn"], found["KeyState"]) == (made["Arn"], "Enabled")
    assert found["CurrentKeyMaterialId"] != made["CurrentKeyMaterialId"]
    (entry,) = rotations(kms, made["KeyId"])
    assert (entry["KeyId"], entry["KeyMaterialState"]) == (made["Arn"], "CURRENT")
    assert (entry["RotationType"], entry["KeyMaterialId"]) == ("AUTOMATIC", found["CurrentKeyMaterialId"])
    after = kms.get_key_rotation_status(KeyId=made["KeyId"])["NextRotationDate"]
    assert abs(after - status["NextRotationDate"] - YEAR) < timedelta(minutes=1)


def test_trap_17_the_first_material_is_listed_only_when_all_are_asked_for(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    every = rotations(
        kms, made["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL", PaginationConfig={"PageSize": 1}
    )
    assert [entry["KeyMaterialState"] for entry in every] == ["NON_CURRENT", "CURRENT"]
    assert every[0]["KeyMaterialId"] == made["CurrentKeyMaterialId"]
    assert not {"RotationDate", "RotationType"} & set(every[0])
    assert rotations(kms, made["KeyId"]) == every[1:]


def test_trap_17_on_demand_is_begun_at_once_and_leaves_the_schedule_alone(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    before = kms.get_key_rotation_status(KeyId=made["KeyId"])
    world.advance(timedelta(days=10))
    assert kms.rotate_key_on_demand(KeyId=made["KeyId"])["KeyId"] == made["Arn"]
    during = kms.get_key_rotation_status(KeyId=made["KeyId"])
    assert during["OnDemandRotationStartDate"] > before["NextRotationDate"] - timedelta(days=81)
    with refused("ConflictException"):
        kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.run_due()
    after = kms.get_key_rotation_status(KeyId=made["KeyId"])
    assert "OnDemandRotationStartDate" not in after
    assert after["NextRotationDate"] == before["NextRotationDate"]
    world.advance(timedelta(days=81))
    assert kinds(kms, made["KeyId"]) == ["ON_DEMAND", "AUTOMATIC"]


def test_trap_17_on_demand_waits_twenty_minutes_after_an_automatic_one(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    world.advance(timedelta(days=90, seconds=30))
    assert kinds(kms, made["KeyId"]) == ["AUTOMATIC"]
    with refused("ConflictException", "20 minutes"):
        kms.rotate_key_on_demand(KeyId=made["KeyId"])
    world.advance(timedelta(minutes=20))
    kms.rotate_key_on_demand(KeyId=made["KeyId"])


def test_trap_17_a_key_is_rotated_on_demand_25_times(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    for _ in range(25):
        kms.rotate_key_on_demand(KeyId=made["KeyId"])
        world.run_due()
    with refused("LimitExceededException", "25"):
        kms.rotate_key_on_demand(KeyId=made["KeyId"])
    assert len(rotations(kms, made["KeyId"])) == 25


def test_trap_17_a_disabled_key_pauses_and_catches_up_at_once(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    kms.disable_key(KeyId=made["KeyId"])
    world.advance(timedelta(days=200))
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is True
    assert rotations(kms, made["KeyId"]) == []
    kms.enable_key(KeyId=made["KeyId"])
    world.run_due()
    assert kinds(kms, made["KeyId"]) == ["AUTOMATIC"]


def test_trap_17_pending_deletion_reads_false_and_returns_on_cancel(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"])
    kms.schedule_key_deletion(KeyId=made["KeyId"])
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is False
    kms.cancel_key_deletion(KeyId=made["KeyId"])
    assert kms.get_key_rotation_status(KeyId=made["KeyId"])["KeyRotationEnabled"] is True


def test_trap_17_a_rotation_that_is_switched_off_does_not_happen(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    kms.disable_key_rotation(KeyId=made["KeyId"])
    status = kms.get_key_rotation_status(KeyId=made["KeyId"])
    assert (status["KeyRotationEnabled"], "NextRotationDate" in status) == (False, False)
    world.advance(timedelta(days=100))
    assert rotations(kms, made["KeyId"]) == []


@pytest.mark.parametrize(("days", "taken"), [(89, False), (90, True), (2560, True), (2561, False)])
def test_trap_17_the_period_has_90_to_2560_days(shared_world: World, days: int, taken: bool) -> None:
    kms = shared_world.account().client("kms", checked=False)
    made = create(kms)
    code = answer(lambda: kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=days))
    assert code == ("" if taken else "ValidationException")


def test_trap_17_only_symmetric_keys_of_our_making_rotate_by_themselves(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    signing = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    imported = create(kms, Origin="EXTERNAL")["KeyId"]
    calls = [kms.enable_key_rotation, kms.disable_key_rotation, kms.get_key_rotation_status,
             kms.rotate_key_on_demand, kms.list_key_rotations]  # fmt: skip
    for call in calls:
        with refused("UnsupportedOperationException"):
            call(KeyId=signing)
    for call in calls[:2]:
        with refused("UnsupportedOperationException"):
            call(KeyId=imported)
    assert kms.get_key_rotation_status(KeyId=imported)["KeyRotationEnabled"] is False


def test_an_aws_managed_key_is_rotated_after_a_year(world: World) -> None:
    kms = world.account().client("kms")
    made = describe(kms, "alias/aws/s3")
    world.advance(timedelta(days=366))
    assert kinds(kms, made["KeyId"]) == ["AUTOMATIC"]
