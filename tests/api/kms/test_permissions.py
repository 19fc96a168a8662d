"""Operations that need more than one permission, each refused when one of them is missing (TRAPS 11, 19)."""

from typing import Any

import pytest

from tests.api.kms.support import allow, create, describe, policy, refused, root
from tests.support.world import ELSEWHERE, REGION, Caller, World


def denying(caller: Caller, action: str) -> str:
    return policy(allow(root(caller)), {**allow("*", action), "Effect": "Deny"})


@pytest.mark.parametrize("guarded", ["old", "new"])
def test_trap_19_moving_an_alias_needs_permission_on_both_keys(shared_world: World, guarded: str) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    keys = {name: create(kms) for name in ("old", "new")}
    kms.create_alias(AliasName="alias/app", TargetKeyId=keys["old"]["KeyId"])
    kms.put_key_policy(KeyId=keys[guarded]["KeyId"], Policy=denying(caller, "kms:UpdateAlias"))
    with refused("AccessDeniedException", keys[guarded]["Arn"]):
        kms.update_alias(AliasName="alias/app", TargetKeyId=keys["new"]["KeyId"])
    assert describe(kms, "alias/app")["KeyId"] == keys["old"]["KeyId"]


@pytest.mark.parametrize("action", ["CreateAlias", "DeleteAlias"])
def test_trap_19_an_alias_comes_and_goes_with_permission_on_its_key(shared_world: World, action: str) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    if action == "DeleteAlias":
        kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    kms.put_key_policy(KeyId=made["KeyId"], Policy=denying(caller, f"kms:{action}"))
    calls: dict[str, Any] = {
        "CreateAlias": lambda: kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"]),
        "DeleteAlias": lambda: kms.delete_alias(AliasName="alias/app"),
    }
    with refused("AccessDeniedException", made["Arn"]):
        calls[action]()


def test_trap_16_the_primarys_part_moves_with_permission_on_both_keys(world: World) -> None:
    caller = world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    made = create(kms, MultiRegion=True)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    world.run_due()
    there.put_key_policy(KeyId=made["KeyId"], Policy=denying(caller, "kms:UpdatePrimaryRegion"))
    with refused("AccessDeniedException", made["Arn"].replace(REGION, ELSEWHERE)):
        kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=ELSEWHERE)
    there.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller))))
    kms.put_key_policy(KeyId=made["KeyId"], Policy=denying(caller, "kms:UpdatePrimaryRegion"))
    with refused("AccessDeniedException", made["Arn"]):
        kms.update_primary_region(KeyId=made["KeyId"], PrimaryRegion=ELSEWHERE)


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("kms:KeySpec", "SYMMETRIC_DEFAULT", True),
        ("kms:KeySpec", "RSA_2048", False),
        ("kms:KeyUsage", "ENCRYPT_DECRYPT", True),
        ("kms:KeyOrigin", "AWS_KMS", True),
        ("kms:KeyOrigin", "EXTERNAL", False),
        ("kms:MultiRegion", "false", True),
        ("kms:CallerAccount", "ACCOUNT", True),
        ("kms:CallerAccount", "999999999999", False),
        ("kms:RequestAlias", "alias/app", True),
        ("kms:RequestAlias", "alias/other", False),
        ("aws:ResourceTag/team", "a", True),
        ("aws:ResourceTag/team", "b", False),
    ],
)
def test_a_keys_own_condition_keys_are_those_of_the_key_and_call(
    shared_world: World, key: str, value: str, fits: bool
) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms, Tags=[{"TagKey": "team", "TagValue": "a"}])
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    wanted = {"StringEquals": {key: caller.account if value == "ACCOUNT" else value}}
    denied = {**allow("*", "kms:DescribeKey"), "Effect": "Deny", "Condition": wanted}
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), denied))
    if fits:
        with refused("AccessDeniedException", "explicit deny"):
            describe(kms, "alias/app")
    else:
        assert describe(kms, "alias/app")["KeyId"] == made["KeyId"]


@pytest.mark.parametrize(
    ("alias", "fits"), [("alias/app", True), ("alias/second", True), ("alias/none", False)]
)
def test_every_alias_of_a_key_is_one_of_its_resource_aliases(
    shared_world: World, alias: str, fits: bool
) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    for name in ("alias/app", "alias/second"):
        kms.create_alias(AliasName=name, TargetKeyId=made["KeyId"])
    wanted = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}
    denied = {**allow("*", "kms:DescribeKey"), "Effect": "Deny", "Condition": wanted}
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), denied))
    if fits:
        with refused("AccessDeniedException"):
            describe(kms, made["KeyId"])
    else:
        assert describe(kms, made["KeyId"])["Enabled"] is True


def test_what_an_operation_asks_for_is_a_condition_too(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    short = {"NumericLessThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": "14"}}
    frequent = {"NumericLessThan": {"kms:RotationPeriodInDays": "180"}}
    tags = {"ForAnyValue:StringEquals": {"aws:TagKeys": "forbidden"}}
    rules = [("kms:ScheduleKeyDeletion", short), ("kms:EnableKeyRotation", frequent), ("kms:*Resource", tags)]
    statements = [{**allow("*", action), "Effect": "Deny", "Condition": wanted} for action, wanted in rules]
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), *statements))
    with refused("AccessDeniedException"):
        kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    kms.enable_key_rotation(KeyId=made["KeyId"])
    with refused("AccessDeniedException"):
        kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "forbidden", "TagValue": ""}])
    with refused("AccessDeniedException"):
        kms.untag_resource(KeyId=made["KeyId"], TagKeys=["forbidden"])
    kms.tag_resource(KeyId=made["KeyId"], Tags=[{"TagKey": "allowed", "TagValue": ""}])
    with refused("AccessDeniedException"):
        kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    kms.schedule_key_deletion(KeyId=made["KeyId"])
