"""IAM's rarer paths: the account's root, quotas, filters, races, and what cannot be asked for."""

from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select

from foundation.identity.iam import managed, room, users
from foundation.identity.tables import AccessKey
from foundation.store import Conflict, Scope
from tests.api.iam.conftest import Key, allow, document, refused, session, trust, user, words
from tests.support.botocore_client import client
from tests.support.world import Caller, World

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def unchecked(caller: Caller) -> Any:
    """A client that leaves all checks of parameters to the server."""
    made = caller.made
    return client(
        "iam",
        caller.world.app,
        access_key=made.access_key_id,
        secret_key=made.secret_access_key,
        checked=False,
    )


def root(caller: Caller) -> Key:
    """The account's root, with a key that an operator made."""
    scheduler = caller.world.scheduler
    made, secret = scheduler.iam.keys.create(scheduler.store.unit(Scope(caller.account, "")), caller.account)
    return Key(caller.world, made.access_key_id, secret)


def test_the_root_is_shown_and_may_everything_at_home(caller: Caller) -> None:
    iam = root(caller).client("iam")
    shown = iam.get_user()["User"]
    assert shown["Arn"] == f"arn:aws:iam::{caller.account}:root"
    assert shown["UserId"] == caller.account
    iam.create_user(UserName="bob")
    assert iam.get_account_summary()["SummaryMap"]["AccountAccessKeysPresent"] == 1


def test_the_root_makes_and_uses_its_own_keys(caller: Caller) -> None:
    first = root(caller)
    made = first.client("iam").create_access_key()["AccessKey"]
    second = Key(caller.world, made["AccessKeyId"], made["SecretAccessKey"])
    assert second.client("sts").get_caller_identity()["UserId"] == caller.account
    temporary = session(caller, second.client("sts").get_session_token()["Credentials"])
    temporary.client("kms").list_keys()
    used = first.client("iam").get_access_key_last_used(AccessKeyId=second.access_key)
    assert used["UserName"] == caller.account
    first.client("iam").delete_access_key(AccessKeyId=second.access_key)
    assert refused(second.client("sts").get_caller_identity) == ("InvalidClientTokenId", 403)


def test_a_roles_session_must_name_whom_it_means(caller: Caller) -> None:
    iam = caller.client("iam")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.made.admin_arn))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("iam:*"))
    made = caller.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    assert "userName" in words(session(caller, made).client("iam").get_user)


def test_a_trust_policy_is_replaced(caller: Caller) -> None:
    iam = caller.client("iam")
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))["Role"]["Arn"]
    bob = user(caller, "bob")
    assume = partial(bob.client("sts").assume_role, RoleArn=arn, RoleSessionName="session")
    assert refused(assume) == ("AccessDenied", 403)
    bob_arn = f"arn:aws:iam::{caller.account}:user/bob"
    iam.update_assume_role_policy(RoleName="r", PolicyDocument=trust(bob_arn))
    assume()


@pytest.mark.parametrize(
    ("where", "name", "limit", "make"),
    [
        (users, "ENTITIES", {"user": 1, "role": 1}, lambda iam: iam.create_user(UserName="one-more")),
        (managed, "POLICIES", 0, lambda iam: iam.create_policy(PolicyName="p", PolicyDocument=allow("*"))),
    ],
    ids=["users", "policies"],
)
def test_an_account_has_only_so_many(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, limit: Any, make: Any
) -> None:
    monkeypatch.setattr(where, name, limit)
    assert refused(lambda: make(caller.client("iam"))) == ("LimitExceeded", 409)


def test_whoever_is_always_too_late_is_told_so(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(*_: Any) -> None:
        raise Conflict("somebody was quicker")

    monkeypatch.setattr(room, "replace_entity", changed)
    tag = partial(caller.client("iam").tag_user, UserName="admin", Tags=[{"Key": "a", "Value": "b"}])
    assert refused(tag) == ("ConcurrentModification", 409)


def test_a_policy_version_that_others_add_meanwhile_is_not_lost(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = caller.client("iam")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=allow("kms:*"))["Policy"]["Arn"]
    others, policy = [allow("kms:Other")], room.Iam.policy

    def read(self: Any, arn: str) -> Any:
        found = policy(self, arn)
        if others:
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=others.pop())
        return found

    monkeypatch.setattr(room.Iam, "policy", read)
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("kms:Mine"))["PolicyVersion"]
    assert made["VersionId"] == "v3"
    assert len(iam.list_policy_versions(PolicyArn=arn)["Versions"]) == 3


def test_policies_are_listed_by_how_they_are_used(caller: Caller) -> None:
    iam = caller.client("iam")
    arns = {
        name: iam.create_policy(PolicyName=name, PolicyDocument=allow("kms:*"))["Policy"]["Arn"]
        for name in ("attached", "boundary", "unused")
    }
    iam.create_user(UserName="bob", PermissionsBoundary=arns["boundary"])
    iam.attach_user_policy(UserName="bob", PolicyArn=arns["attached"])

    def listed(**asked: Any) -> list[str]:
        return [one["PolicyName"] for one in iam.list_policies(Scope="Local", **asked)["Policies"]]

    assert listed(OnlyAttached=True) == ["attached"]
    assert listed(PolicyUsageFilter="PermissionsBoundary") == ["boundary"]
    assert listed() == ["attached", "boundary", "unused"]
    assert iam.list_policies(Scope="AWS", PolicyUsageFilter="PermissionsBoundary")["Policies"] == []


def test_holders_are_listed_by_kind(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))
    iam.attach_role_policy(RoleName="r", PolicyArn=ADMIN)

    def listed(kind: str) -> tuple[int, int]:
        found = iam.list_entities_for_policy(PolicyArn=ADMIN, EntityFilter=kind)
        return len(found["PolicyUsers"]), len(found["PolicyRoles"])

    assert [listed(kind) for kind in ("User", "Role", "Group")] == [(1, 0), (0, 1), (0, 0)]


def test_aws_policies_have_one_version(caller: Caller) -> None:
    iam = caller.client("iam")
    [version] = iam.list_policy_versions(PolicyArn=ADMIN)["Versions"]
    assert (version["VersionId"], version["IsDefaultVersion"]) == ("v1", True)
    v2 = partial(iam.get_policy_version, PolicyArn=ADMIN, VersionId="v2")
    assert refused(v2) == ("NoSuchEntity", 404)


@pytest.mark.parametrize(
    ("kinds", "members"),
    [
        (["User"], {"UserDetailList"}),
        (["Role"], {"RoleDetailList"}),
        (["LocalManagedPolicy"], {"Policies"}),
        (["AWSManagedPolicy"], {"Policies"}),
        (["Group"], set()),
    ],
)
def test_the_accounts_details_are_of_the_kinds_asked_for(
    caller: Caller, kinds: list[str], members: set[str]
) -> None:
    iam = caller.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account))
    iam.create_policy(PolicyName="p", PolicyDocument=allow("kms:*"))
    whole = iam.get_account_authorization_details(Filter=kinds)
    lists = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
    assert {member for member in lists if whole[member]} == members


def test_a_role_may_be_who_the_simulation_is_about_and_somebody_else_who_calls(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust(caller.account), Path="/deep/")
    role = f"arn:aws:iam::{caller.account}:role/deep/r"
    text = document({"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:*", "Resource": "*"})
    asked = {
        "PolicyInputList": [allow("sts:*")],
        "ActionNames": ["kms:Encrypt"],
        "ResourcePolicy": text,
    }
    answer = iam.simulate_custom_policy(**asked, CallerArn=role)
    assert answer["EvaluationResults"][0]["EvalDecision"] == "allowed"
    other = iam.simulate_custom_policy(**asked, CallerArn=caller.made.admin_arn)
    assert other["EvaluationResults"][0]["EvalDecision"] == "implicitDeny"
    elsewhere = partial(iam.simulate_custom_policy, **asked, CallerArn=role.replace("/deep", ""))
    assert refused(elsewhere) == ("NoSuchEntity", 404)
    no_caller = partial(iam.simulate_custom_policy, **asked)
    assert "CallerArn" in words(no_caller)


def test_what_keystead_does_not_simulate_is_refused(caller: Caller) -> None:
    iam = unchecked(caller)
    asked = {"PolicyInputList": [allow("*")], "ActionNames": ["kms:Encrypt"]}
    organization = [{"ServiceControlPolicyInputList": [allow("*")]}]
    with_scp = partial(iam.simulate_custom_policy, **asked, OrderedOrganizationPolicyInputList=organization)
    assert refused(with_scp)[1] == 400
    nameless = [{"ContextKeyValues": ["a"], "ContextKeyType": "string"}]
    assert refused(partial(iam.simulate_custom_policy, **asked, ContextEntries=nameless))[1] == 400
    one = {"PolicySourceArn": caller.made.admin_arn, "ActionNames": ["kms:Encrypt"]}
    both = [{"PolicyType": "inline", "PolicyArn": ADMIN}]
    assert refused(partial(iam.simulate_principal_policy, **one, PolicyExclusionList=both))[1] == 400
    stars = [{"PolicyArn": "arn:aws:iam::aws:policy/*a*"}]
    assert refused(partial(iam.simulate_principal_policy, **one, PolicyExclusionList=stars)) == (
        "InvalidInput",
        400,
    )


def test_the_sealed_secret_of_a_deleted_key_is_gone(caller: Caller) -> None:
    bob = user(caller, "bob")
    caller.client("iam").delete_access_key(UserName="bob", AccessKeyId=bob.access_key)

    def keys(rows: Session) -> list[str]:
        return [row.access_key_id for row in rows.exec(select(AccessKey))]

    with caller.world.worker.store.unit(Scope(caller.account, "")).read() as rows:
        assert bob.access_key not in keys(rows)
