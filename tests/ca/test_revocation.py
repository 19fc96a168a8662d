"""Revoking, and CRLs whose numbers only rise."""

import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from ca import (
    AuthorityState,
    AuthorityView,
    CertificateNotFound,
    CertificateState,
    NotPublished,
    OrderRefused,
)
from ca.shards import CRL_JOB
from ca.states import REVOCATION_REASONS
from foundation.store import LostClaim
from kms.hsm import CoreUnavailable
from tests.ca.conftest import World

WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


def published(world: World, authority: AuthorityView) -> x509.CertificateRevocationList:
    crl = x509.load_der_x509_crl(world.service().crl(authority.arn))
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # a CA key is EC or RSA
    assert crl.issuer == issuer.subject
    return crl


def number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials(crl: x509.CertificateRevocationList) -> set[str]:
    return {f"{entry.serial_number:x}" for entry in crl}


def test_a_new_authority_publishes_an_empty_crl_at_the_jobs_first_look(world: World) -> None:
    root, authority = world.service().init()
    with pytest.raises(NotPublished):
        world.service().crl(authority.arn)
    assert {claim.subject for claim in world.run_due()} == {root.id, authority.id}
    crl = published(world, authority)
    assert (number(crl), len(crl)) == (1, 0)
    assert crl.last_update_utc == world.time
    assert crl.next_update_utc == world.time + WEEK
    own = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    ski = own.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    aki = crl.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert (aki.value.key_identifier, aki.critical) == (ski.digest, False)
    assert len(crl.extensions) == 2


def test_a_crl_is_republished_at_half_of_its_life_and_not_before(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()
    for turn in range(2, 5):
        world.time += WEEK / 2 - SECOND
        assert world.run_due() == []
        world.time += SECOND
        world.run_due()
        crl = published(world, authority)
        assert number(crl) == turn
        assert crl.last_update_utc == world.time


def test_a_revoked_certificate_is_in_the_crl_at_the_next_look(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()
    issued, other = world.issue(authority.arn), world.issue(authority.arn)
    world.time += timedelta(hours=5)
    world.service().revoke(authority.arn, issued.serial, "KEY_COMPROMISE")
    assert world.store.next_due((CRL_JOB,)) == world.time
    world.run_due()
    crl = published(world, authority)
    assert number(crl) == 2
    assert serials(crl) == {issued.serial}
    assert other.serial not in serials(crl)
    (entry,) = crl
    assert entry.revocation_date_utc == world.time
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.key_compromise
    assert world.store.next_due((CRL_JOB,)) is not None


def test_a_revocation_while_the_crl_is_being_signed_is_in_the_next_one_at_once(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()
    first, second = world.issue(authority.arn), world.issue(authority.arn)
    world.service().revoke(authority.arn, first.serial)

    class Slow:
        """Signs; meanwhile somebody revokes at the very moment that the clock already showed."""

        def sign(self, *arguments: Any, **named: Any) -> bytes:
            signature = world.core.sign(*arguments, **named)
            world.service().revoke(authority.arn, second.serial)
            return signature

    slow: Any = Slow()
    (claim,) = world.store.claim_due(CRL_JOB, world.time, timedelta(seconds=30), 10)
    world.service(core=slow).republish(claim)
    assert serials(published(world, authority)) == {first.serial}
    world.run_due()
    assert serials(published(world, authority)) == {first.serial, second.serial}
    assert world.run_due() == []


def test_an_entry_stays_until_one_crl_after_its_certificates_end(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()
    issued = world.issue(authority.arn, valid_for=timedelta(days=10))
    world.service().revoke(authority.arn, issued.serial)
    world.run_due()
    shown: list[tuple[datetime, bool]] = []
    for _ in range(6):
        world.time += WEEK / 2
        world.run_due()
        crl = published(world, authority)
        shown.append((crl.last_update_utc, issued.serial in serials(crl)))
    after_end = [there for moment, there in shown if moment > issued.not_after]
    assert all(there for moment, there in shown if moment <= issued.not_after)
    assert after_end[0] is True
    assert not any(after_end[1:])


def test_numbers_rise_past_a_crl_that_was_never_finished(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()

    class Dead:
        def sign(self, *_: Any, **__: Any) -> bytes:
            raise CoreUnavailable("gone")

    world.time += WEEK / 2
    dead: Any = Dead()
    claims = world.store.claim_due(CRL_JOB, world.time, timedelta(seconds=30), 10)
    for claim in claims:
        with pytest.raises(CoreUnavailable):
            world.service(core=dead).republish(claim)
        world.store.fail_claim(claim, "gone", world.time)
    world.run_due()
    assert number(published(world, authority)) == 3


def test_a_late_holder_of_the_job_publishes_nothing(world: World) -> None:
    """Paused beyond its lease: another published meanwhile, and an older list must not replace the newer."""
    _, authority = world.service().init()
    world.run_due()
    issued = world.issue(authority.arn)
    world.time += WEEK / 2

    class Paused:
        def sign(self, *arguments: Any, **named: Any) -> bytes:
            signature = world.core.sign(*arguments, **named)
            world.service().revoke(authority.arn, issued.serial)
            world.store.fail_claim(late, "taken over", world.time)
            world.run_due()
            return signature

    paused: Any = Paused()
    claims = world.store.claim_due(CRL_JOB, world.time, timedelta(seconds=30), 10)
    (late,) = (claim for claim in claims if claim.subject == authority.id)
    with pytest.raises(LostClaim):
        world.service(core=paused).republish(late)
    crl = published(world, authority)
    assert (number(crl), serials(crl)) == (3, {issued.serial})


@pytest.mark.parametrize("reason", list(REVOCATION_REASONS))
def test_every_reason_is_told_but_unspecified_which_is_left_out(quick_world: World, reason: str) -> None:
    _, authority = quick_world.service().init()
    quick_world.service().revoke(authority.arn, quick_world.issue(authority.arn).serial, reason)
    quick_world.run_due()
    (entry,) = published(quick_world, authority)
    said = [extension.value.reason.value for extension in entry.extensions]
    assert said == ([] if reason == "UNSPECIFIED" else [REVOCATION_REASONS[reason]])


def test_revoking_twice_or_what_was_never_issued_is_refused(world: World) -> None:
    root, authority = world.service().init()
    issued = world.issue(authority.arn)
    world.service().revoke(authority.arn, issued.serial.upper())
    with pytest.raises(CertificateState, match="REVOKED"):
        world.service().revoke(authority.arn, issued.serial)
    with pytest.raises(CertificateNotFound):
        world.service().revoke(root.arn, issued.serial)
    with pytest.raises(CertificateNotFound):
        world.service().revoke(authority.arn, "4b\0'; --")
    with pytest.raises(OrderRefused, match="reason"):
        world.service().revoke(authority.arn, issued.serial, "BOREDOM")


def test_a_root_revokes_its_subordinate_and_never_itself(world: World) -> None:
    root, authority = world.service().init()
    with pytest.raises(CertificateState, match="own"):
        world.service().revoke(root.arn, root.serial)
    world.service().revoke(root.arn, authority.serial, "CERTIFICATE_AUTHORITY_COMPROMISE")
    world.run_due()
    assert serials(published(world, root)) == {authority.serial}


def test_a_disabled_authority_goes_on_publishing(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    issued = quick_world.issue(authority.arn)
    quick_world.service().disable(authority.arn)
    quick_world.service().revoke(authority.arn, issued.serial)
    quick_world.run_due()
    assert serials(published(quick_world, authority)) == {issued.serial}


def test_an_expired_authority_publishes_no_more_and_its_work_ends(quick_world: World) -> None:
    root = quick_world.service().create_root("Root", "EC_prime256v1", timedelta(days=30))
    issued = quick_world.issue(root.arn, valid_for=timedelta(days=20))
    quick_world.time += timedelta(days=31)
    quick_world.run_due()
    assert quick_world.store.next_due((CRL_JOB,)) is None
    with pytest.raises(AuthorityState, match="EXPIRED"):
        quick_world.service().revoke(root.arn, issued.serial)


def test_openssl_reads_the_crl_and_refuses_what_it_lists(quick_world: World, tmp_path: Path) -> None:
    root, authority = quick_world.service().init()
    good, revoked = quick_world.issue(authority.arn), quick_world.issue(authority.arn)
    quick_world.service().revoke(authority.arn, revoked.serial, "SUPERSEDED")
    quick_world.run_due()
    crls = [x509.load_der_x509_crl(quick_world.service().crl(view.arn)) for view in (root, authority)]
    from cryptography.hazmat.primitives.serialization import Encoding

    (tmp_path / "root").write_text(root.certificate_pem)
    (tmp_path / "chain").write_text(authority.certificate_pem)
    (tmp_path / "crls").write_bytes(b"".join(crl.public_bytes(Encoding.PEM) for crl in crls))
    for issued, code in ((good, 0), (revoked, 2)):
        (tmp_path / "leaf").write_text(issued.certificate_pem)
        found = subprocess.run(
            ["openssl", "verify", "-crl_check_all", "-attime", str(int(quick_world.time.timestamp())),
             "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "chain", "-CRLfile", tmp_path / "crls", tmp_path / "leaf"],
            check=False, capture_output=True,
        )  # fmt: skip
        assert found.returncode == code, found.stderr
        assert (b"certificate revoked" in found.stderr) is (code == 2)
