"""The main job by stock boto3 clients: asked for, proven by CNAME, issued, verified, renewed; and whose it is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from tests.support.world import ELSEWHERE, REGION, Caller, World, records

EC = {"ValidationMethod": "DNS", "KeyAlgorithm": "EC_prime256v1"}


def asked(acm: Any, name: str = "www.example.test", **more: Any) -> str:
    arn: str = acm.request_certificate(DomainName=name, **{**EC, **more})["CertificateArn"]
    return arn


def described(acm: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def verified(world: World, acm: Any, arn: str, name: str) -> x509.Certificate:
    """The certificate, after a TLS client of the deployment's roots has accepted its chain at the service's time."""
    answer = acm.get_certificate(CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    chain = x509.load_pem_x509_certificates(answer["CertificateChain"].encode())
    policy = PolicyBuilder().store(Store(world.roots())).time(world.worker.clock.now())
    built = policy.build_server_verifier(x509.DNSName(name)).verify(leaf, chain)
    assert len(built) == 3
    return leaf


def issued(world: World, caller: Caller, name: str = "www.example.test", **more: Any) -> str:
    acm = caller.client()
    arn = asked(acm, name, **more)
    world.publish(described(acm, arn))
    world.run_due()
    assert described(acm, arn)["Status"] == "ISSUED"
    return arn


def test_a_name_that_is_proven_gets_a_certificate_that_renews_under_its_arn(any_world: World) -> None:
    world, acm = any_world, any_world.account().client()
    arn = asked(acm)
    pending = described(acm, arn)
    assert pending["Status"] == "PENDING_VALIDATION"
    assert pending["DomainValidationOptions"][0]["ResourceRecord"]["Type"] == "CNAME"
    world.publish(pending)
    world.run_due()
    first = verified(world, acm, arn, "www.example.test")
    assert described(acm, arn)["Status"] == "ISSUED"

    world.advance(timedelta(days=160))
    second = verified(world, acm, arn, "www.example.test")
    assert second.serial_number != first.serial_number
    assert second.public_key() != first.public_key()
    assert second.not_valid_after_utc > first.not_valid_after_utc
    assert described(acm, arn)["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert [item["CertificateArn"] for item in listed(acm)] == [arn]


def listed(acm: Any) -> list[dict[str, Any]]:
    every = {"keyTypes": ["RSA_2048", "RSA_4096", "EC_prime256v1", "EC_secp384r1"]}
    found: list[dict[str, Any]] = acm.list_certificates(Includes=every)["CertificateSummaryList"]
    return found


def test_two_accounts_cannot_see_each_other(world: World) -> None:
    ours, theirs = world.account(), world.account()
    arn = issued(world, ours)
    stranger = theirs.client()
    for operation in (
        stranger.describe_certificate,
        stranger.get_certificate,
        stranger.delete_certificate,
        stranger.list_tags_for_certificate,
    ):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            operation(CertificateArn=arn)
    assert listed(stranger) == []
    assert [
        event["eventName"] for event in world.events(theirs) if event["eventName"] == "RequestCertificate"
    ] == []
    assert described(ours.client(), arn)["Status"] == "ISSUED"


def test_accounts_prove_the_same_name_by_records_of_their_own(world: World) -> None:
    one, two = world.account().client(), world.account().client()
    assert records(described(one, asked(one))) != records(described(two, asked(two)))


def test_regions_and_repeats_of_one_account_share_the_record(world: World) -> None:
    caller = world.account()
    here, there = caller.client(), caller.client(region=ELSEWHERE)
    first, second = asked(here), asked(there)
    assert f":{REGION}:" in first
    assert f":{ELSEWHERE}:" in second
    shown = records(described(here, first))
    assert records(described(there, second)) == shown
    here.delete_certificate(CertificateArn=first)
    assert records(described(here, asked(here))) == shown
    world.publish(described(there, second))
    world.run_due()
    assert described(there, second)["Status"] == "ISSUED"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        here.describe_certificate(CertificateArn=second)


def test_apex_and_wildcard_are_proven_by_one_record(world: World) -> None:
    acm = world.account().client()
    arn = asked(acm, "example.test", SubjectAlternativeNames=["*.example.test"])
    assert len(records(described(acm, arn))) == 1
    world.publish(described(acm, arn))
    world.run_due()
    verified(world, acm, arn, "any.example.test")
    verified(world, acm, arn, "example.test")


def test_a_private_ca_of_the_account_issues_without_dns(any_world: World) -> None:
    world, caller = any_world, any_world.account()
    authority, root = world.private_ca(caller)
    acm = caller.client()
    arn = acm.request_certificate(
        DomainName="db.internal.test", CertificateAuthorityArn=authority, KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]
    world.run_due()
    shown = described(acm, arn)
    assert shown["Status"] == "ISSUED"
    assert shown["Type"] == "PRIVATE"
    assert shown["CertificateAuthorityArn"] == authority
    chain = acm.get_certificate(CertificateArn=arn)["CertificateChain"]
    leaf = x509.load_pem_x509_certificate(acm.get_certificate(CertificateArn=arn)["Certificate"].encode())
    trusted = Store(x509.load_pem_x509_certificates(root.encode()))
    verifier = PolicyBuilder().store(trusted).time(world.worker.clock.now())
    verifier.build_server_verifier(x509.DNSName("db.internal.test")).verify(
        leaf, x509.load_pem_x509_certificates(chain.encode())
    )


def test_another_accounts_ca_issues_nothing(world: World) -> None:
    authority, _ = world.private_ca(world.account())
    acm = world.account().client()
    with pytest.raises(ClientError) as refused:
        acm.request_certificate(DomainName="db.internal.test", CertificateAuthorityArn=authority)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert listed(acm) == []


def test_a_name_nobody_proves_times_out(make_world: Callable[..., World]) -> None:
    world = make_world({"validation.timeout_hours": "2"})
    acm = world.account().client()
    arn = asked(acm)
    world.advance(timedelta(minutes=100))
    assert described(acm, arn)["Status"] == "PENDING_VALIDATION"
    world.advance(timedelta(minutes=30))
    assert described(acm, arn)["Status"] == "VALIDATION_TIMED_OUT"
    with pytest.raises(ClientError):
        acm.get_certificate(CertificateArn=arn)


def test_a_record_that_vanished_fails_the_renewal_and_leaves_the_old_certificate(world: World) -> None:
    acm = (caller := world.account()).client()
    arn = issued(world, caller)
    before = verified(world, acm, arn, "www.example.test")
    world.withdraw(described(acm, arn))
    world.advance(timedelta(days=160))
    waiting = described(acm, arn)
    assert waiting["Status"] == "ISSUED"
    assert waiting["RenewalSummary"]["RenewalStatus"] == "PENDING_VALIDATION"
    assert verified(world, acm, arn, "www.example.test").serial_number == before.serial_number
    world.advance(timedelta(days=40))
    ended = described(acm, arn)
    assert ended["Status"] == "EXPIRED"
    assert ended["RenewalSummary"]["RenewalStatus"] == "FAILED"


def test_a_record_that_comes_back_in_time_renews(world: World) -> None:
    acm = (caller := world.account()).client()
    arn = issued(world, caller)
    before = verified(world, acm, arn, "www.example.test")
    world.withdraw(described(acm, arn))
    world.advance(timedelta(days=160))
    world.publish(described(acm, arn))
    world.advance(timedelta(days=2))
    assert verified(world, acm, arn, "www.example.test").serial_number != before.serial_number
