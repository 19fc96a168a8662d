"""Roles: their trust policies and settings, through a stock boto3 client."""

import pytest

from tests.api.iam.conftest import allow, document, refused, trust, user, words
from tests.support.world import Caller, World


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def test_a_role_is_made_shown_changed_listed_and_deleted(caller: Caller) -> None:
    iam = caller.client("iam")
    made = iam.create_role(
        RoleName="Deploy",
        Path="/ci/",
        Description="from CI",
        MaxSessionDuration=7200,
        AssumeRolePolicyDocument=trust(caller.made.admin_arn),
    )["Role"]
    assert made["Arn"] == f"arn:aws:iam::{caller.account}:role/ci/Deploy"
    assert made["RoleId"].startswith("AROA")
    assert iam.get_role(RoleName="Deploy")["Role"] == made
    iam.update_role(RoleName="Deploy", Description="anew", MaxSessionDuration=3700)
    changed = iam.get_role(RoleName="Deploy")["Role"]
    assert (changed["Description"], changed["MaxSessionDuration"]) == ("anew", 3700)
    iam.update_role(RoleName="Deploy")
    assert iam.get_role(RoleName="Deploy")["Role"]["MaxSessionDuration"] == 3600
    assert iam.update_role_description(RoleName="Deploy", Description="more")["Role"]["Description"] == "more"
    assert [one["RoleName"] for one in iam.list_roles(PathPrefix="/ci/")["Roles"]] == ["Deploy"]
    taken = trust(caller.made.admin_arn)
    assert refused(lambda: iam.create_role(RoleName="DEPLOY", AssumeRolePolicyDocument=taken)) == (
        "EntityAlreadyExists",
        409,
    )
    iam.put_role_policy(RoleName="Deploy", PolicyName="p", PolicyDocument=allow("sts:*"))
    assert refused(lambda: iam.delete_role(RoleName="Deploy")) == ("DeleteConflict", 409)
    iam.delete_role_policy(RoleName="Deploy", PolicyName="p")
    iam.delete_role(RoleName="Deploy")
    assert refused(lambda: iam.get_role(RoleName="Deploy")) == ("NoSuchEntity", 404)


def test_those_whom_a_role_trusts_must_exist(caller: Caller) -> None:
    iam = caller.client("iam")
    nobody = trust(f"arn:aws:iam::{caller.account}:user/nobody")
    wrong = ("MalformedPolicyDocument", 400)
    assert refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=nobody)) == wrong
    stranger = trust("arn:aws:iam::999999999999:root")
    assert refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=stranger)) == wrong
    resource = document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"})
    assert refused(lambda: iam.create_role(RoleName="r", AssumeRolePolicyDocument=resource)) == wrong
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))
    assert refused(lambda: iam.update_assume_role_policy(RoleName="r", PolicyDocument=nobody)) == wrong
    principal = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert principal == {"AWS": [f"arn:aws:iam::{caller.account}:root"]}


def test_trust_follows_the_user_through_a_rename_and_ends_with_it(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob", allow("sts:AssumeRole"))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{caller.account}:user/bob"))
    unique = iam.get_user(UserName="bob")["User"]["UserId"]
    iam.update_user(UserName="bob", NewUserName="robert")

    def trusted() -> list[str]:
        shown = iam.get_role(RoleName="r")["Role"]["AssumeRolePolicyDocument"]
        principals: list[str] = shown["Statement"][0]["Principal"]["AWS"]
        return principals

    assert trusted() == [f"arn:aws:iam::{caller.account}:user/robert"]
    role = {"RoleArn": f"arn:aws:iam::{caller.account}:role/r", "RoleSessionName": "session"}
    bob.client("sts").assume_role(**role)
    iam.delete_user_policy(UserName="robert", PolicyName="p0")
    iam.delete_access_key(UserName="robert", AccessKeyId=bob.access_key)
    iam.delete_user(UserName="robert")
    assert trusted() == [unique]
    again = user(caller, "robert", allow("sts:AssumeRole"))
    assert refused(lambda: again.client("sts").assume_role(**role)) == ("AccessDenied", 403)


def test_sign_in_sessions_are_refused_clearly(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))
    assert "sign-in" in words(lambda: iam.update_role(RoleName="r", MaxSigninSessionDuration=3600))
