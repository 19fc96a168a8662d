"""The global condition keys: which callers have which, and in what form."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from foundation.identity import Call, Principal, Session, operator_call, service_call
from foundation.identity.policy import Value
from foundation.identity.policy.context import GLOBAL_KEYS, CallContext
from tests.foundation.identity.policy.samples import (
    HOME,
    ROLE_ARN,
    ROLE_ID,
    SESSION_ARN,
    SESSION_ID,
    USER_ARN,
    USER_ID,
)

AT = datetime(2026, 3, 1, 12, 0, 5, 999_999, tzinfo=UTC)
ISSUED = AT - timedelta(hours=1)
CERTIFICATE = f"arn:aws:acm:eu-central-1:{HOME}:certificate/1"

USER = Principal(HOME, USER_ARN, USER_ID, "user", "alice", tags=(("Team", "red"),))
ROOT = Principal(HOME, f"arn:aws:iam::{HOME}:root", HOME, "root", "root")
ROLE = Principal(
    HOME, SESSION_ARN, SESSION_ID, "role", "app", session=Session(ISSUED, ROLE_ARN, ROLE_ID, source_identity="alice")
)  # fmt: skip


def call(principal: Principal) -> Call:
    return Call(
        principal,
        HOME,
        "eu-central-1",
        "kms",
        "r",
        AT,
        "192.0.2.7",
        "Boto3/1.44.8",
        "AKIAEXAMPLE",
        secure=True,
    )


CALLS = {
    "user": call(USER),
    "user with MFA": call(replace(USER, session=Session(ISSUED, mfa_at=ISSUED))),
    "role": call(ROLE),
    "root": call(ROOT),
    "via": call(USER).via("acm", source_arn=CERTIFICATE),
    "via without an ARN": call(USER).via("acm", source_arn="elsewhere"),
    "service": service_call("acm", account=HOME, region="eu-central-1", request_id="r", at=AT),
    "operator": operator_call(account=HOME, region="eu-central-1", request_id="r", at=AT),
}

VALUES: tuple[tuple[str, str, Value | None], ...] = (
    ("user", "aws:principalarn", USER_ARN),
    ("user", "aws:principalaccount", HOME),
    ("user", "aws:principaltype", "User"),
    ("user", "aws:principalisawsservice", "false"),
    ("user", "aws:principalservicename", None),
    ("user", "aws:userid", USER_ID),
    ("user", "aws:username", "alice"),
    ("user", "aws:sourceip", "192.0.2.7"),
    ("user", "aws:securetransport", "true"),
    ("user", "aws:currenttime", "2026-03-01T12:00:05Z"),
    ("user", "aws:epochtime", "1772366405"),
    ("user", "aws:requestedregion", "eu-central-1"),
    ("user", "aws:useragent", "Boto3/1.44.8"),
    ("user", "aws:viaawsservice", "false"),
    ("user", "aws:calledvia", None),
    ("user", "aws:calledviafirst", None),
    ("user", "aws:sourcearn", None),
    ("user", "aws:sourceaccount", None),
    ("user", "aws:sourceidentity", None),
    ("user", "aws:tokenissuetime", None),
    ("user", "aws:multifactorauthpresent", None),
    ("user", "aws:multifactorauthage", None),
    ("user", "aws:principaltag/team", "red"),
    ("user", "aws:principaltag/other", None),
    ("user", "aws:principaltag", None),
    ("user", "aws:nosuchkey", None),
    ("user", "other/key", None),
    ("user with MFA", "aws:tokenissuetime", "2026-03-01T11:00:05Z"),
    ("user with MFA", "aws:multifactorauthpresent", "true"),
    ("user with MFA", "aws:multifactorauthage", "3600"),
    ("user with MFA", "aws:principalarn", USER_ARN),
    ("role", "aws:principalarn", ROLE_ARN),
    ("role", "aws:principaltype", "AssumedRole"),
    ("role", "aws:userid", SESSION_ID),
    ("role", "aws:username", None),
    ("role", "aws:sourceidentity", "alice"),
    ("role", "aws:multifactorauthpresent", "false"),
    ("role", "aws:multifactorauthage", None),
    ("root", "aws:principaltype", "Account"),
    ("root", "aws:userid", HOME),
    ("root", "aws:username", None),
    ("via", "aws:viaawsservice", "true"),
    ("via", "aws:calledvia", ("acm.amazonaws.com",)),
    ("via", "aws:calledviafirst", "acm.amazonaws.com"),
    ("via", "aws:calledvialast", "acm.amazonaws.com"),
    ("via", "aws:sourcearn", CERTIFICATE),
    ("via", "aws:sourceaccount", HOME),
    ("via without an ARN", "aws:sourceaccount", None),
    ("service", "aws:principalarn", None),
    ("service", "aws:principalaccount", None),
    ("service", "aws:principaltype", "Service"),
    ("service", "aws:principalisawsservice", "true"),
    ("service", "aws:principalservicename", "acm.amazonaws.com"),
    ("service", "aws:securetransport", "false"),
    ("operator", "aws:principaltype", None),
)


@pytest.mark.parametrize(("caller", "key", "value"), VALUES)
def test_a_call_has_the_value_of_a_key(caller: str, key: str, value: Value | None) -> None:
    assert CallContext(CALLS[caller]).get(key) == value


def test_every_global_key_is_in_the_table() -> None:
    assert {key for _, key, _ in VALUES} >= GLOBAL_KEYS.keys()


def test_tags_have_keys_of_their_own_and_the_service_has_the_last_word() -> None:
    context = CallContext(
        CALLS["user"],
        {"kms:viaservice": "acm", "aws:sourceip": "mine"},
        {"Stage": "test"},
        {"Cost": "1", "Team": "2"},
    )
    assert context.get("aws:resourcetag/stage") == "test"
    assert context.get("aws:requesttag/cost") == "1"
    assert context.get("aws:tagkeys") == ("Cost", "Team")
    assert context.get("kms:viaservice") == "acm"
    assert context.get("aws:sourceip") == "mine"
    untagged = CallContext(CALLS["user"])
    assert untagged.get("aws:tagkeys") is None
    assert untagged.get("aws:requesttag/cost") is None
    assert untagged.get("aws:resourcetag/stage") is None
