"""Key policies as the seed notes tell it: key administrators who cannot use the key, users, the root that enables IAM."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.iam.conftest import Key, allow, refused, trust, user
from tests.support.world import Caller, World

DENIED = ("AccessDeniedException", 400)
ADMINISTER = [
    *("kms:Create*", "kms:Describe*", "kms:Enable*", "kms:List*", "kms:Put*", "kms:Update*", "kms:Revoke*"),
    *("kms:Disable*", "kms:Get*", "kms:Delete*", "kms:TagResource", "kms:UntagResource"),
    *("kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"),
]
USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]


@dataclass(frozen=True)
class Department:
    """One account with a key that has the console's policy."""

    caller: Caller
    key: str
    admin: Key
    employee: Key
    other: Key
    by_iam: Key


def statement(principal: str, actions: list[str] | str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*", **more}


def console_policy(account: str, *, root: bool, administrators: str, users: list[str]) -> str:
    """What the console writes: the account, key administrators, key users, and grants for AWS services only."""
    enabled = [statement(f"arn:aws:iam::{account}:root", "kms:*", Sid="Enable IAM User Permissions")]
    persistent = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "key-consolepolicy-3",
            "Statement": [
                *(enabled if root else []),
                statement(administrators, ADMINISTER, Sid="Allow access for Key Administrators"),
                *(statement(one, USE) for one in users),
                *(
                    statement(
                        one, ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], Condition=persistent
                    )
                    for one in users
                ),
            ],
        }
    )


def department(caller: Caller, *, root: bool) -> Department:
    def arn(name: str) -> str:
        return f"arn:aws:iam::{caller.account}:user/{name}"

    admin, employee, other = (user(caller, name) for name in ("keeper", "employee", "other"))
    by_iam = user(caller, "by-iam", allow("kms:*"))
    policy = console_policy(caller.account, root=root, administrators=arn("keeper"), users=[arn("employee")])
    made = caller.client("kms").create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    return Department(caller, made["KeyMetadata"]["Arn"], admin, employee, other, by_iam)


@pytest.mark.parametrize("root", [True, False], ids=["root enables IAM", "key policy alone"])
def test_each_part_may_what_the_notes_say(shared_world: World, root: bool) -> None:
    house = department(shared_world.account(), root=root)
    key = {"KeyId": house.key}
    keeper, employee = house.admin.client("kms"), house.employee.client("kms")
    keeper.describe_key(**key)
    keeper.update_key_description(**key, Description="kept")
    keeper.disable_key(**key)
    keeper.enable_key(**key)
    assert refused(lambda: keeper.encrypt(**key, Plaintext=b"x")) == DENIED
    blob = employee.encrypt(**key, Plaintext=b"x")["CiphertextBlob"]
    assert employee.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(lambda: keeper.decrypt(CiphertextBlob=blob)) == DENIED
    assert refused(lambda: employee.disable_key(**key)) == DENIED
    assert refused(lambda: employee.schedule_key_deletion(**key)) == DENIED
    assert refused(lambda: house.other.client("kms").describe_key(**key)) == DENIED
    by_iam = house.by_iam.client("kms")
    if root:
        assert by_iam.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    else:
        assert refused(lambda: by_iam.decrypt(CiphertextBlob=blob)) == DENIED
    keeper.schedule_key_deletion(**key, PendingWindowInDays=7)
    keeper.cancel_key_deletion(**key)


def test_a_user_of_the_key_gives_grants_to_aws_services_only(shared_world: World) -> None:
    house = department(shared_world.account(), root=True)
    grant = {
        "KeyId": house.key,
        "GranteePrincipal": f"arn:aws:iam::{house.caller.account}:user/other",
        "Operations": ["Decrypt"],
    }
    assert refused(lambda: house.employee.client("kms").create_grant(**grant)) == DENIED
    token = house.by_iam.client("kms").create_grant(**grant)["GrantToken"]
    blob = house.employee.client("kms").encrypt(KeyId=house.key, Plaintext=b"x")["CiphertextBlob"]
    opened = house.other.client("kms").decrypt(CiphertextBlob=blob, GrantTokens=[token])
    assert opened["Plaintext"] == b"x"


def test_another_account_needs_the_key_policy_and_its_own_iam(shared_world: World) -> None:
    owner, guest = shared_world.account(), shared_world.account()
    may, may_not = user(guest, "may", allow("kms:Encrypt")), user(guest, "may-not")
    kms = owner.client("kms")
    policy = console_policy(
        owner.account,
        root=True,
        administrators=owner.made.admin_arn,
        users=[f"arn:aws:iam::{guest.account}:root"],
    )
    shared = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    private = kms.create_key()["KeyMetadata"]["Arn"]
    may.client("kms").encrypt(KeyId=shared, Plaintext=b"x")
    assert refused(lambda: may_not.client("kms").encrypt(KeyId=shared, Plaintext=b"x")) == DENIED
    assert refused(lambda: may.client("kms").encrypt(KeyId=private, Plaintext=b"x")) == DENIED
    guest.client("kms").describe_key(KeyId=shared)


def test_a_role_as_key_user_gives_the_key_to_its_sessions(shared_world: World) -> None:
    caller = shared_world.account()
    iam = caller.client("iam")
    made = iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(caller.made.admin_arn))["Role"]
    policy = console_policy(
        caller.account, root=True, administrators=caller.made.admin_arn, users=[made["Arn"]]
    )
    key = caller.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    taken = caller.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="app")["Credentials"]
    app = Key(shared_world, taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"])
    blob = app.client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert app.client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    iam.delete_role(RoleName="app")
    assert refused(lambda: app.client("kms").decrypt(CiphertextBlob=blob)) == (
        "UnrecognizedClientException",
        400,
    )
