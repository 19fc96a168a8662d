"""What LookupEvents shows of calls that came in by the front door: what was done, and what was refused."""

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from foundation.trail import verify_trail
from tests.support.world import ELSEWHERE, Caller, World


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["eventName"] == name]


def powerless(_world: World, caller: Caller) -> None:
    """Take AdministratorAccess from the user."""
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    caller.client("iam").detach_user_policy(UserName="admin", PolicyArn=arn)


def test_a_request_is_shown_with_who_where_what_and_what_came_of_it(any_world: World) -> None:
    world, caller = any_world, any_world.account()
    asked = caller.client().request_certificate(DomainName="www.example.test", IdempotencyToken="once")
    [event] = named(world.events(caller), "RequestCertificate")
    assert event["eventSource"] == "acm.amazonaws.com"
    assert event["userIdentity"]["arn"] == caller.made.admin_arn
    assert event["userIdentity"]["accessKeyId"] == caller.made.access_key_id
    assert event["requestParameters"]["DomainName"] == "www.example.test"
    assert event["responseElements"]["CertificateArn"] == asked["CertificateArn"]
    assert event["requestID"] == asked["ResponseMetadata"]["RequestId"]
    assert event["recipientAccountId"] == caller.account
    assert not event["readOnly"]
    assert caller.made.secret_access_key not in str(event)


def test_reads_and_failures_are_shown_too(world: World) -> None:
    caller = world.account()
    acm = caller.client()
    missing = f"arn:aws:acm:eu-central-1:{caller.account}:certificate/12345678-1234-1234-1234-123456789012"
    with pytest.raises(ClientError):
        acm.describe_certificate(CertificateArn=missing)
    with pytest.raises(ClientError):
        caller.client("iam").list_ssh_public_keys()
    events = world.events(caller)
    [failed] = named(events, "DescribeCertificate")
    assert failed["errorCode"] == "ResourceNotFoundException"
    assert failed["readOnly"]
    [lacking] = named(world.events(caller, ELSEWHERE), "ListSSHPublicKeys")
    assert lacking["errorCode"] == "NotImplementedException"


def test_a_denied_call_is_refused_recorded_and_does_nothing(world: World) -> None:
    caller, watcher = world.account(), world.account()
    powerless(world, caller)
    with pytest.raises(ClientError, match="is not authorized to perform: acm:RequestCertificate") as denied:
        caller.client().request_certificate(DomainName="www.example.test")
    answer: Any = denied.value.response
    assert answer["Error"]["Code"] == "AccessDeniedException"
    assert caller.client("sts").get_caller_identity()["Account"] == caller.account  # asked of nobody
    with pytest.raises(ClientError, match="AccessDenied"):
        caller.client("cloudtrail").lookup_events()
    world.scheduler.shipper.ship()
    assert named(world.events(watcher), "RequestCertificate") == []
    [event] = [found for found in recorded(world, caller) if found["eventName"] == "RequestCertificate"]
    assert event["errorCode"] == "AccessDeniedException"


def recorded(world: World, caller: Caller) -> list[dict[str, Any]]:
    """The account's events as they are in the index, for whoever may not look them up."""
    with world.scheduler.trail_index.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM trail_event WHERE account = ?", (caller.account,))
        return [json.loads(body) for (body,) in rows]


def test_the_http_apis_calls_are_in_the_same_trail(world: World) -> None:
    caller = world.account()
    assert caller.v1("POST", "/certificates", {"names": ["www.example.test"]}).status == 201
    assert caller.v1("POST", "/certificates", {"names": ["bad name"]}).status == 400
    done, refused = sorted(
        named(world.events(caller, ELSEWHERE), "RequestCertificate"), key=lambda event: "errorCode" in event
    )
    assert done["requestParameters"]["names"] == ["www.example.test"]
    assert "errorCode" not in done
    assert refused["errorCode"] == "InvalidParameterException"


def test_events_carry_the_services_time_and_the_walls(world: World) -> None:
    caller = world.account()
    world.advance(timedelta(days=100))
    caller.client("sts").get_caller_identity()
    [event] = named(world.events(caller), "GetCallerIdentity")
    assert event["keystead"]["now"] > event["keystead"]["wall"]


def test_lookups_page_filter_and_refuse_foreign_tokens(world: World) -> None:
    caller, other = world.account(), world.account()
    sts, trail = caller.client("sts"), caller.client("cloudtrail")
    for _ in range(5):
        sts.get_caller_identity()
    world.scheduler.shipper.ship()
    by_name = [{"AttributeKey": "EventName", "AttributeValue": "GetCallerIdentity"}]
    first = trail.lookup_events(LookupAttributes=by_name, MaxResults=2)
    assert len(first["Events"]) == 2
    rest = trail.lookup_events(LookupAttributes=by_name, MaxResults=50, NextToken=first["NextToken"])
    seen = {event["EventId"] for event in first["Events"] + rest["Events"]}
    assert len(seen) == 5
    for stranger in (other.client("cloudtrail"), caller.client("cloudtrail", region=ELSEWHERE)):
        with pytest.raises(ClientError, match="InvalidNextTokenException"):
            stranger.lookup_events(LookupAttributes=by_name, NextToken=first["NextToken"])
    with pytest.raises(ClientError, match="InvalidNextTokenException"):
        trail.lookup_events(NextToken=first["NextToken"])


def test_strangers_are_counted_and_belong_to_nobody(mortal_world: World) -> None:
    world = mortal_world
    caller = world.account()
    for _ in range(3):
        with pytest.raises(ClientError):
            caller.client(secret_key="x" * 40).list_certificates()
    world.worker.recorder.refusals.flush()
    assert named(world.events(caller), "ListCertificates") == []
    with world.scheduler.trail_index.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM trail_event WHERE name = 'RefusedCalls'").all()
    assert sum(body.count("InvalidSignatureException") for (body,) in rows) >= 1
    assert verify_trail(world.data / "trail").records > 0
