"""Each state as it is reached through the API, against each operation that a caller may try on it (TRAPS 13, 15)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kms.keys.states import TABLE, KeyState
from tests.api.kms.support import allow, answer, create, describe, policy, refused, root
from tests.support.world import ELSEWHERE, REGION, Caller, World

Made = dict[str, Any]


def _plain(kms: Any) -> Made:
    return create(kms)


def _disabled(kms: Any) -> Made:
    made = create(kms)
    kms.disable_key(KeyId=made["KeyId"])
    return made


def _pending_deletion(kms: Any) -> Made:
    made = create(kms)
    kms.schedule_key_deletion(KeyId=made["KeyId"])
    return made


def _pending_replica_deletion(kms: Any) -> Made:
    made = create(kms, MultiRegion=True)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    kms.schedule_key_deletion(KeyId=made["KeyId"])
    return made


def _pending_import(kms: Any) -> Made:
    return create(kms, Origin="EXTERNAL")


REACHED: dict[KeyState, Callable[[Any], Made]] = {
    KeyState.ENABLED: _plain,
    KeyState.DISABLED: _disabled,
    KeyState.PENDING_DELETION: _pending_deletion,
    KeyState.PENDING_REPLICA_DELETION: _pending_replica_deletion,
    KeyState.PENDING_IMPORT: _pending_import,
}

CALLS: dict[str, Callable[[Any, str, Caller], Any]] = {
    "EnableKey": lambda kms, key, _: kms.enable_key(KeyId=key),
    "DisableKey": lambda kms, key, _: kms.disable_key(KeyId=key),
    "ScheduleKeyDeletion": lambda kms, key, _: kms.schedule_key_deletion(KeyId=key),
    "CancelKeyDeletion": lambda kms, key, _: kms.cancel_key_deletion(KeyId=key),
    "UpdateKeyDescription": lambda kms, key, _: kms.update_key_description(KeyId=key, Description="x"),
    "TagResource": lambda kms, key, _: kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]),
    "UntagResource": lambda kms, key, _: kms.untag_resource(KeyId=key, TagKeys=["a"]),
    "CreateAlias": lambda kms, key, _: kms.create_alias(AliasName=f"alias/{key}", TargetKeyId=key),
    "EnableKeyRotation": lambda kms, key, _: kms.enable_key_rotation(KeyId=key),
    "DisableKeyRotation": lambda kms, key, _: kms.disable_key_rotation(KeyId=key),
    "RotateKeyOnDemand": lambda kms, key, _: kms.rotate_key_on_demand(KeyId=key),
    "DescribeKey": lambda kms, key, _: kms.describe_key(KeyId=key),
    "GetKeyPolicy": lambda kms, key, _: kms.get_key_policy(KeyId=key),
    "PutKeyPolicy": lambda kms, key, caller: kms.put_key_policy(
        KeyId=key, Policy=policy(allow(root(caller)))
    ),
    "ListKeyPolicies": lambda kms, key, _: kms.list_key_policies(KeyId=key),
    "ListResourceTags": lambda kms, key, _: kms.list_resource_tags(KeyId=key),
    "ListAliases": lambda kms, key, _: kms.list_aliases(KeyId=key),
    "GetKeyRotationStatus": lambda kms, key, _: kms.get_key_rotation_status(KeyId=key),
    "ListKeyRotations": lambda kms, key, _: kms.list_key_rotations(KeyId=key),
    "GetKeyLastUsage": lambda kms, key, _: kms.get_key_last_usage(KeyId=key),
}


@pytest.fixture(scope="module")
def owner(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("state", REACHED)
def test_trap_13_an_operation_on_a_key_of_this_state_answers_as_the_grid_says(
    owner: Caller, state: KeyState, operation: str
) -> None:
    kms = owner.client("kms")
    made = REACHED[state](kms)
    assert describe(kms, made["KeyId"])["KeyState"] == state
    refusal = TABLE[operation][state]
    assert answer(lambda: CALLS[operation](kms, made["KeyId"], owner)) == (refusal.code if refusal else "")


@pytest.mark.parametrize("operation", CALLS)
def test_trap_13_a_replica_that_is_creating_answers_as_the_grid_says(owner: Caller, operation: str) -> None:
    made = create(owner.client("kms"), MultiRegion=True)
    owner.client("kms").replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    there = owner.client("kms", region=ELSEWHERE)
    assert describe(there, made["KeyId"])["KeyState"] == "Creating"
    refusal = TABLE[operation][KeyState.CREATING]
    assert answer(lambda: CALLS[operation](there, made["KeyId"], owner)) == (refusal.code if refusal else "")


def test_a_disabled_key_is_enabled_again(owner: Caller) -> None:
    kms = owner.client("kms")
    made = _disabled(kms)
    assert describe(kms, made["KeyId"])["Enabled"] is False
    kms.enable_key(KeyId=made["KeyId"])
    assert describe(kms, made["KeyId"])["KeyState"] == "Enabled"


@pytest.mark.parametrize("first", ["Enabled", "Disabled"])
def test_trap_15_a_cancelled_deletion_leaves_the_key_disabled_whatever_it_was(
    owner: Caller, first: str
) -> None:
    kms = owner.client("kms")
    made = REACHED[KeyState(first)](kms)
    kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    assert kms.cancel_key_deletion(KeyId=made["KeyId"])["KeyId"] == made["Arn"]
    found = describe(kms, made["KeyId"])
    assert (found["KeyState"], "DeletionDate" in found) == ("Disabled", False)


def test_trap_15_the_window_is_30_days_unless_said_and_the_answer_names_the_arn(owner: Caller) -> None:
    kms = owner.client("kms")
    made = create(kms)
    before = datetime.now(UTC)
    scheduled = kms.schedule_key_deletion(KeyId=made["KeyId"])
    assert (scheduled["KeyId"], scheduled["KeyState"]) == (made["Arn"], "PendingDeletion")
    assert scheduled["PendingWindowInDays"] == 30
    assert abs(scheduled["DeletionDate"] - before - timedelta(days=30)) < timedelta(minutes=1)


@pytest.mark.parametrize(("days", "taken"), [(6, False), (7, True), (30, True), (31, False), (365, False)])
def test_trap_15_the_window_has_7_to_30_days_though_the_shape_lets_more_pass(
    owner: Caller, days: int, taken: bool
) -> None:
    kms = owner.client("kms")
    made = create(kms)
    code = answer(lambda: kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=days))
    assert code == ("" if taken else "ValidationException")


def test_trap_15_at_the_end_the_key_is_gone_with_its_aliases_and_its_token(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    world.advance(timedelta(days=6, hours=23))
    assert describe(kms, "alias/app")["KeyState"] == "PendingDeletion"
    world.advance(timedelta(hours=2))
    for name in (made["KeyId"], "alias/app"):
        with refused("NotFoundException"):
            describe(kms, name)
    assert kms.list_keys()["Keys"] == []
    assert not [alias for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias]
    (tombstone,) = [event for event in world.events(caller) if event["eventName"] == "DeleteKey"]
    assert tombstone["requestParameters"]["keyId"] == made["Arn"]
    (material,) = tombstone["requestParameters"]["keyMaterials"]
    assert (material["keyMaterialId"], len(material["tokenDigest"])) == (made["CurrentKeyMaterialId"], 64)
    with world.scheduler.store._reader.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kms_material").scalar() == 0


def test_a_clock_that_leaps_over_the_window_deletes_nothing_and_raises_an_alarm(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    date = kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)["DeletionDate"]
    world.scheduler.store.set_clock_offset(int(timedelta(days=40) / timedelta(microseconds=1)))
    world.run_due()
    found = describe(kms, made["KeyId"])
    assert found["KeyState"] == "PendingDeletion"
    assert found["DeletionDate"] - date > timedelta(days=38)
    assert "KeyDeletionPostponed" in {event["eventName"] for event in world.events(caller, REGION)}
    world.advance(timedelta(days=7))
    with refused("NotFoundException"):
        describe(kms, made["KeyId"])


def test_a_leap_of_hours_is_told_from_the_machines_uptime_and_postpones_the_deletion(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    date = kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)["DeletionDate"]
    leap = timedelta(hours=20)
    world.leap(leap)
    world.advance(timedelta(days=1, minutes=1))
    moved: timedelta = describe(kms, made["KeyId"])["DeletionDate"] - date
    assert abs(moved - leap) < timedelta(seconds=5)
    assert "KeyDeletionPostponed" in {event["eventName"] for event in world.events(caller, REGION)}
