"""Users, roles and policies on SQLite and on PostgreSQL alike: names, counts, races, and what other processes see."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.api.iam.conftest import allow, refused, session, trust, user
from tests.support.botocore_client import client
from tests.support.world import World


def test_iam_and_sts_work_on_either_database(any_world: World) -> None:
    caller = any_world.account()
    iam = caller.client("iam")
    policy = iam.create_policy(PolicyName="P", PolicyDocument=allow("iam:ListUsers"))["Policy"]["Arn"]
    bob = user(caller, "Bob", allow("sts:AssumeRole"), Path="/staff/")
    assert refused(lambda: iam.create_user(UserName="bob")) == ("EntityAlreadyExists", 409)
    iam.attach_user_policy(UserName="Bob", PolicyArn=policy)
    assert refused(lambda: iam.delete_policy(PolicyArn=policy)) == ("DeleteConflict", 409)
    bob.client("iam").list_users()
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))["Role"]["Arn"]
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    made = bob.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    key = session(caller, made)
    key.client("iam").list_users()
    iam.detach_role_policy(RoleName="r", PolicyArn=policy)
    assert refused(key.client("iam").list_users) == ("AccessDenied", 403)
    iam.update_access_key(UserName="Bob", AccessKeyId=bob.access_key, Status="Inactive")
    assert refused(bob.client("sts").get_caller_identity) == ("InvalidClientTokenId", 403)
    pages = iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 1})
    assert [one["UserName"] for page in pages for one in page["Users"]] == ["admin", "Bob"]


def test_those_who_change_one_user_at_once_all_get_their_way(any_world: World) -> None:

    caller = any_world.account()
    iam = caller.client("iam")
    iam.create_user(UserName="bob")

    def put(number: int) -> Any:
        return iam.put_user_policy(
            UserName="bob", PolicyName=f"p{number}", PolicyDocument=allow(f"kms:Op{number}")
        )

    with ThreadPoolExecutor(4) as several:
        list(several.map(put, range(8)))
    assert iam.list_user_policies(UserName="bob")["PolicyNames"] == [f"p{number}" for number in range(8)]


@pytest.mark.parametrize("name", ["Zoë", "a b", "x" * 65, ""])
def test_names_that_iam_has_not_are_refused(any_world: World, name: str) -> None:

    caller = any_world.account()
    iam = client(
        "iam",
        any_world.app,
        access_key=caller.made.access_key_id,
        secret_key=caller.made.secret_access_key,
        checked=False,
    )
    assert refused(lambda: iam.create_user(UserName=name)) == ("ValidationError", 400)
