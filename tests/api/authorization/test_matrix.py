"""Who may call what: every declared operation against every kind of caller (SECURITY 3.3).

Generated from the operations that the product declares: one without its parameters in `stage.TARGETS` fails. For each
cell the expected code, no change of what is stored, and a record in the trail.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import botocore.auth
import pytest
from botocore import UNSIGNED, xform_name
from botocore.compat import get_current_datetime
from botocore.exceptions import ClientError
from sqlalchemy import select
from sqlmodel import SQLModel

from foundation.identity.sessions import Claims
from foundation.trail.index import events as indexed
from foundation.wire import SERVED, Codec
from server.assembly import OPERATIONS
from tests.api.authorization.stage import TARGETS, Stage
from tests.api.iam.conftest import Key, allow, document, trust, user
from tests.support.botocore_client import client
from tests.support.world import REGION, Caller, World

ELEMENTS = [(service, name) for service, declared in OPERATIONS.items() for name in declared]
OPEN = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
"""Operations of which any valid signature may be the caller."""
LONG_LIVED_ONLY = {("sts", "GetSessionToken")}

JSON_CODES = {
    "missing": "MissingAuthenticationTokenException",
    "mismatch": "InvalidSignatureException",
    "unknown": "UnrecognizedClientException",
    "expired": "ExpiredTokenException",
    "denied": "AccessDeniedException",
}
QUERY_CODES = {
    "missing": "MissingAuthenticationToken",
    "mismatch": "SignatureDoesNotMatch",
    "unknown": "InvalidClientTokenId",
    "expired": "ExpiredToken",
    "denied": "AccessDenied",
}

# How a caller presents itself, and what is expected: a key of the tables above; "" for no error of authorization.
REFUSED = {
    "no credentials": "missing",
    "wrong signature": "mismatch",
    "expired signature": "mismatch",
    "expired session": "expired",
    "unknown key": "unknown",
    "disabled key": "unknown",
    "long-lived key with another's token": "unknown",
}
DENIED = {
    "same account, no policy": "denied",
    "allow and explicit deny": "denied",
    "outside the boundary": "denied",
    "outside the session policy": "denied",
    "condition unmet": "denied",
}


@dataclass
class Cast:
    """Everybody who calls, in one world; `account` is whose things are called upon."""

    world: World
    account: Caller
    stranger: Caller
    keys: Mapping[str, Key]
    secret: str
    """What every list of the account's users has, and nobody else can know."""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, row: str, service: str) -> Any:
        known = self._clients.get((row, service))
        if known is None:
            known = self._clients[row, service] = self._made(row, service)
        return known

    def _made(self, row: str, service: str) -> Any:
        key = self.keys[row]
        return client(
            service,
            self.world.app,
            region=REGION,
            access_key=key.access_key,
            secret_key=key.secret_key,
            session_token=key.session_token,
            options={"signature_version": UNSIGNED} if row == "no credentials" else None,
        )


@pytest.fixture(scope="module")
def cast(shared_world: World) -> Cast:
    world, caller = shared_world, shared_world.account()
    iam = caller.client("iam")
    admin = Key(world, caller.made.access_key_id, caller.made.secret_access_key)
    outside = iam.create_policy(PolicyName="outside", PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    iam.create_role(RoleName="power", AssumeRolePolicyDocument=trust(caller.made.admin_arn))
    iam.put_role_policy(RoleName="power", PolicyName="all", PolicyDocument=allow("*"))
    narrowed = caller.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{caller.account}:role/power", RoleSessionName="session", Policy=allow("s3:*")
    )["Credentials"]
    disabled = user(caller, "disabled", allow("*"))
    iam.update_access_key(UserName="disabled", AccessKeyId=disabled.access_key, Status="Inactive")
    power_id = iam.get_role(RoleName="power")["Role"]["RoleId"]
    claims = Claims(caller.account, power_id, b"", 0, 0, name="session", role_id=power_id)
    over = world.worker.sessions.issue(claims, timedelta(seconds=-1))
    elsewhere = {"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}
    stranger = world.account()
    keys = {
        "no credentials": admin,
        "wrong signature": Key(world, admin.access_key, "wrong" * 8),
        "expired signature": admin,
        "expired session": Key(world, over.access_key_id, over.secret_access_key, over.token),
        "unknown key": Key(world, "AKIA" + "Z" * 16, admin.secret_key),
        "disabled key": disabled,
        "long-lived key with another's token": Key(
            world, admin.access_key, admin.secret_key, narrowed["SessionToken"]
        ),
        "same account, no policy": user(caller, "nobody"),
        "allow and explicit deny": user(
            caller,
            "denied",
            document(
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "*", "Resource": "*"},
            ),
        ),
        "outside the boundary": user(caller, "bound", allow("*"), PermissionsBoundary=outside),
        "outside the session policy": Key(
            world, narrowed["AccessKeyId"], narrowed["SecretAccessKey"], narrowed["SessionToken"]
        ),
        "condition unmet": user(caller, "away", allow("*", Condition=elsewhere)),
        "another account": Key(world, stranger.made.access_key_id, stranger.made.secret_access_key),
        "allowed": user(caller, "allowed", allow("*")),
    }
    return Cast(world, caller, stranger, keys, iam.get_user()["User"]["UserId"])


@dataclass(frozen=True)
class Answer:
    """What came back: the code, "" for none, and the request's id."""

    code: str
    request_id: str
    text: str


def call(cast: Cast, row: str, service: str, name: str, params: Mapping[str, Any]) -> Answer:
    """Make one call as one caller."""
    method: Callable[..., Any] = getattr(cast.client(row, service), xform_name(name))
    with _late() if row == "expired signature" else nullcontext():
        try:
            answer = method(**params)
        except ClientError as error:
            answer = error.response
    return Answer(
        answer.get("Error", {}).get("Code", ""),
        answer["ResponseMetadata"]["RequestId"],
        str({name: value for name, value in answer.items() if name != "ResponseMetadata"}),
    )


def _late() -> AbstractContextManager[Any]:
    """Sign as of an hour ago."""

    def ago(remove_tzinfo: bool = True) -> datetime:
        now: datetime = get_current_datetime(remove_tzinfo)
        return now - timedelta(hours=1)

    return mock.patch.object(botocore.auth, "get_current_datetime", ago)


def stored(world: World, account: str | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every row, or those of an account; outbox rows come and go by themselves."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with world.worker.store._reader.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            if table.name == "outbox" or table.name.startswith("test_"):
                continue
            rows = select(table)
            if account is not None:
                if "account" not in table.c:
                    continue
                rows = rows.where(table.c.account == account)
            found[table.name] = sorted(tuple(row) for row in connection.execute(rows))
    return found


def recorded(world: World, request_id: str) -> list[dict[str, Any]]:
    """The records of one request."""
    return [json.loads(body) for body in world.worker.trail_index.of_request(request_id)]


def refusals(world: World, service: str, name: str) -> Iterator[tuple[str, int]]:
    """(code, count) of the refused calls that summaries tell of."""
    with world.worker.trail_index.read() as connection:
        bodies = connection.execute(select(indexed.c.body).where(indexed.c.name == "RefusedCalls")).scalars()
        for body in bodies:
            for refused in json.loads(body)["keystead"]["refused"]:
                if (refused["eventSource"], refused["eventName"]) == (service, name):
                    yield refused["errorCode"], refused["count"]


def codes(service: str) -> Mapping[str, str]:
    return QUERY_CODES if Codec.QUERY in SERVED[service] else JSON_CODES


@pytest.mark.parametrize(("service", "name"), ELEMENTS, ids=lambda part: part)
def test_each_operation_answers_each_caller_as_the_matrix_says(cast: Cast, service: str, name: str) -> None:
    target = TARGETS[service].get(name)
    assert target is not None, f"{service}:{name} has no row in the matrix: add it to stage.TARGETS"
    world, expected = cast.world, {}
    params = target(Stage(cast.account, f"{service}-{name}"))
    before = stored(world)
    answers = {row: call(cast, row, service, name, params) for row in (*REFUSED, *DENIED)}
    assert stored(world) == before
    for row, kind in (REFUSED | DENIED).items():
        expected[row] = codes(service)[kind]
        if row in DENIED and (service, name) in OPEN:
            session = row == "outside the session policy"
            expected[row] = codes(service)["denied"] if session and (service, name) in LONG_LIVED_ONLY else ""
    assert {row: answer.code for row, answer in answers.items()} == expected
    check_records(world, service, name, answers, expected)


def check_records(
    world: World, service: str, name: str, answers: Mapping[str, Answer], expected: Mapping[str, str]
) -> None:
    """One record for each call that was authenticated, and a count of the others."""
    world.worker.recorder.refusals.flush()
    world.scheduler.shipper.ship()
    for row in DENIED:
        [event] = recorded(world, answers[row].request_id)
        assert event["eventName"] == name
        assert event.get("errorCode", "") == (JSON_CODES["denied"] if expected[row] else "")
        if expected[row] and (service, name) not in OPEN:
            assert event["keystead"]["decisions"][-1]["decision"] != "allowed"
    counts: dict[str, int] = {}
    for code, count in refusals(world, service, name):
        counts[code] = counts.get(code, 0) + count
    wanted: dict[str, int] = {}
    for kind in REFUSED.values():
        wanted[JSON_CODES[kind]] = wanted.get(JSON_CODES[kind], 0) + 1
    assert counts == wanted


@pytest.mark.parametrize(("service", "name"), ELEMENTS, ids=lambda part: part)
def test_another_accounts_administrator_reaches_nothing(cast: Cast, service: str, name: str) -> None:
    world, owner = cast.world, cast.account.account
    params = TARGETS[service][name](Stage(cast.account, f"x-{service}-{name}"))
    before = stored(world, owner)
    answer = call(cast, "another account", service, name, params)
    assert stored(world, owner) == before
    assert cast.secret not in answer.text
    if owner in str(params) and name != "GetAccessKeyInfo" and not _may_name(service, name):
        assert answer.code
    world.scheduler.shipper.ship()
    [event] = recorded(world, answer.request_id)
    assert event.get("errorCode") or not answer.code
    assert event["recipientAccountId"] == cast.stranger.account


def _may_name(service: str, name: str) -> bool:
    """Whether another account's principals may be named in what one does at home."""
    return (service, name) in {("iam", "CreateRole"), ("kms", "ListRetirableGrants")}


@pytest.mark.parametrize(("service", "name"), ELEMENTS, ids=lambda part: part)
def test_who_is_allowed_gets_through(cast: Cast, service: str, name: str) -> None:
    params = TARGETS[service][name](Stage(cast.account, f"y-{service}-{name}"))
    answer = call(cast, "allowed", service, name, params)
    assert answer.code not in {*QUERY_CODES.values(), *JSON_CODES.values()}
    cast.world.scheduler.shipper.ship()
    [event] = recorded(cast.world, answer.request_id)
    assert event["userIdentity"]["userName"] == "allowed"
    if (service, name) not in OPEN:
        assert {decision["decision"] for decision in event["keystead"]["decisions"]} == {"allowed"}
