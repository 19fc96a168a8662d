"""Keys through a stock boto3 client and the front door: made, described, listed, disabled, deleted."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.world import ELSEWHERE, REGION, World


def code(raised: pytest.ExceptionInfo[ClientError]) -> str:
    return str(raised.value.response["Error"]["Code"])


def create(kms: Any, **options: Any) -> dict[str, Any]:
    made: dict[str, Any] = kms.create_key(**options)["KeyMetadata"]
    return made


def test_a_key_without_parameters_is_a_symmetric_one_that_is_enabled(world: World) -> None:
    caller = world.account()
    made = create(caller.client("kms"))
    assert made["KeySpec"] == made["CustomerMasterKeySpec"] == "SYMMETRIC_DEFAULT"
    assert (made["KeyUsage"], made["KeyState"], made["Enabled"]) == ("ENCRYPT_DECRYPT", "Enabled", True)
    assert (made["Origin"], made["KeyManager"], made["MultiRegion"]) == ("AWS_KMS", "CUSTOMER", False)
    assert made["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"]
    assert made["Arn"] == f"arn:aws:kms:{REGION}:{caller.account}:key/{made['KeyId']}"
    assert len(made["CurrentKeyMaterialId"]) == 64


def test_a_key_is_found_by_its_id_its_arn_its_alias_and_the_aliass_arn(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    alias_arn = f"arn:aws:kms:{REGION}:{caller.account}:alias/app"
    for name in (made["KeyId"], made["Arn"], "alias/app", alias_arn):
        assert kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"] == made["Arn"]


def test_a_deleted_keys_window_passes_and_then_it_is_gone_for_good(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    scheduled = kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    assert scheduled["KeyId"] == made["Arn"]
    assert (scheduled["KeyState"], scheduled["PendingWindowInDays"]) == ("PendingDeletion", 7)
    world.advance(timedelta(days=6))
    assert kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
    world.advance(timedelta(days=2))
    with pytest.raises(ClientError) as gone:
        kms.describe_key(KeyId=made["KeyId"])
    assert code(gone) == "NotFoundException"
    assert not [alias for alias in kms.list_aliases()["Aliases"] if "TargetKeyId" in alias]


def test_a_replica_has_the_id_and_the_materials_of_its_primary(world: World) -> None:
    caller = world.account()
    kms, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    made = create(kms, MultiRegion=True)
    assert made["KeyId"].startswith("mrk-")
    replica = kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)["ReplicaKeyMetadata"]
    assert (replica["KeyId"], replica["KeyState"]) == (made["KeyId"], "Creating")
    world.run_due()
    shown = there.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert shown["KeyState"] == "Enabled"
    assert shown["CurrentKeyMaterialId"] == made["CurrentKeyMaterialId"]


def test_a_rotation_keeps_the_id_and_changes_the_material(world: World) -> None:
    kms = world.account().client("kms")
    made = create(kms)
    kms.enable_key_rotation(KeyId=made["KeyId"], RotationPeriodInDays=90)
    world.advance(timedelta(days=91))
    shown = kms.describe_key(KeyId=made["KeyId"])["KeyMetadata"]
    assert shown["CurrentKeyMaterialId"] != made["CurrentKeyMaterialId"]
    (entry,) = kms.list_key_rotations(KeyId=made["KeyId"])["Rotations"]
    assert (entry["RotationType"], entry["KeyMaterialState"]) == ("AUTOMATIC", "CURRENT")
