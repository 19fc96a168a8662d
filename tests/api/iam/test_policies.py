"""Managed and inline policies, what they are attached to, boundaries, tags: through a stock boto3 client."""

import json

import pytest

from foundation.identity.policy import AWS_POLICIES
from tests.api.iam.conftest import allow, deny, document, refused, trust, user, words
from tests.support.world import Caller, World

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def made(caller: Caller, name: str = "mine", text: str = "") -> str:
    """A customer managed policy's ARN."""
    answer = caller.client("iam").create_policy(PolicyName=name, PolicyDocument=text or allow("sts:*"))
    arn: str = answer["Policy"]["Arn"]
    return arn


def test_a_policy_is_made_shown_listed_and_deleted(caller: Caller) -> None:
    iam = caller.client("iam")
    policy = iam.create_policy(
        PolicyName="Mine", Path="/team/", Description="ours", PolicyDocument=allow("kms:*")
    )["Policy"]
    assert policy["Arn"] == f"arn:aws:iam::{caller.account}:policy/team/Mine"
    assert policy["PolicyId"].startswith("ANPA")
    assert (policy["DefaultVersionId"], policy["AttachmentCount"]) == ("v1", 0)
    shown = iam.get_policy(PolicyArn=policy["Arn"])["Policy"]
    assert shown["Description"] == "ours"
    assert [one["PolicyName"] for one in iam.list_policies(Scope="Local")["Policies"]] == ["Mine"]
    assert refused(lambda: made(caller, "MINE")) == ("EntityAlreadyExists", 409)
    iam.delete_policy(PolicyArn=policy["Arn"])
    assert refused(lambda: iam.get_policy(PolicyArn=policy["Arn"])) == ("NoSuchEntity", 404)


def test_versions_are_counted_from_one_and_kept_to_five(caller: Caller) -> None:
    iam, arn = caller.client("iam"), made(caller)
    for number in range(2, 6):
        version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow(f"kms:Op{number}"))
        assert version["PolicyVersion"]["VersionId"] == f"v{number}"
    sixth = allow("kms:Op6")
    assert refused(lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=sixth)) == (
        "LimitExceeded",
        409,
    )
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v3")
    assert refused(lambda: iam.delete_policy_version(PolicyArn=arn, VersionId="v3")) == (
        "DeleteConflict",
        409,
    )
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    listed = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [one["VersionId"] for one in listed] == ["v5", "v4", "v3", "v2"]
    assert [one["VersionId"] for one in listed if one["IsDefaultVersion"]] == ["v3"]
    again = iam.create_policy_version(PolicyArn=arn, PolicyDocument=sixth, SetAsDefault=True)["PolicyVersion"]
    assert (again["VersionId"], again["IsDefaultVersion"]) == ("v6", True)
    text = iam.get_policy_version(PolicyArn=arn, VersionId="v6")["PolicyVersion"]["Document"]
    assert text == json.loads(sixth)
    assert refused(lambda: iam.get_policy_version(PolicyArn=arn, VersionId="v1")) == ("NoSuchEntity", 404)
    assert refused(lambda: iam.delete_policy(PolicyArn=arn)) == ("DeleteConflict", 409)


def test_a_new_default_version_takes_effect_at_once(caller: Caller) -> None:
    iam, arn = caller.client("iam"), made(caller, text=allow("iam:GetUser"))
    bob = user(caller, "bob")
    assert refused(bob.client("iam").get_user) == ("AccessDenied", 403)
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    bob.client("iam").get_user()
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("iam:ListUsers"), SetAsDefault=True)
    assert refused(bob.client("iam").get_user) == ("AccessDenied", 403)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    bob.client("iam").get_user()
    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    assert refused(bob.client("iam").get_user) == ("AccessDenied", 403)


@pytest.mark.parametrize("kind", ["user", "role"])
def test_an_attached_policy_is_counted_listed_and_kept(caller: Caller, kind: str) -> None:
    iam, arn = caller.client("iam"), made(caller)
    name = {f"{kind.capitalize()}Name": "one"}
    more = {} if kind == "user" else {"AssumeRolePolicyDocument": trust(caller.made.admin_arn)}
    getattr(iam, f"create_{kind}")(**name, **more)
    attach, detach = getattr(iam, f"attach_{kind}_policy"), getattr(iam, f"detach_{kind}_policy")
    attach(**name, PolicyArn=arn)
    attach(**name, PolicyArn=arn)
    attach(**name, PolicyArn=ADMIN)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    listed = getattr(iam, f"list_attached_{kind}_policies")(**name)["AttachedPolicies"]
    assert {one["PolicyArn"] for one in listed} == {arn, ADMIN}
    holders = iam.list_entities_for_policy(PolicyArn=arn)
    assert [one[f"{kind.capitalize()}Name"] for one in holders[f"Policy{kind.capitalize()}s"]] == ["one"]
    assert refused(lambda: iam.delete_policy(PolicyArn=arn)) == ("DeleteConflict", 409)
    detach(**name, PolicyArn=arn)
    assert refused(lambda: detach(**name, PolicyArn=arn)) == ("NoSuchEntity", 404)
    iam.delete_policy(PolicyArn=arn)
    assert refused(lambda: attach(**name, PolicyArn=arn)) == ("NoSuchEntity", 404)


def test_ten_managed_policies_are_attached_at_most(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_user(UserName="bob")
    arns = [*AWS_POLICIES][:11]
    for arn in arns[:10]:
        iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    assert refused(lambda: iam.attach_user_policy(UserName="bob", PolicyArn=arns[10])) == (
        "LimitExceeded",
        409,
    )


@pytest.mark.parametrize("kind", ["user", "role"])
def test_an_inline_policy_is_put_replaced_shown_and_deleted(caller: Caller, kind: str) -> None:
    iam = caller.client("iam")
    name = {f"{kind.capitalize()}Name": "one"}
    more = {} if kind == "user" else {"AssumeRolePolicyDocument": trust(caller.made.admin_arn)}
    getattr(iam, f"create_{kind}")(**name, **more)
    put, get = getattr(iam, f"put_{kind}_policy"), getattr(iam, f"get_{kind}_policy")
    put(**name, PolicyName="a", PolicyDocument=allow("kms:*"))
    put(**name, PolicyName="a", PolicyDocument=deny("kms:*"))
    put(**name, PolicyName="b", PolicyDocument=allow("sts:*"))
    assert get(**name, PolicyName="a")["PolicyDocument"] == json.loads(deny("kms:*"))
    assert getattr(iam, f"list_{kind}_policies")(**name)["PolicyNames"] == ["a", "b"]
    getattr(iam, f"delete_{kind}_policy")(**name, PolicyName="a")
    assert refused(lambda: get(**name, PolicyName="a")) == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        document({"Effect": "Allow", "Action": "kms:*"}),
        document({"Effect": "Perhaps", "Action": "*", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}),
        document({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Odd": {"a": "b"}}}),
    ],
    ids=["no JSON", "no object", "no resource", "no effect", "a principal", "an unknown operator"],
)
def test_a_malformed_policy_is_refused_and_changes_nothing(caller: Caller, text: str) -> None:
    iam = caller.client("iam")
    iam.create_user(UserName="bob")
    wrong = ("MalformedPolicyDocument", 400)
    assert refused(lambda: iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=text)) == wrong
    assert refused(lambda: iam.create_policy(PolicyName="p", PolicyDocument=text)) == wrong
    assert iam.list_user_policies(UserName="bob")["PolicyNames"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_policies_that_are_too_long_are_refused(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_user(UserName="bob")
    long = allow(*(f"kms:Operation{number:04}" for number in range(120)))
    limit = ("LimitExceeded", 409)
    assert refused(lambda: iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=long)) == limit
    longer = allow(*(f"kms:Operation{number:04}" for number in range(400)))
    assert refused(lambda: iam.create_policy(PolicyName="p", PolicyDocument=longer)) == limit
    spaced = allow("kms:*") + " " * 5000
    iam.put_user_policy(UserName="bob", PolicyName="p", PolicyDocument=spaced)


def test_a_boundary_limits_and_protects_its_policy(caller: Caller) -> None:
    iam, arn = caller.client("iam"), made(caller, text=allow("iam:Get*"))
    bob = user(caller, "bob", allow("iam:*"), PermissionsBoundary=arn)
    shown = iam.get_user(UserName="bob")["User"]["PermissionsBoundary"]
    assert shown == {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}
    bob.client("iam").get_user()
    assert "permissions boundary" in words(bob.client("iam").list_users)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert refused(lambda: iam.delete_policy(PolicyArn=arn)) == ("DeleteConflict", 409)
    iam.delete_user_permissions_boundary(UserName="bob")
    bob.client("iam").list_users()
    assert refused(lambda: iam.delete_user_permissions_boundary(UserName="bob")) == ("NoSuchEntity", 404)
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    assert refused(bob.client("iam").list_users) == ("AccessDenied", 403)
    holders = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert [one["UserName"] for one in holders["PolicyUsers"]] == ["bob"]
    iam.delete_user_permissions_boundary(UserName="bob")
    iam.delete_policy(PolicyArn=arn)


def test_an_administrator_may_be_held_to_boundaries_for_those_they_make(caller: Caller) -> None:
    arn = made(caller, text=allow("kms:*"))
    condition = {"StringEquals": {"iam:PermissionsBoundary": arn}}
    deputy = user(caller, "deputy", allow("iam:CreateUser", Condition=condition)).client("iam")
    assert refused(lambda: deputy.create_user(UserName="free")) == ("AccessDenied", 403)
    deputy.create_user(UserName="bound", PermissionsBoundary=arn)


def test_only_certain_policies_may_be_attached_where_the_condition_says_so(caller: Caller) -> None:
    only = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    deputy = user(caller, "deputy", allow("iam:AttachUserPolicy", Condition=only)).client("iam")
    caller.client("iam").create_user(UserName="bob")
    deputy.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert refused(lambda: deputy.attach_user_policy(UserName="bob", PolicyArn=ADMIN)) == (
        "AccessDenied",
        403,
    )


def test_aws_policies_can_be_read_and_not_changed(caller: Caller) -> None:
    iam = caller.client("iam")
    listed = iam.list_policies(Scope="AWS", MaxItems=1000)["Policies"]
    assert {one["Arn"] for one in listed} == {*AWS_POLICIES}
    assert iam.get_policy(PolicyArn=ADMIN)["Policy"]["AttachmentCount"] == 1
    shown = iam.get_policy_version(PolicyArn=ADMIN, VersionId="v1")["PolicyVersion"]["Document"]
    assert shown["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    assert refused(lambda: iam.delete_policy(PolicyArn=ADMIN)) == ("AccessDenied", 403)
    text = allow("kms:*")
    assert refused(lambda: iam.create_policy_version(PolicyArn=ADMIN, PolicyDocument=text)) == (
        "AccessDenied",
        403,
    )
    attached = iam.list_policies(OnlyAttached=True)["Policies"]
    assert [one["PolicyName"] for one in attached] == ["AdministratorAccess"]


def test_an_own_policy_may_have_the_name_of_one_of_aws(caller: Caller) -> None:
    iam = caller.client("iam")
    own = made(caller, "AdministratorAccess")
    pages = iam.get_paginator("list_policies").paginate(PaginationConfig={"PageSize": 1})
    arns = [one["Arn"] for page in pages for one in page["Policies"]]
    assert sorted(arns) == sorted([own, *AWS_POLICIES])


def test_policies_of_another_account_do_not_exist_here(caller: Caller) -> None:
    arn = made(caller.world.account())
    iam = caller.client("iam")
    iam.create_user(UserName="bob")
    assert refused(lambda: iam.attach_user_policy(UserName="bob", PolicyArn=arn)) == ("NoSuchEntity", 404)
    assert refused(lambda: iam.get_policy(PolicyArn=arn)) == ("NoSuchEntity", 404)
    odd = "arn:aws:iam::policy-without-sense"
    assert refused(lambda: iam.get_policy(PolicyArn=odd)) == ("InvalidInput", 400)


@pytest.mark.parametrize("kind", ["user", "role", "policy"])
def test_tags_are_added_replaced_listed_and_taken_away(caller: Caller, kind: str) -> None:
    iam = caller.client("iam")
    if kind == "policy":
        name = {"PolicyArn": made(caller)}
    else:
        name = {f"{kind.capitalize()}Name": "one"}
        more = {} if kind == "user" else {"AssumeRolePolicyDocument": trust(caller.made.admin_arn)}
        getattr(iam, f"create_{kind}")(**name, **more)
    tag, untag = getattr(iam, f"tag_{kind}"), getattr(iam, f"untag_{kind}")
    listed = getattr(iam, f"list_{kind}_tags")
    tag(**name, Tags=[{"Key": "Team", "Value": "red"}, {"Key": "Cost", "Value": "1"}])
    tag(**name, Tags=[{"Key": "team", "Value": "blue"}])
    assert listed(**name)["Tags"] == [{"Key": "Cost", "Value": "1"}, {"Key": "team", "Value": "blue"}]
    untag(**name, TagKeys=["TEAM", "absent"])
    assert listed(**name)["Tags"] == [{"Key": "Cost", "Value": "1"}]
    twice = [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]
    assert refused(lambda: tag(**name, Tags=twice)) == ("InvalidInput", 400)
    assert refused(lambda: tag(**name, Tags=[{"Key": "aws:x", "Value": "1"}])) == ("InvalidInput", 400)
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert refused(lambda: tag(**name, Tags=many)) == ("LimitExceeded", 409)


def test_the_account_is_summed_up_and_shown_whole(caller: Caller) -> None:
    iam, arn = caller.client("iam"), made(caller)
    user(caller, "bob", allow("kms:*"))
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.made.admin_arn))
    summary = iam.get_account_summary()["SummaryMap"]
    assert (summary["Users"], summary["Roles"], summary["Policies"]) == (2, 1, 1)
    whole = iam.get_account_authorization_details(Filter=["User", "Role", "LocalManagedPolicy"])
    assert {one["UserName"] for one in whole["UserDetailList"]} == {"admin", "bob"}
    assert [one["RoleName"] for one in whole["RoleDetailList"]] == ["r"]
    assert [one["Arn"] for one in whole["Policies"]] == [arn]
    bob = next(one for one in whole["UserDetailList"] if one["UserName"] == "bob")
    assert bob["UserPolicyList"] == [{"PolicyName": "p0", "PolicyDocument": json.loads(allow("kms:*"))}]
