"""AssumeRole: who is trusted, for how long, what narrows the session, and what ends it."""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlmodel import Session, select

from foundation.identity.sts import assuming
from foundation.identity.tables import Entity
from foundation.store import Scope
from tests.api.iam.conftest import Key, allow, deny, document, refused, session, trust, user, words
from tests.support.world import ELSEWHERE, Caller, World


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def role(caller: Caller, trusted: str, *policies: str, name: str = "r", **options: Any) -> str:
    """A role's ARN."""
    iam = caller.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted, **options)
    for number, policy in enumerate(policies):
        iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
    arn: str = made["Role"]["Arn"]
    return arn


def assume(key: Key | Caller, arn: str, **options: Any) -> dict[str, Any]:
    """The answer of AssumeRole."""
    asked = {"RoleArn": arn, "RoleSessionName": "session", **options}
    answer: dict[str, Any] = key.client("sts").assume_role(**asked)
    return answer


def in_role(caller: Caller, arn: str, **options: Any) -> Key:
    """The session of a role that `admin` assumes."""
    return session(caller, assume(caller, arn, **options)["Credentials"])


def test_a_session_is_its_role_under_its_own_name(caller: Caller) -> None:
    arn = role(caller, trust(caller.made.admin_arn), allow("iam:ListUsers"), Path="/ci/")
    answer = assume(caller, arn)
    assumed = answer["AssumedRoleUser"]
    assert assumed["Arn"] == f"arn:aws:sts::{caller.account}:assumed-role/r/session"
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    expires = answer["Credentials"]["Expiration"] - datetime.now(UTC)
    assert timedelta(minutes=59) < expires <= timedelta(hours=1)
    key = session(caller, answer["Credentials"])
    me = key.client("sts").get_caller_identity()
    assert (me["Arn"], me["UserId"]) == (assumed["Arn"], assumed["AssumedRoleId"])
    key.client("iam").list_users()
    assert refused(key.client("iam").list_roles) == ("AccessDenied", 403)


def test_the_trail_names_the_session_and_its_role(caller: Caller) -> None:
    arn = role(caller, trust(caller.made.admin_arn))
    key = in_role(caller, arn)
    key.client("sts").get_caller_identity()
    event = next(one for one in caller.world.events(caller) if one["eventName"] == "GetCallerIdentity")
    identity = event["userIdentity"]
    assert (identity["type"], identity["accessKeyId"]) == ("AssumedRole", key.access_key)
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == arn
    assert key.secret_key not in str(event)


@pytest.mark.parametrize(
    ("trusted", "policy", "allowed"),
    [
        ("user", None, True),
        ("user", deny("sts:AssumeRole"), False),
        ("account", None, False),
        ("account", allow("sts:AssumeRole"), True),
        ("admin", allow("sts:AssumeRole"), False),
    ],
)
def test_at_home_the_trust_policy_decides_or_leaves_it_to_iam(
    caller: Caller, trusted: str, policy: str | None, allowed: bool
) -> None:
    bob = user(caller, "bob", *([] if policy is None else [policy]))
    principal = caller.account if trusted == "account" else f"arn:aws:iam::{caller.account}:user/"
    arn = role(caller, trust(principal + {"user": "bob", "account": "", "admin": "admin"}[trusted]))
    if allowed:
        assume(bob, arn)
    else:
        assert refused(lambda: assume(bob, arn)) == ("AccessDenied", 403)


@pytest.mark.parametrize(("trusts", "may"), [(True, True), (True, False), (False, True)])
def test_between_accounts_both_sides_must_allow(caller: Caller, trusts: bool, may: bool) -> None:
    guest = caller.world.account()
    bob = user(guest, "bob", *([allow("sts:AssumeRole")] if may else []))
    named = f"arn:aws:iam::{guest.account}:user/bob" if trusts else caller.made.admin_arn
    arn = role(caller, trust(named), allow("iam:ListUsers"))
    if not (trusts and may):
        assert refused(lambda: assume(bob, arn)) == ("AccessDenied", 403)
        return
    key = session(caller, assume(bob, arn)["Credentials"])
    assert [one["UserName"] for one in key.client("iam").list_users()["Users"]] == ["admin"]


def test_a_role_that_is_not_there_is_refused_as_one_that_does_not_trust(caller: Caller) -> None:
    bob = user(caller, "bob", allow("sts:AssumeRole"))
    there = role(caller, trust(caller.made.admin_arn))
    gone = there.replace("role/r", "role/g")
    assert words(lambda: assume(bob, there)).replace("role/r", "role/g") == words(lambda: assume(bob, gone))


def test_the_external_id_must_be_the_agreed_one(caller: Caller) -> None:
    agreed = {"StringEquals": {"sts:ExternalId": "agreed"}}
    arn = role(caller, trust(caller.made.admin_arn, Condition=agreed))
    assume(caller, arn, ExternalId="agreed")
    assert refused(lambda: assume(caller, arn, ExternalId="other")) == ("AccessDenied", 403)
    assert refused(lambda: assume(caller, arn)) == ("AccessDenied", 403)


def test_a_session_policy_narrows_and_never_widens(caller: Caller) -> None:
    arn = role(caller, trust(caller.made.admin_arn), allow("iam:ListUsers", "iam:ListRoles"))
    narrowed = in_role(caller, arn, Policy=allow("iam:ListUsers", "iam:ListPolicies")).client("iam")
    narrowed.list_users()
    assert "session policy" in words(narrowed.list_roles)
    assert refused(narrowed.list_policies) == ("AccessDenied", 403)
    managed = caller.client("iam").create_policy(PolicyName="m", PolicyDocument=allow("iam:ListRoles"))
    by_arn = in_role(caller, arn, PolicyArns=[{"arn": managed["Policy"]["Arn"]}]).client("iam")
    by_arn.list_roles()
    assert refused(by_arn.list_users) == ("AccessDenied", 403)
    caller.client("iam").delete_policy(PolicyArn=managed["Policy"]["Arn"])
    assert refused(by_arn.list_roles) == ("AccessDenied", 403)


def test_the_roles_boundary_limits_its_sessions(caller: Caller) -> None:
    boundary = caller.client("iam").create_policy(PolicyName="b", PolicyDocument=allow("iam:ListUsers"))
    arn = role(
        caller, trust(caller.made.admin_arn), allow("iam:*"), PermissionsBoundary=boundary["Policy"]["Arn"]
    )
    key = in_role(caller, arn).client("iam")
    key.list_users()
    assert "permissions boundary" in words(key.list_roles)


def test_a_change_of_the_role_reaches_living_sessions_at_once(caller: Caller) -> None:
    iam = caller.client("iam")
    arn = role(caller, trust(caller.made.admin_arn), allow("iam:ListUsers"))
    key = in_role(caller, arn).client("iam")
    key.list_users()
    iam.delete_role_policy(RoleName="r", PolicyName="p0")
    assert refused(key.list_users) == ("AccessDenied", 403)
    iam.delete_role(RoleName="r")
    assert refused(key.list_users) == ("InvalidClientTokenId", 403)
    role(caller, trust(caller.made.admin_arn), allow("iam:ListUsers"))
    assert refused(key.list_users) == ("InvalidClientTokenId", 403)


def test_sessions_from_before_a_moment_can_be_revoked(caller: Caller) -> None:
    arn = role(caller, trust(caller.made.admin_arn), allow("iam:ListUsers"))
    old = in_role(caller, arn).client("iam")
    old.list_users()
    moment = datetime.now(UTC) + timedelta(seconds=1)
    older = {"DateLessThan": {"aws:TokenIssueTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}}
    revoke = document({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": older})
    caller.client("iam").put_role_policy(
        RoleName="r", PolicyName="AWSRevokeOlderSessions", PolicyDocument=revoke
    )
    assert "explicit deny" in words(old.list_users)


@pytest.mark.parametrize(
    ("seconds", "longest", "works"), [(900, 3600, True), (7200, 7200, True), (7201, 7200, False)]
)
def test_a_session_lasts_no_longer_than_its_role_allows(
    caller: Caller, seconds: int, longest: int, works: bool
) -> None:
    arn = role(caller, trust(caller.made.admin_arn), MaxSessionDuration=longest)
    if not works:
        assert refused(lambda: assume(caller, arn, DurationSeconds=seconds)) == ("ValidationError", 400)
        return
    made = assume(caller, arn, DurationSeconds=seconds)["Credentials"]
    left = (made["Expiration"] - datetime.now(UTC)).total_seconds()
    assert seconds - 60 < left <= seconds


def test_a_role_assumed_from_a_role_lasts_an_hour_at_most(caller: Caller) -> None:
    first = role(caller, trust(caller.made.admin_arn), allow("sts:AssumeRole"), name="first")
    second = role(caller, trust(first), name="second", MaxSessionDuration=7200)
    key = in_role(caller, first)
    assert "role chaining" in words(lambda: assume(key, second, DurationSeconds=7200))
    assume(key, second, DurationSeconds=3600)


def test_roles_are_not_for_the_root(caller: Caller) -> None:
    arn = role(caller, trust(caller.account))
    root = root_key(caller)
    assert root.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{caller.account}:root"
    assert "root" in words(lambda: assume(root, arn))


def root_key(caller: Caller) -> Key:
    """An access key of the account's root, as an operator would make it."""
    keys = caller.world.scheduler.iam.keys
    made, secret = keys.create(caller.world.scheduler.store.unit(Scope(caller.account, "")), caller.account)
    return Key(caller.world, made.access_key_id, secret)


def test_session_tags_are_conditions_and_transitive_ones_are_handed_on(caller: Caller) -> None:
    tagging = document(
        {
            "Effect": "Allow",
            "Principal": {"AWS": caller.made.admin_arn},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    )
    red = {"StringEquals": {"aws:PrincipalTag/Team": "red"}}
    first = role(caller, tagging, allow("iam:ListUsers", Condition=red), allow("sts:*"), name="first")
    team = [{"Key": "team", "Value": "red"}]
    in_role(caller, first, Tags=team).client("iam").list_users()
    assert refused(in_role(caller, first).client("iam").list_users) == ("AccessDenied", 403)
    second = role(caller, trust(first), allow("iam:ListUsers", Condition=red), name="second")
    handed = assume(in_role(caller, first, Tags=team, TransitiveTagKeys=["team"]), second)
    session(caller, handed["Credentials"]).client("iam").list_users()
    kept = assume(in_role(caller, first, Tags=team), second)
    assert refused(session(caller, kept["Credentials"]).client("iam").list_users) == ("AccessDenied", 403)


def test_tags_and_source_identity_need_their_own_permission(caller: Caller) -> None:
    plain = role(caller, trust(caller.account), name="plain")
    bob = user(caller, "bob", allow("sts:AssumeRole"))
    assert "sts:TagSession" in words(lambda: assume(bob, plain, Tags=[{"Key": "a", "Value": "b"}]))
    assert "sts:SetSourceIdentity" in words(lambda: assume(bob, plain, SourceIdentity="alice"))


def test_what_is_wrong_with_a_request_is_said(caller: Caller) -> None:
    tagging = document({"Effect": "Allow", "Principal": {"AWS": caller.made.admin_arn}, "Action": "sts:*"})
    arn = role(caller, tagging)
    for wrong, code in (
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": allow(*(f"kms:Operation{number:04}" for number in range(200)))}, "ValidationError"),
        ({"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/NoSuchPolicy"}]}, "ValidationError"),
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "ValidationError"),
        ({"Tags": [{"Key": "a", "Value": "1"}], "TransitiveTagKeys": ["b"]}, "ValidationError"),
        ({"SerialNumber": "arn:aws:iam::111122223333:mfa/x", "TokenCode": "123456"}, "AccessDenied"),
        ({"RoleArn": "arn:aws:iam::no-such-role-anywhere"}, "AccessDenied"),
    ):
        assert refused(partial(assume, caller, arn, **wrong))[0] == code


def test_many_tags_fill_the_space_of_a_token(caller: Caller) -> None:
    tagging = document({"Effect": "Allow", "Principal": {"AWS": caller.made.admin_arn}, "Action": "sts:*"})
    arn = role(caller, tagging)
    full = [{"Key": f"k{number}", "Value": _noise(number)} for number in range(50)]
    assert 0 < assume(caller, arn, Tags=full[:5])["PackedPolicySize"] < 100
    assert refused(lambda: assume(caller, arn, Tags=full)) == ("PackedPolicyTooLarge", 400)


def _noise(number: int) -> str:
    return (hashlib.sha512(b"%d" % number).hexdigest() * 2)[:256]


def test_a_role_whose_trust_was_changed_in_the_database_trusts_nobody(world: World) -> None:
    caller = world.account()
    mallory = user(caller, "mallory", allow("sts:AssumeRole"))
    arn = role(caller, trust(caller.made.admin_arn), allow("*"))
    unique = caller.client("iam").get_user(UserName="mallory")["User"]["UserId"]

    def forge(rows: Session) -> None:
        row = next(one for one in rows.exec(select(Entity)) if one.kind == "role")
        row.trust = trust(unique)
        rows.add(row)

    world.scheduler.store.unit(Scope(caller.account, ELSEWHERE)).write(forge)
    assert refused(lambda: assume(mallory, arn)) == ("AccessDenied", 403)
    assert "changed outside of keystead" in words(lambda: assume(mallory, arn))


def test_what_a_session_inherits_cannot_be_changed(caller: Caller) -> None:
    everything = document(
        {"Effect": "Allow", "Principal": {"AWS": caller.account}, "Action": ["sts:AssumeRole", "sts:*"]}
    )
    first = role(caller, everything, allow("sts:*"), name="first")
    second = role(caller, everything, name="second")
    team = [{"Key": "Team", "Value": "red"}]
    answer = assume(caller, first, Tags=team, TransitiveTagKeys=["Team"], SourceIdentity="alice")
    assert answer["SourceIdentity"] == "alice"
    key = session(caller, answer["Credentials"])
    assert assume(key, second)["SourceIdentity"] == "alice"
    assert "source identity" in words(lambda: assume(key, second, SourceIdentity="mallory"))
    other = [{"Key": "team", "Value": "blue"}]
    assert "transitive tag" in words(lambda: assume(key, second, Tags=other))


def test_what_keystead_takes_no_part_in_is_refused(caller: Caller) -> None:
    arn = role(caller, trust(caller.made.admin_arn))
    context = [{"ProviderArn": "arn:aws:iam::aws:contextProvider/X", "ContextAssertion": "x" * 4}]
    assert refused(lambda: assume(caller, arn, ProvidedContexts=context)) == ("ValidationError", 400)
    many = [{"arn": f"arn:aws:iam::aws:policy/P{number:012}"} for number in range(11)]
    assert refused(lambda: assume(caller, arn, PolicyArns=many)) == ("ValidationError", 400)


def test_a_role_that_goes_while_it_is_being_assumed_is_denied(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = role(caller, trust(caller.made.admin_arn))
    found, looks = assuming._role, []

    def vanishing(principals: Any, name: str) -> Any:
        looks.append(name)
        return found(principals, name) if len(looks) < 3 else None

    monkeypatch.setattr(assuming, "_role", vanishing)
    assert refused(lambda: assume(caller, arn)) == ("AccessDenied", 403)
