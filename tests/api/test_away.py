"""What callers are told while something below is away, and that they are served again when it is back."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.world import World, problem


def test_calls_are_retryable_errors_while_the_core_is_gone_and_work_when_it_is_back(
    mortal_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = mortal_world
    monkeypatch.setattr(world.worker.core, "_deadline", 1.0)  # five times sooner than in the product
    caller = world.account()
    token = caller.token()
    acm = caller.client()
    acm.list_certificates()
    assert world.http("GET", "/readyz").status == 200
    pid = world.core.pid

    world.core.kill()
    wanted = {"DomainName": "a.example.test", "KeyAlgorithm": "EC_prime256v1", "IdempotencyToken": "once"}
    for operation, given in ((acm.list_certificates, {}), (acm.request_certificate, wanted)):
        with pytest.raises(ClientError) as away:
            operation(**given)
        answer: Any = away.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert answer["Error"]["Code"] == "ServiceUnavailableException"
        assert "retry-after" in answer["ResponseMetadata"]["HTTPHeaders"]
    answered = caller.v1("GET", "/certificates", token=token)
    status, code, _ = problem(answered)
    assert (status, code) == (503, "ServiceUnavailableException")
    assert dict(answered.headers)["Retry-After"] == "1"
    assert world.http("GET", "/healthz").status == 200
    ready = world.http("GET", "/readyz")
    assert ready.status == 503
    assert b"key core" in ready.body
    assert (
        world.http("GET", "/pki/roots.pem").status == 404
    )  # nothing issued yet; the database is asked, not the core

    world.core.start_again()
    assert world.core.pid != pid
    # The outcome of a call that got a 503 is not known; with its token it may be repeated, and happens once.
    arn = acm.request_certificate(**wanted)["CertificateArn"]
    everything = acm.list_certificates(Includes={"keyTypes": ["EC_prime256v1"]})["CertificateSummaryList"]
    assert [item["CertificateArn"] for item in everything] == [arn]
    assert caller.v1("GET", "/certificates", token=token).status == 200
    world.publish(acm.describe_certificate(CertificateArn=arn)["Certificate"])
    world.run_due()
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"


def test_a_stock_client_that_retries_does_not_notice_a_restart(mortal_world: World) -> None:
    world = mortal_world
    caller = world.account()
    acm = caller.client(attempts=5)
    acm.list_certificates()
    world.core.restart()
    assert acm.list_certificates()["CertificateSummaryList"] == []


def test_a_certificate_asked_for_while_the_core_dies_is_issued_by_the_next(mortal_world: World) -> None:
    world = mortal_world
    acm = world.account().client()
    arn = acm.request_certificate(DomainName="a.example.test", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    world.publish(acm.describe_certificate(CertificateArn=arn)["Certificate"])
    world.core.restart()
    world.run_due()
    assert acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED"
