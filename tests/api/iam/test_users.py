"""Users and their access keys, through a stock boto3 client."""

from datetime import UTC, datetime
from functools import partial

import pytest

from tests.api.iam.conftest import Key, allow, refused, user, words
from tests.support.world import ELSEWHERE, Caller, World


@pytest.fixture
def caller(shared_world: World) -> Caller:
    return shared_world.account()


def test_a_user_is_made_shown_listed_renamed_and_deleted(caller: Caller) -> None:
    iam = caller.client("iam")
    tags = [{"Key": "Team", "Value": "red"}]
    made = iam.create_user(UserName="Bob", Path="/staff/", Tags=tags)["User"]
    assert made["Arn"] == f"arn:aws:iam::{caller.account}:user/staff/Bob"
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert iam.get_user(UserName="Bob")["User"] == made
    assert [one["UserName"] for one in iam.list_users()["Users"]] == ["admin", "Bob"]
    assert [one["UserName"] for one in iam.list_users(PathPrefix="/staff/")["Users"]] == ["Bob"]
    assert iam.list_users(PathPrefix="/STAFF/")["Users"] == []
    iam.update_user(UserName="Bob", NewUserName="Robert", NewPath="/")
    renamed = iam.get_user(UserName="Robert")["User"]
    assert (renamed["UserId"], renamed["Arn"]) == (
        made["UserId"],
        f"arn:aws:iam::{caller.account}:user/Robert",
    )
    iam.delete_user(UserName="Robert")
    assert refused(lambda: iam.get_user(UserName="Robert")) == ("NoSuchEntity", 404)


def test_names_differ_by_more_than_case(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_user(UserName="Bob")
    assert refused(lambda: iam.create_user(UserName="BOB")) == ("EntityAlreadyExists", 409)
    iam.create_user(UserName="eve")
    assert refused(lambda: iam.update_user(UserName="eve", NewUserName="bob")) == ("EntityAlreadyExists", 409)
    iam.update_user(UserName="eve", NewUserName="Eve")
    assert iam.get_user(UserName="Eve")["User"]["UserName"] == "Eve"


def test_without_a_name_the_caller_is_meant(caller: Caller) -> None:
    bob = user(caller, "bob", allow("iam:*"))
    iam = bob.client("iam")
    assert iam.get_user()["User"]["UserName"] == "bob"
    assert [key["AccessKeyId"] for key in iam.list_access_keys()["AccessKeyMetadata"]] == [bob.access_key]


def test_what_is_not_there_cannot_be_told_from_what_one_may_not_see(caller: Caller) -> None:
    iam = user(caller, "bob").client("iam")
    caller.client("iam").create_user(UserName="there")
    there, gone = (words(partial(iam.get_user, UserName=name)) for name in ("there", "gone"))
    assert there.replace("there", "gone") == gone


def test_a_user_with_keys_or_policies_is_not_deleted(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob", allow("sts:*"))
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    iam.attach_user_policy(UserName="bob", PolicyArn=arn)
    assert "access keys" in words(lambda: iam.delete_user(UserName="bob"))
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.access_key)
    assert refused(lambda: iam.delete_user(UserName="bob")) == ("DeleteConflict", 409)
    iam.delete_user_policy(UserName="bob", PolicyName="p0")
    assert "detach" in words(lambda: iam.delete_user(UserName="bob"))
    iam.detach_user_policy(UserName="bob", PolicyArn=arn)
    iam.delete_user(UserName="bob")


def test_a_key_is_shown_once_works_and_is_disabled_at_once(caller: Caller) -> None:
    iam = caller.client("iam")
    iam.create_user(UserName="bob")
    made = iam.create_access_key(UserName="bob")["AccessKey"]
    assert (made["UserName"], made["Status"]) == ("bob", "Active")
    bob = Key(caller.world, made["AccessKeyId"], made["SecretAccessKey"])
    assert bob.client("sts").get_caller_identity()["Arn"].endswith("user/bob")
    assert "SecretAccessKey" not in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"][0]
    iam.update_access_key(UserName="bob", AccessKeyId=bob.access_key, Status="Inactive")
    assert refused(bob.client("sts").get_caller_identity) == ("InvalidClientTokenId", 403)
    assert refused(bob.client("kms").list_keys) == ("UnrecognizedClientException", 400)
    iam.update_access_key(UserName="bob", AccessKeyId=bob.access_key, Status="Active")
    bob.client("sts").get_caller_identity()
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.access_key)
    assert refused(bob.client("sts").get_caller_identity) == ("InvalidClientTokenId", 403)


def test_a_user_has_at_most_two_keys(caller: Caller) -> None:
    iam = caller.client("iam")
    user(caller, "bob")
    iam.create_access_key(UserName="bob")
    assert refused(lambda: iam.create_access_key(UserName="bob")) == ("LimitExceeded", 409)


def test_another_users_key_is_not_found_under_ones_name(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob")
    iam.create_user(UserName="eve")
    for call in (
        lambda: iam.delete_access_key(UserName="eve", AccessKeyId=bob.access_key),
        lambda: iam.update_access_key(UserName="eve", AccessKeyId=bob.access_key, Status="Inactive"),
        lambda: iam.delete_access_key(UserName="eve", AccessKeyId="AKIA" + "Z" * 16),
    ):
        assert refused(call) == ("NoSuchEntity", 404)
    bob.client("sts").get_caller_identity()


def test_the_last_use_of_a_key_is_what_the_trail_says(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob")
    unused = iam.get_access_key_last_used(AccessKeyId=bob.access_key)
    assert (unused["UserName"], unused["AccessKeyLastUsed"]) == (
        "bob",
        {"ServiceName": "N/A", "Region": "N/A"},
    )
    bob.client("sts", region=ELSEWHERE).get_caller_identity()
    caller.world.scheduler.shipper.ship()
    used = iam.get_access_key_last_used(AccessKeyId=bob.access_key)["AccessKeyLastUsed"]
    assert (used["ServiceName"], used["Region"]) == ("sts", ELSEWHERE)
    assert abs((used["LastUsedDate"] - datetime.now(UTC)).total_seconds()) < 60
    stranger = caller.world.account()
    other = stranger.client("iam")
    assert refused(lambda: other.get_access_key_last_used(AccessKeyId=bob.access_key)) == (
        "NoSuchEntity",
        404,
    )


def test_a_recreated_user_inherits_nothing(caller: Caller) -> None:
    iam = caller.client("iam")
    bob = user(caller, "bob", allow("iam:*"))
    iam.delete_access_key(UserName="bob", AccessKeyId=bob.access_key)
    iam.delete_user_policy(UserName="bob", PolicyName="p0")
    before = iam.get_user(UserName="bob")["User"]["UserId"]
    iam.delete_user(UserName="bob")
    again = user(caller, "bob")
    assert iam.get_user(UserName="bob")["User"]["UserId"] != before
    assert refused(again.client("iam").get_user) == ("AccessDenied", 403)


def test_secrets_are_never_in_the_trail(caller: Caller) -> None:
    bob = user(caller, "bob")
    events = caller.world.events(caller, ELSEWHERE)
    made = next(event for event in events if event["eventName"] == "CreateAccessKey")
    assert made["responseElements"]["AccessKey"]["AccessKeyId"] == bob.access_key
    assert bob.secret_key not in str(events)


def test_accounts_do_not_see_each_other(caller: Caller) -> None:
    stranger = caller.world.account()
    caller.client("iam").create_user(UserName="bob")
    iam = stranger.client("iam")
    assert refused(lambda: iam.get_user(UserName="bob")) == ("NoSuchEntity", 404)
    assert [one["UserName"] for one in iam.list_users()["Users"]] == ["admin"]


def test_pages_are_short_whole_and_bound_to_their_list(caller: Caller) -> None:
    iam = caller.client("iam")
    for number in range(5):
        iam.create_user(UserName=f"user{number}")
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}))
    names = [one["UserName"] for page in pages for one in page["Users"]]
    assert (len(pages), names) == (3, ["admin", *(f"user{number}" for number in range(5))])
    marker = iam.list_users(MaxItems=2)["Marker"]
    assert refused(lambda: iam.list_roles(Marker=marker)) == ("ValidationError", 400)
    assert refused(lambda: iam.list_users(Marker="nonsense")) == ("ValidationError", 400)
    other = caller.world.account().client("iam")
    assert refused(lambda: other.list_users(Marker=marker)) == ("ValidationError", 400)
