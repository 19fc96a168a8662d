"""From the request to the certificate: which proofs are asked for, when, and what their failures say."""

from datetime import timedelta

import pytest

from acm import AcmSettings, ListQuery, RequestInProgress, ResourceNotFound
from acm.waiting import next_check
from ca import CaSettings
from foundation.store import LostClaim, Store
from kms.hsm import CoreClient
from tests.acm.world import START, World, public_key_of
from validation import Kind

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


# TRAPS 25: CNAME stability


def test_trap_25_a_domains_cname_is_the_same_on_every_request_in_every_region(any_world: World) -> None:
    def cname(region: str) -> tuple[str | None, str | None]:
        acm = any_world.acm(region=region)
        domain = acm.view(acm.request("example.com")).domains[0]
        return domain.cname_name, domain.cname_value

    first = cname("eu-central-1")
    assert cname("eu-central-1") == first
    assert cname("us-east-1") == first


def test_trap_25_the_cname_outlives_its_certificates(any_world: World) -> None:
    acm = any_world.acm()
    arn = acm.request("example.com")
    before = acm.view(arn).domains[0].cname_name
    acm.delete(arn)
    assert acm.view(acm.request("example.com")).domains[0].cname_name == before


def test_trap_25_apex_and_wildcard_share_one_record_and_subdomains_have_their_own(world: World) -> None:
    acm = world.acm()
    apex, wildcard, below = acm.view(acm.request("example.com", ["*.example.com", "www.example.com"])).domains
    assert (apex.cname_name, apex.cname_value) == (wildcard.cname_name, wildcard.cname_value)
    assert below.cname_name != apex.cname_name


def test_trap_25_accounts_have_cnames_of_their_own(world: World) -> None:
    mine = world.acm().view(world.acm().request("example.com")).domains[0]
    other = world.acm(account="444455556666")
    theirs = other.view(other.request("example.com")).domains[0]
    assert mine.cname_name != theirs.cname_name
    assert mine.cname_value != theirs.cname_value


def test_trap_25_the_record_has_acms_form(world: World) -> None:
    domain = world.acm().view(world.acm().request("example.com")).domains[0]
    assert domain.cname_name is not None
    assert domain.cname_value is not None
    label, _, rest = domain.cname_name.partition(".")
    assert (len(label), label[0], rest) == (33, "_", "example.com.")
    int(label[1:], 16)
    assert domain.cname_value.endswith(".acm-validations.aws.")
    assert domain.cname_value.startswith("_")
    assert label[1:] not in domain.cname_value


# TRAPS 26: pending


def test_trap_26_nothing_is_issued_until_every_name_is_proven(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("a.example.com", ["b.example.com"])
    world.publish_one(acm.view(arn).domains[0])
    world.advance(HOUR)
    view = acm.view(arn)
    assert view.status == "PENDING_VALIDATION"
    assert [domain.status for domain in view.domains] == ["SUCCESS", "PENDING_VALIDATION"]
    with pytest.raises(RequestInProgress):
        acm.certificate(arn)
    world.publish(view)
    world.advance(HOUR)
    assert acm.view(arn).status == "ISSUED"
    assert world.orders[0].names == ("a.example.com", "b.example.com")
    assert world.orders[0].authority_arn == world.ca().deployment_hierarchy().arn


def test_trap_26_the_first_look_is_a_second_after_the_request(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    world.publish(acm.view(arn))
    assert world.run_due() == 0
    world.advance(SECOND)
    assert acm.view(arn).status == "ISSUED"


def test_trap_26_after_72_hours_the_request_times_out_and_stays_so(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("example.com")
    world.moment += timedelta(hours=71)  # the looks before that are of no interest here
    world.advance(HOUR - SECOND)
    assert acm.view(arn).status == "PENDING_VALIDATION"
    world.advance(2 * SECOND)
    assert acm.view(arn).status == "VALIDATION_TIMED_OUT"
    assert world.store.next_due(tuple(world.jobs)) is None
    world.publish(acm.view(arn))
    world.advance(HOUR)
    assert acm.view(arn).status == "VALIDATION_TIMED_OUT"
    with pytest.raises(ResourceNotFound, match="VALIDATION_TIMED_OUT"):
        acm.certificate(arn)


def test_trap_26_private_certificates_need_no_proof(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("db.example.com", authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    world.advance(SECOND)
    view = acm.view(arn)
    assert (view.status, view.type, view.validation_method) == ("ISSUED", "PRIVATE", None)
    assert world.zone.lookups == []
    assert world.orders[0].authority_arn == world.private_ca


@pytest.mark.parametrize(
    ("age", "pause"),
    [(0, 2), (1, 2), (8, 2), (12, 3), (60, 15), (1200, 300), (4800, 300), (250_000, 300)],
)
def test_the_looks_grow_rarer_with_age(age: int, pause: int) -> None:
    now = START + timedelta(seconds=age)
    assert next_check(START, now) == now + timedelta(seconds=pause)


def test_a_proof_that_vanished_before_issuance_does_not_count(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("a.example.com", ["b.example.com"])
    first, second = acm.view(arn).domains
    world.publish_one(first)
    world.advance(HOUR)
    assert first.cname_name is not None
    del world.zone.records[first.cname_name]
    world.publish_one(second)
    world.advance(HOUR)
    view = acm.view(arn)
    assert view.status == "PENDING_VALIDATION"
    assert [domain.status for domain in view.domains] == ["PENDING_VALIDATION", "SUCCESS"]
    assert world.orders == []


def test_a_proof_that_grew_old_before_issuance_is_made_again(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("example.com")
    world.publish(acm.view(arn))
    world.moment += SECOND
    world.jobs["acm.validate"].run(world.claims("acm.validate")[0])
    world.zone.records.clear()
    world.moment += HOUR  # nobody ran acm.issue meanwhile
    world.run_due()
    world.run_due()
    assert acm.view(arn).status == "PENDING_VALIDATION"
    assert world.orders == []
    world.publish(acm.view(arn))
    world.advance(HOUR)
    assert acm.view(arn).status == "ISSUED"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Kind.TIMEOUT, "did not answer"),
        (Kind.SERVFAIL, "SERVFAIL"),
    ],
)
def test_a_resolver_in_trouble_is_told_to_people_and_asked_again(
    world: World, kind: Kind, words: str
) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    name = acm.view(arn).domains[0].cname_name
    assert name is not None
    world.publish(acm.view(arn))
    world.zone.troubles[name] = kind
    world.advance(HOUR)
    assert words in (acm.view(arn).domains[0].detail or "")
    del world.zone.troubles[name]
    world.advance(HOUR)
    assert acm.view(arn).status == "ISSUED"
    assert acm.view(arn).domains[0].detail is None


def test_a_wrong_cname_is_told_to_people(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    name = acm.view(arn).domains[0].cname_name
    assert name is not None
    world.zone.records[name] = "_other.xyz.acm-validations.aws."
    world.advance(HOUR)
    view = acm.view(arn)
    assert view.status == "PENDING_VALIDATION"
    assert "points to _other.xyz.acm-validations.aws." in (view.domains[0].detail or "")


@pytest.mark.parametrize("kind", [Kind.CAA_FORBIDS, Kind.CAA_CRITICAL])
def test_caa_that_forbids_fails_the_request(any_world: World, kind: Kind) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("example.com", ["www.example.org"])
    world.publish(acm.view(arn))
    world.zone.caa["example.com"] = kind
    world.advance(HOUR)
    view = acm.view(arn)
    assert (view.status, view.failure_reason) == ("FAILED", "CAA_ERROR")
    assert "CAA" in (view.failure_detail or "")
    assert view.domains[0].status == "FAILED"
    assert world.store.next_due(tuple(world.jobs)) is None


def test_caa_that_cannot_be_read_blocks_until_it_can(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    world.publish(acm.view(arn))
    world.zone.caa["example.com"] = Kind.CAA_UNKNOWN
    world.advance(HOUR)
    assert acm.view(arn).status == "PENDING_VALIDATION"
    world.zone.caa.clear()
    world.advance(HOUR)
    assert acm.view(arn).status == "ISSUED"


def test_caa_for_wildcards_does_not_touch_the_apex(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com", ["*.example.com"])
    world.publish(acm.view(arn))
    world.zone.caa["*.example.com"] = Kind.CAA_FORBIDS
    world.advance(HOUR)
    assert [domain.status for domain in acm.view(arn).domains] == ["SUCCESS", "FAILED"]


def test_a_shared_record_is_looked_up_once_a_round(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com", ["*.example.com"])
    world.publish(acm.view(arn))
    world.advance(SECOND)
    assert len(world.zone.lookups) == 1


def test_a_round_that_runs_out_of_time_goes_on_where_it_stopped(
    store: Store, core: CoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store, core, AcmSettings(names_per_certificate=100))
    clock = iter(range(10**6))
    monkeypatch.setattr("acm.proving.monotonic", lambda: float(next(clock)))  # each look costs a second of 10
    names = [f"n{number}.example.com" for number in range(99)]
    acm = world.acm()
    arn = acm.request("example.com", names)
    world.publish(acm.view(arn))
    world.advance(timedelta(minutes=5))
    assert acm.view(arn).status == "ISSUED"


def test_slow_names_do_not_keep_the_others_from_being_looked_at(
    store: Store, core: CoreClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(store, core, AcmSettings(names_per_certificate=100))
    clock = iter(range(0, 10**7, 11))
    monkeypatch.setattr(
        "acm.proving.monotonic", lambda: float(next(clock)) / 2
    )  # two looks take a whole round
    acm = world.acm()
    arn = acm.request("example.com", [f"n{number}.example.com" for number in range(30)])
    world.publish_one(acm.view(arn).domains[-1])
    world.advance(2 * SECOND)
    looked_at = [domain.detail is not None or domain.status == "SUCCESS" for domain in acm.view(arn).domains]
    assert all(looked_at)
    assert acm.view(arn).domains[-1].status == "SUCCESS"


# Publishing by RFC 2136


def test_records_in_a_configured_zone_are_published_by_keystead(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    world.zone.held = ("example.com",)
    arn = acm.request("www.example.com")
    world.advance(2 * SECOND)
    view = acm.view(arn)
    assert view.status == "ISSUED"
    assert world.zone.published == [view.domains[0].cname_name]
    assert view.domains[0].published_at == START


def test_publishing_is_tried_again_and_says_what_is_wrong(world: World) -> None:
    acm = world.acm()
    world.zone.held = ("example.com",)
    world.zone.publish_fails = 3
    arn = acm.request("www.example.com")
    world.advance(2 * SECOND)
    assert "did not take the update" in (acm.view(arn).domains[0].publish_error or "")
    world.advance(timedelta(minutes=1))
    view = acm.view(arn)
    assert view.status == "ISSUED"
    assert view.domains[0].publish_error is None


def test_publishing_ends_with_the_request(world: World) -> None:
    acm = world.acm()
    world.zone.held = ("example.com",)
    world.zone.publish_fails = 10**6
    arn = acm.request("www.example.com")
    world.advance(SECOND)
    acm.delete(arn)
    world.advance(HOUR)
    assert world.store.next_due(tuple(world.jobs)) is None


def test_only_names_in_configured_zones_are_published(world: World) -> None:
    acm = world.acm()
    world.zone.held = ("example.com",)
    acm.request("www.example.com", ["www.example.org"])
    world.advance(SECOND)
    assert [name.split(".", 1)[1] for name in world.zone.published] == ["www.example.com."]


# Issuance


def test_the_certificate_has_the_key_the_core_made_and_the_settings_life(any_world: World) -> None:
    view = any_world.issued("www.example.com")
    assert view.not_after is not None
    assert timedelta(days=197) < view.not_after - any_world.moment < timedelta(days=198)
    assert any_world.orders[0].public_key == public_key_of(view)
    assert any_world.orders[0].claim == f"acm/{view.id}/1"
    label = any_world.core.labels[0]
    assert (label.purpose, label.key_id, label.version) == ("acm", view.id, 1)
    certificate, chain = any_world.acm().certificate(view.arn)
    assert certificate == view.certificate_pem
    assert chain == view.chain_pem


def test_a_life_beyond_the_issuers_end_is_cut(world: World) -> None:
    world.ca_settings = CaSettings(subordinate_validity=timedelta(days=30), succession=timedelta(days=1))
    view = world.issued()
    assert view.not_after == world.ca().deployment_hierarchy().not_after


def test_deleting_a_request_ends_its_work(any_world: World) -> None:
    world, acm = any_world, any_world.acm()
    arn = acm.request("example.com", tags=[{"Key": "a"}])
    acm.delete(arn)
    assert world.store.next_due(tuple(world.jobs)) is None
    with pytest.raises(ResourceNotFound):
        acm.view(arn)
    assert acm.list(ListQuery()).items == ()


def test_deleting_while_a_job_holds_its_claim_leaves_nothing_behind(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    world.publish(acm.view(arn))
    world.moment += SECOND
    claim = world.claims("acm.validate")[0]
    acm.delete(arn)
    with pytest.raises(LostClaim):
        world.jobs["acm.validate"].run(claim)
    world.advance(HOUR)
    assert world.store.next_due(tuple(world.jobs)) is None
    assert world.orders == []
