"""Roots, subordinates, and the hierarchies that keystead makes by itself."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlmodel import select

from ca import AuthorityNotFound, AuthorityState, CaService, LintFailure, OrderRefused
from ca.keys import CA_KEY_SPECS
from ca.tables import AuthorityRow
from foundation.store import SYSTEM, Store
from kms.hsm import CoreUnavailable
from tests.ca.conftest import HERE, THERE, World
from tests.support.core import RunningCore

YEAR = timedelta(days=365)


def test_init_makes_a_root_of_ten_years_and_a_subordinate_of_five_and_finds_them_again(world: World) -> None:
    root, subordinate = world.service().init()
    assert (root.kind, root.status, root.chain_pem, root.parent_arn) == ("ROOT", "ACTIVE", "", None)
    assert (subordinate.kind, subordinate.status) == ("SUBORDINATE", "ACTIVE")
    assert subordinate.parent_arn == root.arn
    assert subordinate.chain_pem == root.certificate_pem
    assert HERE.account in root.subject
    assert HERE.account in subordinate.subject
    assert root.not_after - world.time == timedelta(days=3652)
    assert subordinate.not_after - world.time == timedelta(days=1826)
    assert root.arn == f"arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/{root.id}"
    assert world.service().init() == (root, subordinate)
    assert world.service().authorities() == [root, subordinate]
    assert world.service().roots() == [root.certificate_pem]


@pytest.mark.parametrize("spec", list(CA_KEY_SPECS))
def test_each_kind_of_ca_key_makes_a_root_and_a_subordinate_of_path_length_0(
    quick_world: World, spec: str
) -> None:
    service = quick_world.service()
    root = service.create_root("Test Root", spec, 10 * YEAR)
    subordinate = service.create_subordinate(root.arn, "Test Issuing", spec, 5 * YEAR)
    above = x509.load_pem_x509_certificate(root.certificate_pem.encode())
    below = x509.load_pem_x509_certificate(subordinate.certificate_pem.encode())
    above.verify_directly_issued_by(above)
    below.verify_directly_issued_by(above)
    assert above.signature_algorithm_oid == below.signature_algorithm_oid == CA_KEY_SPECS[spec].signature_oid
    constraints = below.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value == x509.BasicConstraints(ca=True, path_length=0)
    assert above.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length is None
    usage = below.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (
        True,
        True,
        False,
    )
    assert root.key_spec == subordinate.key_spec == spec


def test_a_subject_may_be_a_whole_name(quick_world: World) -> None:
    name = x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "CH"), x509.NameAttribute(NameOID.COMMON_NAME, "R")]
    )
    assert quick_world.service().create_root(name, "EC_prime256v1", YEAR).subject == "CN=R,C=CH"


@pytest.mark.parametrize("spec", ["RSA_1024", "EC_secp256k1", "ED25519", "SYMMETRIC_DEFAULT", ""])
def test_other_keys_make_no_ca(quick_world: World, spec: str) -> None:
    with pytest.raises(OrderRefused, match="is not a key of a CA"):
        quick_world.service().create_root("Root", spec, YEAR)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_that_does_not_fit_makes_no_ca(quick_world: World, name: str) -> None:
    with pytest.raises(OrderRefused, match="cannot be the name"):
        quick_world.service().create_root(name, "EC_prime256v1", YEAR)


def test_a_subordinate_never_outlives_its_root(quick_world: World) -> None:
    root = quick_world.service().create_root("Root", "EC_prime256v1", YEAR)
    with pytest.raises(LintFailure) as caught:
        quick_world.service().create_subordinate(root.arn, "Below", "EC_prime256v1", 2 * YEAR)
    assert caught.value.rule == "validity_within_issuer"


def test_no_ca_comes_below_a_path_length_of_0(quick_world: World) -> None:
    _, subordinate = quick_world.service().init()
    with pytest.raises(LintFailure) as caught:
        quick_world.service().create_subordinate(subordinate.arn, "Below", "EC_prime256v1", YEAR)
    assert caught.value.rule == "path_length"
    assert len(quick_world.signatures("ca-certificate")) == 2


def test_an_authority_of_another_account_does_not_exist_here(world: World) -> None:
    root, subordinate = world.service().init()
    stranger = world.service(THERE)
    for attempt in (
        lambda: stranger.authority(root.arn),
        lambda: stranger.disable(root.arn),
        lambda: stranger.revoke(subordinate.arn, "4b00"),
        lambda: stranger.create_subordinate(root.arn, "Below", "EC_prime256v1", YEAR),
        lambda: stranger.issue(world.order(subordinate.arn)),
        lambda: stranger.authority(subordinate.arn.replace(HERE.account, THERE.account)),
    ):
        with pytest.raises(AuthorityNotFound):
            attempt()
    assert stranger.authorities() == []


@pytest.mark.parametrize(
    "arn", ["", "x", "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/1\n", "\0"]
)
def test_what_is_no_arn_is_not_found(quick_world: World, arn: str) -> None:
    with pytest.raises(AuthorityNotFound):
        quick_world.service().authority(arn)


def test_a_disabled_authority_signs_no_certificate_until_it_is_enabled(world: World) -> None:
    _, subordinate = world.service().init()
    world.service().disable(subordinate.arn)
    assert world.service().authority(subordinate.arn).status == "DISABLED"
    with pytest.raises(AuthorityState, match="DISABLED"):
        world.issue(subordinate.arn)
    assert world.signatures("certificate") == []
    world.service().enable(subordinate.arn)
    world.issue(subordinate.arn)
    with pytest.raises(AuthorityState):
        world.service().enable(subordinate.arn)


def test_an_authority_whose_certificate_has_run_out_is_expired(quick_world: World) -> None:
    root = quick_world.service().create_root("Root", "EC_prime256v1", YEAR)
    quick_world.time += YEAR + timedelta(seconds=1)
    assert quick_world.service().authority(root.arn).status == "EXPIRED"
    assert quick_world.service().roots() == []
    with pytest.raises(AuthorityState):
        quick_world.service().create_subordinate(root.arn, "Below", "EC_prime256v1", YEAR)


def test_the_deployments_hierarchy_is_one_for_all_accounts_and_owned_by_none(world: World) -> None:
    first = world.service().deployment_hierarchy()
    assert world.service(THERE).deployment_hierarchy() == first
    assert first.arn.startswith("arn:aws:acm-pca:global:keystead:certificate-authority/")
    assert world.service().authorities() == []
    issued = world.service(THERE).issue(world.order(first.arn))
    assert issued.arn.startswith(first.arn)
    assert issued.chain_pem == first.certificate_pem + first.chain_pem


def test_callers_who_race_for_the_first_use_get_one_hierarchy(world: World) -> None:
    assert len(set(world.at_once(6, lambda _: world.service().deployment_hierarchy().arn))) == 1
    with world.unit(SYSTEM).read() as session:
        assert len(session.exec(select(AuthorityRow)).all()) == 2


def test_processes_that_race_for_the_first_use_get_one_hierarchy(
    any_store_url: str, open_store: Callable[..., Store], running_core: RunningCore
) -> None:
    """Two stores on one database, each with its own writer, as two workers have."""
    stores = [open_store(any_store_url), open_store(any_store_url, create=False)]
    with closing(running_core.client()) as core:
        worlds = [World(store, core, running_core.trail) for store in stores]

        def first_use(number: int) -> str:
            return worlds[number % 2].service().deployment_hierarchy().arn

        assert len(set(worlds[0].at_once(6, first_use))) == 1
    with stores[1].unit(SYSTEM).read() as session:
        assert len(session.exec(select(AuthorityRow)).all()) == 2


class DyingCore:
    """Passes calls on to the core until its life is over."""

    def __init__(self, world: World, life: int) -> None:
        self._core = world.core
        self.life = life

    def __getattr__(self, name: str) -> object:
        self.life -= 1
        if self.life < 0:
            raise CoreUnavailable("the core has gone away")
        return getattr(self._core, name)


@pytest.mark.parametrize("life", range(6))
def test_a_hierarchy_that_was_interrupted_anywhere_is_finished_by_the_next_call(
    world: World, life: int
) -> None:
    """The core calls of a first use: key and certificate, of root and subordinate."""
    dying: object = DyingCore(world, life)
    service: CaService = world.service(core=dying)  # type: ignore[arg-type]  # passes everything on to a CoreClient
    if life < 4:
        with pytest.raises(CoreUnavailable):
            service.deployment_hierarchy()
    else:
        service.deployment_hierarchy()
    made = world.service().deployment_hierarchy()
    assert made.status == "ACTIVE"
    with world.unit(SYSTEM).read() as session:
        rows = session.exec(select(AuthorityRow)).all()
    assert sorted(row.role or "" for row in rows) == ["deployment-root-1", "deployment-subordinate-1"]
    assert len({record["digest"] for record in world.signatures("ca-certificate")}) == 2


def test_the_deployments_subordinate_is_succeeded_in_time_and_its_root_too(world: World) -> None:
    made = [world.service().deployment_hierarchy()]
    while len({authority.parent_arn for authority in made}) < 2:
        world.time += timedelta(days=300)
        current = world.service().deployment_hierarchy()
        assert current.not_after - world.time >= world.settings.succession
        if current != made[-1]:
            made.append(current)
    assert [authority.subject.count(f"CA {number} ") for number, authority in enumerate(made, 1)] == [
        1
    ] * len(made)
    assert (
        len(made) == 4
    )  # three below the first root, the last of them until its end, and one below the second


def test_a_disabled_deployment_subordinate_is_succeeded(world: World) -> None:
    first = world.service().deployment_hierarchy()
    world.service(SYSTEM).disable(first.arn)
    second = world.service().deployment_hierarchy()
    assert second.arn != first.arn
    assert second.parent_arn == first.parent_arn
