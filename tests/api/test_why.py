"""`keystead why`: the trail says which statement, condition or grant decided."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner

from server.admin import commands
from server.admin.protocol import CommandFailed
from server.cli import why as why_command
from tests.api.iam.conftest import allow, deny, document, user
from tests.support.world import Caller, World


def asked(world: World, request_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command prints, its request answered by the scheduler as over the admin socket."""

    def call(_data: Path, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return commands.run(world.scheduler, command, arguments, print)

    monkeypatch.setattr(why_command, "call", call)
    shown = CliRunner().invoke(why_command.why, [request_id, "--data", str(world.data)])
    assert shown.exit_code == 0, shown.output
    return shown.output


def denied(call: Any) -> str:
    """The request id of a call that must fail."""
    with pytest.raises(ClientError) as refusal:
        call()
    request_id: str = refusal.value.response["ResponseMetadata"]["RequestId"]
    return request_id


@pytest.fixture
def caller(world: World) -> Caller:
    return world.account()


def test_an_allowed_call_names_its_statement(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sid = {"Sid": "Look", "Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}
    answer = user(caller, "bob", document(sid)).client("iam").get_user()
    shown = asked(world, answer["ResponseMetadata"]["RequestId"], monkeypatch)
    assert "user/bob iam:GetUser in us-east-1: done" in shown
    assert "ALLOWED, because an identity-based policy allows the iam:GetUser action" in shown
    assert "decided: the caller's policy p0, statement Look" in shown


def test_a_deny_names_its_statement(world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = user(caller, "bob", allow("iam:*"), deny("iam:List*"))
    shown = asked(world, denied(bob.client("iam").list_users), monkeypatch)
    assert "AccessDenied" in shown
    assert "DENIED by a Deny, with an explicit deny in an identity-based policy" in shown
    assert "decided: the caller's policy p1, statement #0" in shown
    assert "considered: the caller's policy p0, statement #0 (Allow): applies" in shown


def test_a_condition_that_was_not_met_is_named(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    bob = user(caller, "bob", allow("iam:ListUsers", Condition=away))
    shown = asked(world, denied(bob.client("iam").list_users), monkeypatch)
    assert "DENIED for want of an Allow" in shown
    assert "does not apply, because of its condition IpAddress aws:SourceIp" in shown


def test_a_key_policy_and_a_grant_are_named(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    kms = caller.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    bob = user(caller, "bob")
    grant = kms.create_grant(
        KeyId=key, GranteePrincipal=f"arn:aws:iam::{caller.account}:user/bob", Operations=["DescribeKey"]
    )
    token = [grant["GrantToken"]]
    answer = bob.client("kms").describe_key(KeyId=key, GrantTokens=token)
    shown = asked(world, answer["ResponseMetadata"]["RequestId"], monkeypatch)
    assert f"decided: the grant {grant['GrantId']}" in shown
    refused = denied(lambda: bob.client("kms").get_key_policy(KeyId=key))
    assert f"the grant {grant['GrantId']}: does not apply, because of its operation" in asked(
        world, refused, monkeypatch
    )


def test_a_call_that_needs_no_permission_says_so(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = caller.client("sts").get_caller_identity()
    shown = asked(world, answer["ResponseMetadata"]["RequestId"], monkeypatch)
    assert "No policy was asked" in shown


def test_an_unknown_request_has_its_own_exit_code(world: World) -> None:
    with pytest.raises(CommandFailed, match="knows no request") as failed:
        commands.run(world.scheduler, "why", {"request_id": "nothing"}, print)
    assert failed.value.status == 3


def test_a_denial_among_many_statements_stays_short(
    world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    statement = {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*", "Condition": away}
    many = caller.client("iam").create_policy(PolicyName="many", PolicyDocument=document(*[statement] * 50))
    bob = user(caller, "bob")
    for number in range(3):
        arn = many["Policy"]["Arn"]
        if number:
            made = caller.client("iam").create_policy(
                PolicyName=f"many{number}", PolicyDocument=document(*[statement] * 50)
            )
            arn = made["Policy"]["Arn"]
        caller.client("iam").attach_user_policy(UserName="bob", PolicyArn=arn)
    shown = asked(world, denied(bob.client("iam").list_users), monkeypatch)
    assert shown.count("considered:") == 100
    assert "and 50 more" in shown
