"""Callers, policies and requests that the tests of the policy engine are written with."""

import json
from collections.abc import Mapping
from typing import Any

from foundation.identity.policy import Caller, Kind, Policy, Value, compile_policy

HOME = "111122223333"
AWAY = "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{HOME}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
ACTION = "kms:Encrypt"

ROOT_ARN = f"arn:aws:iam::{HOME}:root"
USER_ARN = f"arn:aws:iam::{HOME}:user/alice"
USER_ID = "AIDAEXAMPLEALICE00001"
ROLE_ARN = f"arn:aws:iam::{HOME}:role/app"
ROLE_ID = "AROAEXAMPLEAPP0000001"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/app/one"
SESSION_ID = f"{ROLE_ID}:one"
SERVICE = "acm.amazonaws.com"


def user(account: str = HOME) -> Caller:
    return Caller(account, f"arn:aws:iam::{account}:user/alice", USER_ID, "user")


def role(account: str = HOME) -> Caller:
    return Caller(
        account,
        f"arn:aws:sts::{account}:assumed-role/app/one",
        SESSION_ID,
        "role",
        f"arn:aws:iam::{account}:role/app",
        ROLE_ID,
    )


def root(account: str = HOME) -> Caller:
    return Caller(account, f"arn:aws:iam::{account}:root", account, "root")


def service() -> Caller:
    return Caller(HOME, SERVICE, SERVICE, "service")


def operator() -> Caller:
    return Caller(HOME, "keystead:operator/uid-0", "uid-0", "operator")


CALLERS: Mapping[str, Caller] = {
    "root": root(),
    "user": user(),
    "role": role(),
    "service": service(),
    "operator": operator(),
}


def statement(effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    """One statement about ACTION on everything, but for the elements given."""
    written: dict[str, Any] = {"Effect": effect}
    if not elements.keys() & {"Action", "NotAction"}:
        written["Action"] = ACTION
    if not elements.keys() & {"Resource", "NotResource"}:
        written["Resource"] = "*"
    return {**written, **elements}


def document(*statements: Mapping[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def identity(*statements: Mapping[str, Any], name: str = "identity") -> Policy:
    return compile_policy(document(*statements), name)


def resource(*statements: Mapping[str, Any], name: str = "default") -> Policy:
    return compile_policy(document(*statements), name, Kind.RESOURCE)


def condition_met(condition: Mapping[str, Any], context: Mapping[str, Value], effect: str = "Allow") -> bool:
    """Whether a statement with that condition applies in that context."""
    policy = identity(statement(effect, Condition=condition))
    denies, allows = policy.choice(ACTION)
    return all(check(context) for check in (denies or allows)[0].checks)
