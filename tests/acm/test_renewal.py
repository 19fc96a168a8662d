"""TRAPS 30: renewal under the same ARN while the names stand, and an honest end when they do not."""

from datetime import timedelta

import pytest

from acm import AcmSettings
from acm.issuing import renewal_due
from foundation.store import Store
from kms.hsm import CoreClient
from tests.acm.world import START, World, public_key_of, signing_request, spki
from validation import Kind

DAY = timedelta(days=1)


def test_trap_30_renewal_keeps_the_arn_and_changes_serial_and_key(any_world: World) -> None:
    world = any_world
    before = world.issued()
    world.advance(154 * DAY)
    after = world.acm().view(before.arn)
    assert after.arn == before.arn
    assert after.status == "ISSUED"
    assert after.serial != before.serial
    assert public_key_of(after) != public_key_of(before)
    assert before.not_after is not None
    assert after.not_after is not None
    assert after.not_after > before.not_after
    assert after.renewal is not None
    assert after.renewal.status == "SUCCESS"
    assert [order.claim for order in world.orders] == [f"acm/{before.id}/1", f"acm/{before.id}/2"]
    assert world.core.labels[1].version == 2
    assert [domain.renewal_status for domain in after.domains] == ["SUCCESS"]


def test_renewal_starts_45_days_before_the_end_and_not_sooner(world: World) -> None:
    before = world.issued()
    assert before.not_after is not None
    assert before.renews_at == before.not_after - 45 * DAY
    world.advance(before.renews_at - world.moment - timedelta(seconds=1))
    assert world.acm().view(before.arn).serial == before.serial
    world.advance(timedelta(seconds=1))
    assert world.acm().view(before.arn).serial != before.serial


def test_renewals_go_on_for_years(world: World) -> None:
    view = world.issued()
    world.advance(3 * 365 * DAY)
    view = world.acm().view(view.arn)
    assert view.status == "ISSUED"
    assert len(world.given) == 8
    assert world.moment < (view.not_after or START)


def test_a_csrs_certificate_is_renewed_for_the_same_key(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    pem, key = signing_request("www.example.com")
    view = acm.request_from_csr(pem)
    world.publish(view)
    world.advance(154 * DAY)
    renewed = acm.view(view.arn)
    assert len(world.given) == 2
    assert public_key_of(renewed) == spki(key.public_key())


def test_private_certificates_are_renewed_without_proof(world: World) -> None:
    acm = world.acm()
    arn = acm.request("db.example.com", authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    world.advance(160 * DAY)
    assert len(world.given) == 2
    assert world.zone.lookups == []
    assert acm.view(arn).status == "ISSUED"


def test_a_cname_that_vanished_holds_renewal_back_and_says_so(brief_world: World) -> None:
    world = brief_world
    view = world.issued()
    world.zone.records.clear()
    world.advance(9 * DAY)
    waiting = world.acm().view(view.arn)
    assert waiting.status == "ISSUED"
    assert waiting.serial == view.serial
    assert waiting.renewal is not None
    assert waiting.renewal.status == "PENDING_VALIDATION"
    assert "no CNAME record" in (waiting.renewal.detail or "")
    assert waiting.domains[0].renewal_status == "PENDING_VALIDATION"
    assert waiting.domains[0].status == "SUCCESS"  # the initial validation stays as it was


def test_a_cname_that_comes_back_is_renewed_within_a_day(brief_world: World) -> None:
    world = brief_world
    view = world.issued()
    world.zone.records.clear()
    world.advance(9 * DAY)
    world.publish(view)
    world.advance(DAY)
    assert world.acm().view(view.arn).serial != view.serial


def test_a_renewal_without_proof_fails_at_expiry_with_a_reason(brief_world: World) -> None:
    world = brief_world
    view = world.issued()
    world.zone.records.clear()
    world.advance(13 * DAY)
    ended = world.acm().view(view.arn)
    assert ended.status == "EXPIRED"
    assert ended.renewal is not None
    assert (ended.renewal.status, ended.renewal.reason) == ("FAILED", "DOMAIN_VALIDATION_DENIED")
    assert "no CNAME record" in (ended.renewal.detail or "")
    assert ended.domains[0].renewal_status == "FAILED"
    assert ended.renews_at is None
    assert world.store.next_due(tuple(world.jobs)) is None
    assert world.acm().certificate(view.arn)[0] == view.certificate_pem


def test_keystead_does_not_put_back_a_record_that_was_removed(brief_world: World) -> None:
    world = brief_world
    world.zone.held = ("example.com",)
    acm = world.acm()
    arn = acm.request("www.example.com")
    world.advance(2 * DAY)
    world.zone.records.clear()
    world.advance(13 * DAY)
    assert acm.view(arn).status == "EXPIRED"


def test_caa_can_end_renewals(brief_world: World) -> None:
    world = brief_world
    view = world.issued()
    world.zone.caa["www.example.com"] = Kind.CAA_FORBIDS
    world.advance(9 * DAY)
    renewal = world.acm().view(view.arn).renewal
    assert renewal is not None
    assert (renewal.status, renewal.reason) == ("PENDING_VALIDATION", "CAA_ERROR")
    world.advance(4 * DAY)
    renewal = world.acm().view(view.arn).renewal
    assert renewal is not None
    assert (renewal.status, renewal.reason) == ("FAILED", "CAA_ERROR")


def test_a_ca_that_refuses_is_asked_again_each_day(world: World) -> None:
    acm = world.acm()
    arn = acm.request("db.example.com", authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    world.advance(DAY)
    world.ca().disable(world.private_ca)
    world.advance(160 * DAY)
    renewal = acm.view(arn).renewal
    assert renewal is not None
    assert (renewal.status, renewal.reason) == ("PENDING_AUTO_RENEWAL", "PCA_INVALID_STATE")
    world.ca().enable(world.private_ca)
    world.advance(DAY)
    assert len(world.given) == 2
    assert acm.view(arn).status == "ISSUED"


def test_renewal_eligible_aws_renews_nothing_that_is_not_in_use(store: Store, core: CoreClient) -> None:
    world = World(store, core, AcmSettings(renewal_eligible="aws", validity_days=12, renew_before_days=4))
    view = world.issued()
    assert not view.renewal_eligible
    world.advance(13 * DAY)
    ended = world.acm().view(view.arn)
    assert (ended.status, ended.renewal) == ("EXPIRED", None)
    assert len(world.given) == 1


def test_a_short_life_is_renewed_after_two_thirds(store: Store, core: CoreClient) -> None:
    world = World(store, core, AcmSettings(validity_days=3, renew_before_days=2))
    view = world.issued()
    assert view.not_after is not None
    assert view.renews_at is not None
    assert timedelta(hours=23) < view.not_after - view.renews_at < timedelta(hours=25)


def test_an_issuer_near_its_end_is_not_asked_again_at_once() -> None:
    settings = AcmSettings()
    end = START + 3 * DAY
    assert renewal_due(START - 190 * DAY, end, START, settings) == START + DAY


def test_deleting_ends_renewals(world: World) -> None:
    view = world.issued()
    world.acm().delete(view.arn)
    assert world.store.next_due(tuple(world.jobs)) is None


@pytest.mark.parametrize("late", [100, 400])
def test_a_scheduler_that_slept_renews_what_still_lives_and_ends_the_rest(world: World, late: int) -> None:
    view = world.issued()
    world.moment += late * DAY + 60 * DAY
    world.run_due()
    status = world.acm().view(view.arn).status
    assert status == ("ISSUED" if late == 100 else "EXPIRED")
