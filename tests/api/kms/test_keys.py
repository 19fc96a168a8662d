"""Keys through a stock boto3 client and the front door: made, found, listed, across accounts and Regions."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from kms.keys.specs import KEY_SPECS, MEMBERS
from tests.api.kms.support import NOBODY, allow, create, describe, policy, refused, root
from tests.support.world import ELSEWHERE, REGION, World

MADE = [(spec.name, usage) for spec in KEY_SPECS.values() for usage in spec.usages]


def test_a_key_without_parameters_is_a_symmetric_one_that_is_enabled(shared_world: World) -> None:
    caller = shared_world.account()
    made = create(caller.client("kms"))
    assert made["KeySpec"] == made["CustomerMasterKeySpec"] == "SYMMETRIC_DEFAULT"
    assert (made["KeyUsage"], made["KeyState"], made["Enabled"]) == ("ENCRYPT_DECRYPT", "Enabled", True)
    assert (made["Origin"], made["KeyManager"], made["MultiRegion"]) == ("AWS_KMS", "CUSTOMER", False)
    assert made["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"]
    assert made["Arn"] == f"arn:aws:kms:{REGION}:{caller.account}:key/{made['KeyId']}"
    assert made["AWSAccountId"] == caller.account
    assert len(made["CurrentKeyMaterialId"]) == 64
    assert "MultiRegionConfiguration" not in made


@pytest.mark.parametrize(("spec", "usage"), MADE)
def test_a_key_of_each_spec_and_usage_lists_its_algorithms(
    shared_world: World, spec: str, usage: str
) -> None:
    kms = shared_world.account().client("kms")
    found = describe(kms, create(kms, KeySpec=spec, KeyUsage=usage)["KeyId"])
    assert (found["KeySpec"], found["KeyUsage"], found["KeyState"]) == (spec, usage, "Enabled")
    assert {name for name in MEMBERS.values() if name in found} == {MEMBERS[usage]}
    assert found[MEMBERS[usage]] == list(KEY_SPECS[spec].algorithms(usage))
    assert ("CurrentKeyMaterialId" in found) == KEY_SPECS[spec].symmetric
    assert ("CustomerMasterKeySpec" in found) == KEY_SPECS[spec].legacy


def test_the_old_name_of_the_spec_works_alone(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    assert (
        create(kms, CustomerMasterKeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeySpec"]
        == "ECC_NIST_P256"
    )
    with refused("ValidationException", "KeySpec and CustomerMasterKeySpec"):
        create(kms, CustomerMasterKeySpec="RSA_2048", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"KeySpec": "RSA_2048"}, "ValidationException"),
        ({"KeySpec": "HMAC_256"}, "ValidationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "GENERATE_VERIFY_MAC"}, "ValidationException"),
        ({"KeyUsage": "SIGN_VERIFY"}, "ValidationException"),
        ({"KeySpec": "SM2", "KeyUsage": "SIGN_VERIFY"}, "UnsupportedOperationException"),
        ({"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": "cks-1"}, "UnsupportedOperationException"),
        ({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "x"}, "UnsupportedOperationException"),
        ({"CustomKeyStoreId": "cks-1"}, "UnsupportedOperationException"),
        ({"Tags": [{"TagKey": "aws:x", "TagValue": ""}]}, "TagException"),
        ({"Tags": [{"TagKey": "x", "TagValue": "1"}, {"TagKey": "x", "TagValue": "2"}]}, "TagException"),
        ({"Policy": "{"}, "MalformedPolicyDocumentException"),
    ],
)
def test_a_key_that_cannot_be_is_refused(shared_world: World, options: dict[str, object], code: str) -> None:
    with refused(code):
        create(shared_world.account().client("kms"), **options)


def test_a_key_for_imported_material_waits_for_it(shared_world: World) -> None:
    kms = shared_world.account().client("kms")
    found = describe(kms, create(kms, Origin="EXTERNAL")["KeyId"])
    assert (found["KeyState"], found["Enabled"], found["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"CurrentKeyMaterialId", "ExpirationModel", "ValidTo"} & set(found)


def test_a_key_is_found_by_its_id_its_arn_its_alias_and_the_aliass_arn(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = create(kms)
    kms.create_alias(AliasName="alias/app", TargetKeyId=made["KeyId"])
    for name in (made["KeyId"], made["Arn"], "alias/app", f"arn:aws:kms:{REGION}:{caller.account}:alias/app"):
        assert describe(kms, name)["Arn"] == made["Arn"]


@pytest.mark.parametrize(
    ("key_id", "code", "message"),
    [
        (NOBODY, "NotFoundException", f"key/{NOBODY}' does not exist"),
        ("alias/none", "NotFoundException", "alias/none is not found"),
        ("nonsense", "NotFoundException", "Invalid keyId"),
        ("arn:aws:s3:::bucket", "InvalidArnException", "Invalid arn"),
        (
            f"arn:aws:kms:{ELSEWHERE}:111122223333:key/{NOBODY}",
            "NotFoundException",
            f"Invalid arn {ELSEWHERE}",
        ),
    ],
)
def test_what_is_no_key_here_is_refused_in_aws_words(
    shared_world: World, key_id: str, code: str, message: str
) -> None:
    with refused(code, message):
        describe(shared_world.account().client("kms"), key_id)


@pytest.mark.parametrize("name", ["enable_key", "get_key_policy", "list_resource_tags", "get_key_last_usage"])
def test_operations_that_take_no_alias_do_not_know_one(shared_world: World, name: str) -> None:
    kms = shared_world.account().client("kms")
    kms.create_alias(AliasName="alias/app", TargetKeyId=create(kms)["KeyId"])
    with refused("NotFoundException", "Invalid keyId"):
        getattr(kms, name)(KeyId="alias/app")


def test_a_key_of_one_region_is_not_there_in_another(shared_world: World) -> None:
    caller = shared_world.account()
    made = create(caller.client("kms"))
    with refused("NotFoundException"):
        describe(caller.client("kms", region=ELSEWHERE), made["KeyId"])


def test_trap_11_another_account_needs_the_keys_policy_and_the_whole_arn(shared_world: World) -> None:
    owner, other = shared_world.account(), shared_world.account()
    mine, theirs = owner.client("kms"), other.client("kms")
    made = create(mine)
    mine.create_alias(AliasName="alias/shared", TargetKeyId=made["KeyId"])
    alias = f"arn:aws:kms:{REGION}:{owner.account}:alias/shared"
    for name in (made["Arn"], alias):
        with refused("AccessDeniedException", "not authorized to perform: kms:DescribeKey"):
            describe(theirs, name)
    both = policy(allow(root(owner)), allow(root(other), "kms:DescribeKey", "kms:DisableKey"))
    mine.put_key_policy(KeyId=made["KeyId"], Policy=both)
    for name in (made["Arn"], alias):
        assert describe(theirs, name)["AWSAccountId"] == owner.account
    for name in (made["KeyId"], "alias/shared"):
        with refused("NotFoundException"):
            describe(theirs, name)
    with refused("AccessDeniedException"):
        theirs.disable_key(KeyId=made["Arn"])


def test_another_accounts_missing_key_is_denied_in_the_words_of_one_that_is_there(
    shared_world: World,
) -> None:
    owner, other = shared_world.account(), shared_world.account()
    made = create(owner.client("kms"))
    theirs = other.client("kms")
    messages = set()
    for key_id in (made["KeyId"], NOBODY):
        with pytest.raises(theirs.exceptions.ClientError) as denied:
            describe(theirs, f"arn:aws:kms:{REGION}:{owner.account}:key/{key_id}")
        messages.add(denied.value.response["Error"]["Message"].replace(key_id, "ID"))
    assert len(messages) == 1


def test_trap_6_keys_are_listed_in_pages_by_sealed_markers(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    made = {create(kms)["KeyId"] for _ in range(5)}
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["Keys"]) for page in pages] == [2, 2, 1]
    assert [page["Truncated"] for page in pages] == [True, True, False]
    assert {entry["KeyId"] for page in pages for entry in page["Keys"]} == made
    marker = pages[0]["NextMarker"]
    for wrong in ("nonsense", marker[:-2] + "AA"):
        with refused("InvalidMarkerException"):
            kms.list_keys(Marker=wrong)
    with refused("InvalidMarkerException"):
        kms.list_keys(Marker=marker, ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])
    with refused("InvalidMarkerException"):
        shared_world.account().client("kms").list_keys(Marker=marker)
    assert kms.list_keys(ResourceOwners=["OTHER_ACCOUNTS_VIA_RAM"])["Keys"] == []


@pytest.mark.parametrize(
    ("name", "options", "most"),
    [("list_aliases", {}, 100), ("list_resource_tags", {"KeyId": NOBODY}, 50), ("list_keys", {}, 1000)],
)
def test_trap_6_a_limit_has_the_operations_own_bound(
    shared_world: World, name: str, options: dict[str, str], most: int
) -> None:
    kms = shared_world.account().client("kms", checked=False)
    with refused("ValidationException"):
        getattr(kms, name)(**options, Limit=most + 1)


def test_trap_14_parameters_are_judged_before_the_key_and_the_key_before_its_state(
    shared_world: World,
) -> None:
    kms = shared_world.account().client("kms")
    made = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with refused("ValidationException"):
        kms.schedule_key_deletion(KeyId=NOBODY, PendingWindowInDays=3)
    with refused("NotFoundException"):
        kms.schedule_key_deletion(KeyId=NOBODY, PendingWindowInDays=7)
    kms.disable_key(KeyId=made["KeyId"])
    with refused("DisabledException"):  # its state comes before what it is
        kms.enable_key_rotation(KeyId=made["KeyId"])
    kms.enable_key(KeyId=made["KeyId"])
    with refused("UnsupportedOperationException"):
        kms.enable_key_rotation(KeyId=made["KeyId"])


def test_many_calls_that_change_one_key_at_once_all_get_through(shared_world: World) -> None:
    caller = shared_world.account()
    kms = caller.client("kms")
    key = create(kms)["KeyId"]
    clients = [caller.client("kms") for _ in range(16)]
    tags = [[{"TagKey": f"tag-{number}", "TagValue": "x"}] for number in range(16)]
    with ThreadPoolExecutor(16) as threads:
        list(
            threads.map(
                lambda pair: pair[0].tag_resource(KeyId=key, Tags=pair[1]), zip(clients, tags, strict=True)
            )
        )
    assert len(kms.list_resource_tags(KeyId=key)["Tags"]) == 16
