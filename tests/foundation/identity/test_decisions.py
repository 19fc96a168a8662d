"""The authorization seam: what of a call and a resource reaches the policy engine, and its answer as an error."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from msgspec import structs

from foundation.identity import (
    ADMINISTRATOR_ACCESS,
    Call,
    Permissions,
    Principal,
    Resource,
    Session,
    account_resource,
    authorize,
    decide,
    operator_call,
    service_call,
)
from foundation.identity.decisions import Denied
from foundation.identity.policy import GrantFact, Kind, compile_policy
from foundation.wire import AccessDenied
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, administrator, powerless

CERTIFICATE = f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/1"


def root() -> Call:
    principal = Principal(
        account=ACCOUNT, arn=f"arn:aws:iam::{ACCOUNT}:root", principal_id=ACCOUNT, kind="root", name="root"
    )
    return administrator().__class__(principal, ACCOUNT, "eu-central-1", "acm", "r", datetime.now(UTC))


def of_kind(kind: Literal["service", "operator"]) -> Call:
    make = service_call if kind == "service" else None
    at = datetime.now(UTC)
    if make is not None:
        return make("acm", account=ACCOUNT, region="eu-central-1", request_id="r", at=at)
    return operator_call(account=ACCOUNT, region="eu-central-1", request_id="r", at=at)


CELLS = (
    ("root at home", root(), ACCOUNT, True),
    ("root elsewhere", root(), OTHER_ACCOUNT, False),
    ("administrator at home", administrator(), ACCOUNT, True),
    ("administrator elsewhere", administrator(), OTHER_ACCOUNT, False),
    ("user without policy at home", powerless(), ACCOUNT, False),
    ("user without policy elsewhere", powerless(), OTHER_ACCOUNT, False),
    ("service at home", of_kind("service"), ACCOUNT, False),
    ("operator at home", of_kind("operator"), ACCOUNT, False),
)


@pytest.mark.parametrize(("name", "call", "owner", "allowed"), CELLS, ids=[cell[0] for cell in CELLS])
def test_each_caller_may_what_the_table_says(name: str, call: Call, owner: str, allowed: bool) -> None:
    resource = Resource(arn=CERTIFICATE, account=owner)
    assert decide(call, "acm:DescribeCertificate", resource).allowed is allowed
    if allowed:
        assert authorize(call, "acm:DescribeCertificate", resource).allowed
        return
    with pytest.raises(AccessDenied):
        authorize(call, "acm:DescribeCertificate", resource)


def test_a_denial_has_aws_words() -> None:
    with pytest.raises(AccessDenied) as denial:
        authorize(powerless(), "acm:DescribeCertificate", Resource(arn=CERTIFICATE, account=ACCOUNT))
    assert denial.value.message == (
        f"User: arn:aws:iam::{ACCOUNT}:user/nobody is not authorized to perform: acm:DescribeCertificate on resource: "
        f"{CERTIFICATE} because no identity-based policy allows the acm:DescribeCertificate action"
    )


def test_a_policy_gives_nothing_to_a_service_that_somehow_holds_it() -> None:
    principal = Principal(
        ACCOUNT, "acm.amazonaws.com", "acm", "service", "acm", policies=(ADMINISTRATOR_ACCESS,)
    )
    call = service_call("acm", account=ACCOUNT, region="eu-central-1", request_id="r", at=datetime.now(UTC))
    with pytest.raises(AccessDenied):
        authorize(Call(principal, ACCOUNT, call.region, "acm", "r", call.at), "acm:X", account_resource(call))


def test_a_call_made_for_a_caller_keeps_the_caller() -> None:
    inner = administrator().via("acm", source_arn=CERTIFICATE)
    assert inner.principal == administrator().principal
    assert (inner.via_service, inner.source_arn) == ("acm", CERTIFICATE)
    assert inner.asker == (inner.request_id, f"arn:aws:iam::{ACCOUNT}:user/admin")


KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1"


def policy(effect: str, action: str, kind: Kind = Kind.IDENTITY, **elements: Any) -> Any:
    statement = {"Effect": effect, "Action": action, "Resource": "*", **elements}
    return compile_policy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), "p", kind)


def holding(call: Call, permissions: Permissions, **facts: Any) -> Call:
    return structs.replace(call, principal=replace(call.principal, permissions=permissions, **facts))


def test_a_principal_is_judged_by_all_the_policies_it_holds() -> None:
    allows, silent = policy("Allow", "kms:*"), policy("Allow", "s3:*")
    key = Resource(arn=KEY, account=ACCOUNT)
    assert decide(holding(powerless(), Permissions((silent, allows))), "kms:Encrypt", key).allowed
    assert not decide(
        holding(powerless(), Permissions((allows,), boundary=silent)), "kms:Encrypt", key
    ).allowed
    assert not decide(holding(administrator(), Permissions(session=(silent,))), "kms:Encrypt", key).allowed


def test_an_explicit_deny_is_said_to_be_one() -> None:
    with pytest.raises(Denied) as denial:
        authorize(
            holding(administrator(), Permissions((policy("Deny", "kms:*"),))),
            "kms:Encrypt",
            Resource(arn=KEY, account=ACCOUNT),
        )
    assert denial.value.message.endswith(
        f"kms:Encrypt on resource: {KEY} with an explicit deny in an identity-based policy"
    )
    explained = denial.value.decision.verdict.explain()
    assert explained["grounds"] == [{"layer": "identity", "policy": "p", "statement": "#0"}]


def test_a_key_counts_its_own_policy_its_grants_and_the_context_of_the_call() -> None:
    key_policy = policy(
        "Allow",
        "kms:Encrypt",
        Kind.RESOURCE,
        Principal={"AWS": powerless().principal.principal_id},
        Condition={
            "Bool": {"aws:SecureTransport": "true"},
            "StringEquals": {
                "kms:ViaService": "acm",
                "aws:ResourceTag/Stage": "test",
                "aws:RequestTag/A": "1",
            },
        },
    )
    key = Resource(
        arn=KEY,
        account=ACCOUNT,
        policies=(key_policy,),
        tags={"Stage": "test"},
        conditions={"kms:viaservice": "acm"},
        request_tags={"A": "1"},
        delegates=True,
    )
    over_tls = structs.replace(powerless(), secure=True)
    assert decide(over_tls, "kms:Encrypt", key).allowed
    assert not decide(powerless(), "kms:Encrypt", key).allowed
    assert not decide(over_tls, "kms:Encrypt", structs.replace(key, conditions={})).allowed
    assert not decide(administrator(), "kms:Encrypt", key).allowed, "IAM alone gives nothing on a key"
    grant = GrantFact(
        "g", powerless().principal.principal_id, frozenset({"Decrypt"}), context_equals={"a": "1"}
    )
    granted = structs.replace(key, grants=(grant,), encryption_context={"a": "1"})
    assert decide(powerless(), "kms:Decrypt", granted).allowed
    assert not decide(powerless(), "kms:Decrypt", structs.replace(granted, encryption_context={})).allowed


def test_a_session_is_its_role_too() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/app"
    caller = holding(
        powerless(),
        Permissions(),
        arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/app/one",
        principal_id="AROAEXAMPLEAPP0000001:one",
        kind="role",
        session=Session(datetime.now(UTC), role, "AROAEXAMPLEAPP0000001"),
    )
    key_policy = policy("Allow", "kms:Encrypt", Kind.RESOURCE, Principal={"AWS": role})
    key = Resource(arn=KEY, account=ACCOUNT, policies=(key_policy,), delegates=True)
    verdict = authorize(caller, "kms:Encrypt", key).verdict
    assert [ground.statement for ground in verdict.grounds] == ["#0"]


def test_a_managed_policy_that_keystead_does_not_have_gives_nothing() -> None:
    caller = holding(powerless(), Permissions(), policies=("arn:aws:iam::aws:policy/NoSuchPolicy",))
    assert not decide(caller, "kms:Encrypt", Resource(arn=KEY, account=ACCOUNT)).allowed
