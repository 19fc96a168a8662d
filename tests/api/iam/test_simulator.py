"""The policy simulator answers as the engine decides for real."""

from typing import Any

import pytest

from tests.api.iam.conftest import allow, deny, document, refused, trust, user
from tests.support.world import Caller, World

KEY = "arn:aws:kms:eu-central-1:{account}:key/12345678-1234-1234-1234-123456789012"


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def decisions(answer: dict[str, Any]) -> list[str]:
    return [result["EvalDecision"] for result in answer["EvaluationResults"]]


def test_a_principals_policies_are_simulated_for_each_action_and_resource(caller: Caller) -> None:
    iam = caller.client("iam")
    user(caller, "bob", allow("kms:Enc*"), deny("kms:Encrypt", resource="arn:aws:kms:*:*:key/2"))
    arn = f"arn:aws:iam::{caller.account}:user/bob"
    keys = [f"arn:aws:kms:eu-central-1:{caller.account}:key/{number}" for number in (1, 2)]
    answer = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=["kms:Encrypt", "kms:Decrypt"], ResourceArns=keys
    )
    assert decisions(answer) == ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]
    assert answer["EvaluationResults"][0]["EvalResourceName"] == keys[0]
    assert answer["EvaluationResults"][0]["MatchedStatements"] == [
        {"SourcePolicyId": "p0", "SourcePolicyType": "user"}
    ]


def test_the_simulator_agrees_with_what_happens(caller: Caller) -> None:
    bob = user(caller, "bob", allow("iam:GetUser", "iam:ListUsers"), deny("iam:ListUsers"))
    answer = caller.client("iam").simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{caller.account}:user/bob",
        ActionNames=["iam:GetUser", "iam:ListUsers"],
    )
    assert decisions(answer) == ["allowed", "explicitDeny"]
    bob.client("iam").get_user()
    assert refused(bob.client("iam").list_users) == ("AccessDenied", 403)


def test_context_is_given_and_what_is_missing_is_named(caller: Caller) -> None:
    iam = caller.client("iam")
    text = allow("kms:*", Condition={"StringEquals": {"kms:ViaService": "s3", "aws:TagKeys": "a"}})
    asked: dict[str, Any] = {"PolicyInputList": [text], "ActionNames": ["kms:Encrypt"]}
    without = iam.simulate_custom_policy(**asked)
    assert decisions(without) == ["implicitDeny"]
    assert without["EvaluationResults"][0]["MissingContextValues"] == ["aws:TagKeys", "kms:ViaService"]
    entries = [
        {"ContextKeyName": "KMS:viaservice", "ContextKeyValues": ["s3"], "ContextKeyType": "string"},
        {"ContextKeyName": "aws:TagKeys", "ContextKeyValues": ["a", "b"], "ContextKeyType": "stringList"},
    ]
    given = iam.simulate_custom_policy(**asked, ContextEntries=entries)
    assert decisions(given) == ["allowed"]
    assert given["EvaluationResults"][0]["MissingContextValues"] == []


def test_boundaries_limit_what_is_simulated(caller: Caller) -> None:
    iam = caller.client("iam")
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=allow("kms:*"))["Policy"]["Arn"]
    iam.create_role(
        RoleName="r", AssumeRolePolicyDocument=trust(caller.made.admin_arn), PermissionsBoundary=boundary
    )
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("*"))
    arn = f"arn:aws:iam::{caller.account}:role/r"
    asked: dict[str, Any] = {"PolicySourceArn": arn, "ActionNames": ["kms:Encrypt", "sts:AssumeRole"]}
    answer = iam.simulate_principal_policy(**asked)
    assert decisions(answer) == ["allowed", "implicitDeny"]
    detail = answer["EvaluationResults"][1]["PermissionsBoundaryDecisionDetail"]
    assert detail == {"AllowedByPermissionsBoundary": False}
    other = iam.simulate_principal_policy(**asked, PermissionsBoundaryPolicyInputList=[allow("sts:*")])
    assert decisions(other) == ["implicitDeny", "allowed"]
    free = iam.simulate_principal_policy(**asked, PolicyExclusionList=[{"PolicyArn": boundary}])
    assert decisions(free) == ["allowed", "allowed"]


@pytest.mark.parametrize(
    ("left_out", "inline", "managed"),
    [
        ({"PolicyType": "inline"}, False, True),
        ({"PolicyType": "aws-managed"}, True, False),
        ({"PolicyArn": "arn:aws:iam::aws:policy/IAM*Access"}, True, False),
        ({"PolicyArn": "arn:aws:iam::aws:policy/Other*"}, True, True),
        (
            {
                "InlinePolicyIdentifier": {
                    "PolicyName": "p0",
                    "AttachmentType": "user",
                    "AttachmentName": "bob",
                }
            },
            False,
            True,
        ),
        (
            {
                "InlinePolicyIdentifier": {
                    "PolicyName": "p0",
                    "AttachmentType": "role",
                    "AttachmentName": "bob",
                }
            },
            True,
            True,
        ),
    ],
)
def test_policies_can_be_left_out(
    caller: Caller, left_out: dict[str, Any], inline: bool, managed: bool
) -> None:
    iam = caller.client("iam")
    user(caller, "bob", allow("kms:*"))
    iam.attach_user_policy(UserName="bob", PolicyArn="arn:aws:iam::aws:policy/IAMReadOnlyAccess")
    answer = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{caller.account}:user/bob",
        ActionNames=["kms:Encrypt", "iam:GetUser"],
        PolicyExclusionList=[left_out],
    )
    assert [decision == "allowed" for decision in decisions(answer)] == [inline, managed]


def test_a_resources_policy_takes_part(caller: Caller) -> None:
    iam = caller.client("iam")
    user(caller, "bob")
    bob = f"arn:aws:iam::{caller.account}:user/bob"
    text = document({"Effect": "Allow", "Principal": {"AWS": bob}, "Action": "kms:Decrypt", "Resource": "*"})
    answer = iam.simulate_principal_policy(
        PolicySourceArn=bob,
        ActionNames=["kms:Decrypt", "kms:Encrypt"],
        ResourceArns=[KEY.format(account=caller.account)],
        ResourcePolicy=text,
    )
    assert decisions(answer) == ["allowed", "implicitDeny"]
    matched = answer["EvaluationResults"][0]["MatchedStatements"]
    assert matched == [{"SourcePolicyId": "ResourcePolicy.1", "SourcePolicyType": "resource"}]


def test_what_cannot_be_simulated_is_refused_clearly(caller: Caller) -> None:
    iam = caller.client("iam")
    one = {"ActionNames": ["kms:Encrypt"]}
    invalid, missing = ("InvalidInput", 400), ("NoSuchEntity", 404)
    text, principal = allow("*"), f"arn:aws:iam::{caller.account}:user/admin"

    def custom(**more: Any) -> tuple[str, int]:
        return refused(lambda: iam.simulate_custom_policy(**{"PolicyInputList": [text], **one, **more}))

    def of(arn: str, **more: Any) -> tuple[str, int]:
        return refused(lambda: iam.simulate_principal_policy(PolicySourceArn=arn, **one, **more))

    assert custom(PolicyInputList=["{"]) == invalid
    assert custom(ResourcePolicy=document()) == invalid
    assert custom(ResourceOwner="somebody") == invalid
    entry = {"ContextKeyName": "kms:ViaService", "ContextKeyValues": ["1", "2"], "ContextKeyType": "string"}
    assert custom(ContextEntries=[entry]) == invalid
    assert of(f"arn:aws:iam::{caller.account}:user/nobody") == missing
    assert of("arn:aws:iam::999999999999:user/nobody") == missing
    assert of(f"arn:aws:iam::{caller.account}:root") == invalid
    for odd in (
        "arn:aws:iam::aws:policy/*/*",
        "arn:aws:iam::aws:user/everybody",
        "arn:aws:iam::*:policy/Some",
    ):
        assert of(principal, PolicyExclusionList=[{"PolicyArn": odd}]) == invalid


def test_results_come_in_pages(caller: Caller) -> None:
    iam = caller.client("iam")
    actions = [f"kms:Op{number}" for number in range(7)]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[allow("*")], ActionNames=actions, PaginationConfig={"PageSize": 3}
    )
    assert [one["EvalActionName"] for page in pages for one in page["EvaluationResults"]] == actions
