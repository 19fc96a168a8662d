"""A process that dies anywhere between request and certificate: the work goes on and nothing is issued twice."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from acm import InvalidParameter
from acm.tables import Certificate
from ca.tables import CertificateRow
from foundation.store import SYSTEM, Scope, Unit
from tests.acm.world import ACCOUNT, LEASE, REGION, Crash, World, public_key_of, signing_request, spki

LATER = LEASE + timedelta(seconds=1)


def signed(world: World, scope: Scope) -> list[CertificateRow]:
    """What the CA gave out or may have given out under ACM's claims."""
    with world.store.unit(scope).read() as session:
        rows = session.exec(select(CertificateRow)).all()
    return [row for row in rows if "/acm/" in row.claim]


def crash_in_job(world: World, kind: str) -> None:
    for claim in world.claims(kind):
        with pytest.raises(Crash):
            world.jobs[kind].run(claim)


def lease_runs_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases are on the wall clock, which tests do not move: let the store believe that it is later."""
    wall = world.store._wall
    monkeypatch.setattr(world.store, "_wall", lambda: wall() + LATER)


@pytest.mark.parametrize("after", ["generate_key", "sign"])
def test_a_crash_in_the_job_is_made_good_by_the_next_holder(
    any_world: World, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, acm = any_world, any_world.acm()
    world.ca().deployment_hierarchy()
    arn = acm.request("example.com", key_algorithm="EC_prime256v1")
    world.publish(acm.view(arn))
    world.moment += timedelta(seconds=1)
    world.jobs["acm.validate"].run(world.claims("acm.validate")[0])
    world.core.dies = after
    crash_in_job(world, "acm.issue")
    assert acm.view(arn).status == "PENDING_VALIDATION"
    intents = signed(world, SYSTEM)
    assert [row.status for row in intents] == ([] if after == "generate_key" else ["INTENT"])
    lease_runs_out(world, monkeypatch)
    world.advance(timedelta(minutes=1))
    view = acm.view(arn)
    assert view.status == "ISSUED"
    issued = signed(world, SYSTEM)
    assert len(issued) == 1
    assert [row.serial for row in intents] in ([], [issued[0].serial])
    assert view.serial is not None
    assert view.serial.replace(":", "") == issued[0].serial


def test_a_crash_between_the_cas_result_and_acms_gives_the_same_certificate(
    any_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, acm = any_world, any_world.acm()
    view = world.issued()
    world.moment += timedelta(days=154)
    world.dies_after_issuing = True
    crash_in_job(world, "acm.renew")
    assert len(signed(world, SYSTEM)) == 2
    assert acm.view(view.arn).serial == view.serial
    lease_runs_out(world, monkeypatch)
    world.run_due()
    renewed = acm.view(view.arn)
    assert renewed.serial != view.serial
    assert len(signed(world, SYSTEM)) == 2
    assert len(world.core.labels) == 2


def test_a_csr_whose_call_died_is_issued_by_the_job(any_world: World) -> None:
    world = any_world
    authority = world.private_ca
    pem, key = signing_request("db.example.com")
    world.core.dies = "sign"
    with pytest.raises(Crash):
        world.acm().request_from_csr(pem, authority_arn=authority, token="t")
    world.advance(timedelta(minutes=1))
    view = world.acm().request_from_csr(pem, authority_arn=authority, token="t")
    assert view.status == "ISSUED"
    assert public_key_of(view) == spki(key.public_key())
    assert len(signed(world, Scope(ACCOUNT, REGION))) == 1
    assert world.claims("acm.issue") == []


def test_a_repeated_call_finishes_what_the_first_left(any_world: World) -> None:
    world = any_world
    authority = world.private_ca
    pem, _ = signing_request("db.example.com")
    world.core.dies = "sign"
    with pytest.raises(Crash):
        world.acm().request_from_csr(pem, authority_arn=authority, token="t")
    view = world.acm().request_from_csr(pem, authority_arn=authority, token="t")
    assert view.status == "ISSUED"
    assert len(signed(world, Scope(ACCOUNT, REGION))) == 1


def test_a_certificate_deleted_while_it_is_signed_stays_deleted(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("db.example.com", authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    claim = world.claims("acm.issue")[0]
    world.core.dies = "sign"
    with pytest.raises(Crash):
        world.jobs["acm.issue"].run(claim)
    acm.delete(arn)
    world.advance(timedelta(minutes=10))
    with world.store.unit(Scope(ACCOUNT, REGION)).read() as session:
        assert _none_left(session)


def _none_left(session: Session) -> bool:
    return session.exec(select(Certificate)).first() is None


def test_a_csr_under_a_private_ca_takes_two_commits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, (pem, _) = world.private_ca, signing_request("db.example.com")
    commits = []
    write = Unit.write

    def counted(unit: Unit, body: Any) -> Any:
        commits.append(unit.scope)
        return write(unit, body)

    monkeypatch.setattr(Unit, "write", counted)
    assert world.acm().request_from_csr(pem, authority_arn=authority, token="t").status == "ISSUED"
    assert len(commits) == 2


def test_a_csr_that_the_private_ca_refuses_leaves_nothing(any_world: World) -> None:
    world = any_world
    authority = world.private_ca
    pem, _ = signing_request("db.example.com")
    world.moment += timedelta(days=4000)  # the CA's own time is over
    with pytest.raises(InvalidParameter, match="EXPIRED"):
        world.acm().request_from_csr(pem, authority_arn=authority, token="t")
    assert world.store.next_due(tuple(world.jobs)) is None
    assert signed(world, Scope(ACCOUNT, REGION)) == []
    with world.store.unit(Scope(ACCOUNT, REGION)).read() as session:
        assert _none_left(session)
