"""Temporary credentials on the wire: GetSessionToken, GetAccessKeyInfo, tokens in headers and in queries."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from foundation.identity.sessions import Claims
from tests.api.iam.conftest import Key, allow, refused, session, user, words
from tests.support.world import Caller, World


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def test_a_session_token_gives_the_user_for_half_a_day(caller: Caller) -> None:
    bob = user(caller, "bob", allow("kms:ListKeys"))
    made = bob.client("sts").get_session_token()["Credentials"]
    left = made["Expiration"] - datetime.now(UTC)
    assert timedelta(hours=11, minutes=59) < left <= timedelta(hours=12)
    temporary = session(caller, made)
    assert temporary.client("sts").get_caller_identity()["Arn"].endswith("user/bob")
    temporary.client("kms").list_keys()


def test_without_mfa_a_session_token_neither_manages_nor_multiplies(caller: Caller) -> None:
    bob = user(caller, "bob", allow("*"))
    temporary = session(caller, bob.client("sts").get_session_token(DurationSeconds=900)["Credentials"])
    assert refused(temporary.client("iam").list_users) == ("InvalidClientTokenId", 403)
    assert "session credentials" in words(temporary.client("sts").get_session_token)


def test_a_condition_on_mfa_is_not_met(caller: Caller) -> None:
    with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    bob = user(caller, "bob", allow("kms:ListKeys", Condition=with_mfa))
    temporary = session(caller, bob.client("sts").get_session_token()["Credentials"])
    assert refused(bob.client("kms").list_keys) == ("AccessDeniedException", 400)
    assert refused(temporary.client("kms").list_keys) == ("AccessDeniedException", 400)
    given = {"SerialNumber": "arn:aws:iam::111122223333:mfa/bob", "TokenCode": "123456"}
    assert "no MFA" in words(lambda: bob.client("sts").get_session_token(**given))


def test_a_session_ends_with_its_user(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob")
    temporary = session(caller, bob.client("sts").get_session_token()["Credentials"]).client("sts")
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.access_key)
    temporary.get_caller_identity()
    iam.delete_user(UserName="bob")
    assert refused(temporary.get_caller_identity) == ("InvalidClientTokenId", 403)


def test_each_part_of_temporary_credentials_belongs_to_the_others(caller: Caller) -> None:
    bob = user(caller, "bob")
    sts = bob.client("sts")
    one = session(caller, sts.get_session_token()["Credentials"])
    other = session(caller, sts.get_session_token()["Credentials"])
    assert one.session_token is not None
    invalid = ("InvalidClientTokenId", 403)
    for wrong, expected in (
        (replace(one, session_token=None), invalid),
        (replace(one, session_token=other.session_token), invalid),
        (replace(one, session_token=one.session_token[:-4] + "AAAA"), invalid),
        (replace(one, session_token="nonsense"), invalid),
        (replace(one, access_key=bob.access_key), invalid),
        (replace(one, secret_key=other.secret_key), ("SignatureDoesNotMatch", 403)),
        (replace(bob, session_token=one.session_token), invalid),
    ):
        assert refused(wrong.client("sts").get_caller_identity) == expected


def test_a_token_of_another_deployment_is_not_taken(caller: Caller, world: World) -> None:
    elsewhere = user(world.account(), "bob")
    made = elsewhere.client("sts").get_session_token()["Credentials"]
    foreign = Key(caller.world, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    # Both worlds of this test share a core, as two hosts of one deployment do; the account is only in the other.
    assert refused(foreign.client("sts").get_caller_identity) == ("InvalidClientTokenId", 403)


def test_a_presigned_request_carries_the_token_in_its_query(caller: Caller) -> None:
    bob = user(caller, "bob")
    temporary = session(caller, bob.client("sts").get_session_token()["Credentials"])
    for key in (bob, temporary):
        url = key.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
        path = url.removeprefix("https://keystead.test")
        answer = caller.world.http("GET", path)
        assert answer.status == 200
        assert b"user/bob" in answer.body
    assert temporary.session_token is not None
    stolen = url.replace("X-Amz-Security-Token=", "X-Amz-Other=").removeprefix("https://keystead.test")
    assert caller.world.http("GET", stolen).status == 403


def test_whose_a_key_is_can_be_asked_by_whoever_may(caller: Caller) -> None:
    bob = user(caller, "bob", allow("sts:GetAccessKeyInfo"))
    stranger = caller.world.account()
    temporary = stranger.client("sts").get_session_token()["Credentials"]["AccessKeyId"]
    sts = bob.client("sts")
    for key_id in (stranger.made.access_key_id, temporary):
        assert sts.get_access_key_info(AccessKeyId=key_id)["Account"] == stranger.account
    for unknown in ("AKIA" + "Z" * 16, "ASIA" + "7" * 16):
        assert refused(partial(sts.get_access_key_info, AccessKeyId=unknown)) == (
            "ValidationError",
            400,
        )


def test_an_expired_session_is_told_so(caller: Caller) -> None:
    claims = Claims(caller.account, caller.account, b"", 0, 0)
    over = caller.world.worker.sessions.issue(claims, timedelta(seconds=-1))
    key = Key(caller.world, over.access_key_id, over.secret_access_key, over.token)
    assert refused(key.client("sts").get_caller_identity) == ("ExpiredToken", 403)
    assert refused(key.client("kms").list_keys) == ("ExpiredTokenException", 400)
