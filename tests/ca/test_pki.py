"""What /pki/ serves to anybody."""

from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from sqlmodel import select

from ca import PublicPki
from ca.tables import AuthorityRow
from foundation.store import SYSTEM
from kms.hsm import CoreUnavailable
from tests.ca.conftest import HERE, THERE, World
from tests.ca.test_hierarchy import DyingCore


def pki(world: World) -> PublicPki:
    return PublicPki(world.unit(SYSTEM))


def test_every_authoritys_certificate_bundle_and_crl_are_public(world: World) -> None:
    _, private = world.service().init()
    for authority in (private, world.service().deployment_hierarchy()):
        world.run_due()
        files = pki(world)
        content_type, body = files.file(f"{authority.id}.crt") or ("", b"")
        assert content_type == "application/pkix-cert"
        assert x509.load_der_x509_certificate(body) == x509.load_pem_x509_certificate(
            authority.certificate_pem.encode()
        )
        assert files.file(f"{authority.id}.pem") == (
            "application/x-pem-file",
            authority.certificate_pem.encode(),
        )
        bundle = (authority.certificate_pem + authority.chain_pem).encode()
        assert files.file(f"{authority.id}/bundle.pem") == ("application/x-pem-file", bundle)
        content_type, body = files.file(f"{authority.id}.crl") or ("", b"")
        assert content_type == "application/pkix-crl"
        assert body == world.service().crl(authority.arn)


def test_roots_are_the_deployments_and_no_accounts(world: World) -> None:
    world.service().init()
    assert pki(world).file("roots.pem") is None
    authority = world.service().deployment_hierarchy()
    assert pki(world).file("roots.pem") == ("application/x-pem-file", authority.chain_pem.encode())


def test_a_crl_that_is_not_there_yet_is_not_found(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    assert pki(quick_world).file(f"{authority.id}.crl") is None


def test_an_authority_that_is_being_created_is_not_published(quick_world: World) -> None:
    dying: Any = DyingCore(quick_world, 1)  # makes a key and signs nothing
    with pytest.raises(CoreUnavailable):
        quick_world.service(core=dying).init()
    with quick_world.unit().read() as session:
        (row,) = session.exec(select(AuthorityRow)).all()
    assert row.status == "CREATING"
    assert pki(quick_world).file(f"{row.id}.crt") is None
    assert quick_world.service().authorities() == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "roots",
        "../roots.pem",
        "00000000-0000-4000-8000-000000000000.crt",
        "00000000-0000-4000-8000-000000000000.key",
        "00000000-0000-4000-8000-000000000000.crt\n",
        "{id}",
        "{id}.crt/",
        "{id}/chain.pem",
        "{id}.crt\0",
    ],
)
def test_other_names_are_not_found(quick_world: World, name: str) -> None:
    _, authority = quick_world.service().init()
    assert pki(quick_world).file(name.replace("{id}", authority.id)) is None


def test_a_crl_is_late_when_its_next_is_an_hour_overdue_and_its_authority_publishes(world: World) -> None:
    _, authority = world.service().init()
    world.run_due()
    world.time += timedelta(days=3, hours=12, minutes=59)
    assert pki(world).late_crls(world.time) == []
    world.time += timedelta(minutes=2)
    late = pki(world).late_crls(world.time)
    assert len(late) == 2
    assert authority.id in {each for each, _ in late}
    world.run_due()
    assert pki(world).late_crls(world.time) == []
    assert pki(world).late_crls(world.time + timedelta(days=365 * 20)) == []  # both authorities have expired


def test_the_operator_gets_every_root_the_deployments_first(world: World) -> None:
    private, _ = world.service(THERE).init()
    own, _ = world.service(HERE).init()
    deployment = world.service().deployment_hierarchy()
    assert pki(world).every_root() == deployment.chain_pem + own.certificate_pem + private.certificate_pem
