"""Bearer tokens: who holds one acts as its principal, until it is revoked or expires."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from foundation.identity import Bearer, BearerRefused, InvalidInput, NewAccount, NoSuchEntity
from foundation.store import Store
from foundation.wire import Request
from tests.foundation.identity.conftest import Clock, recreate_admin
from tests.support.identity import ACCOUNT, REGION, OpenCore


def asking(*authorization: str) -> Request:
    headers = (
        ("host", "h"),
        *(("authorization", value) for value in authorization),
        ("user-agent", "curl/8"),
    )
    return Request(
        method="GET", path="/v1/certificates", query="", headers=headers, body=b"", source_ip="192.0.2.9"
    )


def test_a_token_acts_as_its_principal(bearer: Bearer, account: NewAccount) -> None:
    made = bearer.create(account.admin_arn)
    assert re.fullmatch(r"ks_[A-Za-z0-9_-]{43}", made.token)
    call = bearer.authenticate(asking(f"Bearer {made.token}"), request_id="the-request")
    assert call.principal.arn == account.admin_arn == made.principal_arn
    assert (call.account, call.region, call.service, call.request_id) == (
        ACCOUNT,
        REGION,
        "acm",
        "the-request",
    )
    assert (call.source_ip, call.user_agent, call.access_key_id) == ("192.0.2.9", "curl/8", made.token_id)


def test_a_token_may_act_as_root(bearer: Bearer, account: NewAccount) -> None:
    made = bearer.create(f"arn:aws:iam::{ACCOUNT}:root")
    assert bearer.authenticate(asking(f"bearer {made.token}"), request_id="r").principal.kind == "root"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Bearer",),
        ("Bearer ",),
        ("Basic a3M6a3M=",),
        ("Bearer ks_" + "A" * 43,),
        ("Bearer ks_" + "A" * 42,),
        ("Bearer ks_" + "é" * 43,),
        ("Bearer ks_" + "A" * 43, "Bearer ks_" + "A" * 43),
        ("AWS4-HMAC-SHA256 Credential=x",),
    ],
)
def test_what_is_not_a_token_of_ours_is_refused(
    bearer: Bearer, account: NewAccount, headers: tuple[str, ...]
) -> None:
    with pytest.raises(BearerRefused):
        bearer.authenticate(asking(*headers), request_id="r")


def test_a_token_ends_at_its_time_on_the_wall_clock(
    bearer: Bearer, account: NewAccount, clock: Clock
) -> None:
    made = bearer.create(account.admin_arn, expires_in=timedelta(hours=1))
    clock.ahead = timedelta(minutes=59)
    bearer.authenticate(asking(f"Bearer {made.token}"), request_id="r")
    clock.ahead = timedelta(hours=1)
    with pytest.raises(BearerRefused):
        bearer.authenticate(asking(f"Bearer {made.token}"), request_id="r")


def test_a_revoked_token_is_refused_at_once(bearer: Bearer, account: NewAccount) -> None:
    made = bearer.create(account.admin_arn)
    bearer.revoke(made.token_id)
    with pytest.raises(BearerRefused):
        bearer.authenticate(asking(f"Bearer {made.token}"), request_id="r")
    with pytest.raises(NoSuchEntity):
        bearer.revoke(made.token_id)


def test_a_token_ends_with_its_principal_even_when_the_name_comes_back(
    bearer: Bearer, account: NewAccount, store: Store, core: OpenCore
) -> None:
    made = bearer.create(account.admin_arn)
    recreate_admin(store, core)
    with pytest.raises(BearerRefused):
        bearer.authenticate(asking(f"Bearer {made.token}"), request_id="r")


def test_a_token_is_for_a_principal_that_exists(bearer: Bearer, account: NewAccount) -> None:
    with pytest.raises(NoSuchEntity):
        bearer.create(f"arn:aws:iam::{ACCOUNT}:user/nobody")


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1), timedelta.max])
def test_a_lifetime_that_is_none_is_refused(bearer: Bearer, account: NewAccount, lifetime: timedelta) -> None:
    with pytest.raises(InvalidInput):
        bearer.create(account.admin_arn, expires_in=lifetime)


def test_the_database_does_not_hold_the_token(bearer: Bearer, account: NewAccount, tmp_path: Path) -> None:
    made = bearer.create(account.admin_arn)
    assert made.token not in repr(made)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert made.token_id.encode() in stored
    assert made.token.removeprefix("ks_").encode() not in stored
