"""Aliases through the front door (TRAPS 19)."""

from typing import Any

import pytest

from kms.keys.managed import PREDEFINED
from tests.api.kms.support import NOBODY, create, describe, refused
from tests.support.world import ELSEWHERE, REGION, World


def named(kms: Any, **options: Any) -> dict[str, str]:
    """The aliases that stand for a key: name to key id."""
    pages = kms.get_paginator("list_aliases").paginate(**options)
    entries = [entry for page in pages for entry in page["Aliases"]]
    return {entry["AliasName"]: entry["TargetKeyId"] for entry in entries if "TargetKeyId" in entry}


def test_trap_19_an_alias_is_no_property_of_its_key(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["Arn"])
    assert "alias/app" not in str(describe(kms, made["KeyId"]))
    (entry,) = kms.list_aliases(KeyId=made["KeyId"])["Aliases"]
    assert (entry["AliasName"], entry["TargetKeyId"]) == ("alias/app", made["KeyId"])
    assert entry["AliasArn"].endswith(":alias/app")
    assert entry["CreationDate"] == entry["LastUpdatedDate"]


def test_trap_19_a_name_is_unique_in_its_account_and_region(shared_world: World) -> None:
    caller = shared_world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    kms.create_alias(AliasName="alias/app", TargetKeyId=create(kms)["KeyId"])
    with refused("AlreadyExistsException", f"arn:aws:kms:{REGION}:{caller.account}:alias/app already exists"):
        kms.create_alias(AliasName="alias/app", TargetKeyId=create(kms)["KeyId"])
    there.create_alias(AliasName="alias/app", TargetKeyId=create(there)["KeyId"])


@pytest.mark.parametrize("name", ["app", "alias/", "alias/aws/mine", "alias/aws", "alias/a:b"])
def test_trap_19_a_name_that_cannot_be_is_refused(shared_world: World, name: str) -> None:
    kms = shared_world.account().client("kms")
    with refused("InvalidAliasNameException"):
        kms.create_alias(AliasName=name, TargetKeyId=create(kms)["KeyId"])


def test_trap_19_an_alias_stands_for_a_key_never_for_an_alias(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    for target in ("alias/app", made["Arn"].split(":key/")[0] + ":alias/app"):
        with refused("ValidationException", "Not aliases"):
            kms.create_alias(AliasName="alias/other", TargetKeyId=target)
        with refused("ValidationException", "Not aliases"):
            kms.update_alias(AliasName="alias/app", TargetKeyId=target)


def test_trap_19_an_alias_moves_within_its_class_and_usage_only(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    first, second = create(kms), create(kms)
    signing = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    curve = create(kms, KeySpec="ECC_NIST_P384", KeyUsage="SIGN_VERIFY")
    kms.create_alias(AliasName="alias/app", TargetKeyId=first["KeyId"])
    kms.create_alias(AliasName="alias/sign", TargetKeyId=signing["KeyId"])
    kms.update_alias(AliasName="alias/app", TargetKeyId=second["KeyId"])
    kms.update_alias(AliasName="alias/sign", TargetKeyId=curve["KeyId"])
    assert named(kms) == {"alias/app": second["KeyId"], "alias/sign": curve["KeyId"]}
    assert describe(kms, "alias/app")["KeyId"] == second["KeyId"]
    with refused("ValidationException", "cannot be moved"):
        kms.update_alias(AliasName="alias/app", TargetKeyId=signing["KeyId"])


def test_an_alias_that_is_not_there_is_neither_moved_nor_deleted(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    with refused("NotFoundException", "alias/none is not found"):
        kms.delete_alias(AliasName="alias/none")
    with refused("NotFoundException", "alias/none is not found"):
        kms.update_alias(AliasName="alias/none", TargetKeyId=create(kms)["KeyId"])
    with refused("NotFoundException", "does not exist"):
        kms.create_alias(AliasName="alias/none", TargetKeyId=NOBODY)


def test_a_deleted_alias_is_unknown_at_once_and_its_key_stays(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    assert describe(kms, "alias/app")["KeyId"] == made["KeyId"]
    kms.delete_alias(AliasName="alias/app")
    with refused("NotFoundException"):
        describe(kms, "alias/app")
    assert describe(kms, made["KeyId"])["KeyState"] == "Enabled"


def test_a_key_has_at_most_fifty_aliases(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made, other = create(kms), create(kms)
    for number in range(50):
        kms.create_alias(AliasName=f"alias/{number}", TargetKeyId=made["KeyId"])
    with refused("LimitExceededException"):
        kms.create_alias(AliasName="alias/50", TargetKeyId=made["KeyId"])
    kms.create_alias(AliasName="alias/50", TargetKeyId=other["KeyId"])
    with refused("LimitExceededException"):
        kms.update_alias(AliasName="alias/50", TargetKeyId=made["KeyId"])
    assert len(named(kms, PaginationConfig={"PageSize": 7})) == 51


def test_trap_19_predefined_aliases_are_listed_without_a_key_until_they_are_described(
    shared_world: World,
) -> None:
    kms = shared_world.account().client("kms")
    entries = kms.list_aliases(Limit=100)["Aliases"]
    assert {entry["AliasName"] for entry in entries} == set(PREDEFINED)
    assert not any("TargetKeyId" in entry for entry in entries)
    made = describe(kms, "alias/aws/s3")
    assert (made["KeyManager"], made["KeyState"], made["KeySpec"]) == ("AWS", "Enabled", "SYMMETRIC_DEFAULT")
    assert describe(kms, "alias/aws/s3")["KeyId"] == made["KeyId"]
    assert named(kms) == {"alias/aws/s3": made["KeyId"]}
    assert len(kms.list_aliases(Limit=100)["Aliases"]) == len(PREDEFINED)


def test_trap_17_an_aws_managed_key_rotates_yearly_and_is_managed_by_nobody(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    made = describe(kms, "alias/aws/secretsmanager")
    status = kms.get_key_rotation_status(KeyId=made["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    calls: dict[str, dict[str, Any]] = {
        "disable_key": {},
        "schedule_key_deletion": {},
        "disable_key_rotation": {},
        "rotate_key_on_demand": {},
        "tag_resource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
        "put_key_policy": {"Policy": "{}"},
    }
    for name, options in calls.items():
        with refused("AccessDeniedException"):
            getattr(kms, name)(KeyId=made["KeyId"], **options)
    with refused("AccessDeniedException"):
        kms.create_alias(AliasName="alias/mine", TargetKeyId=made["KeyId"])
    assert "kms:ViaService" in kms.get_key_policy(KeyId=made["KeyId"])["Policy"]


@pytest.mark.parametrize("name", ["alias/aws/nosuchservice", "alias/aws/"])
def test_an_alias_of_aws_that_is_not_predefined_is_not_found(shared_world: World, name: str) -> None:
    with refused("NotFoundException"):
        describe(shared_world.account().client("kms"), name)
