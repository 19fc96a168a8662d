"""Partitioned CRLs: a certificate's is fixed at issue, and says so by a critical IDP that matches its CDP (TRAPS 36)."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlmodel import select

from ca import AuthorityView, Issued, PublicPki
from ca.locations import partition_name
from ca.revocation_settings import SHARDS, read_settings
from ca.shards import open_shards
from ca.tables import AuthorityRow, CertificateRow
from foundation.store import SYSTEM
from tests.ca.conftest import World

WEEK = timedelta(days=7)


def configure(world: World, authority: AuthorityView, **crl: Any) -> None:
    """What UpdateCertificateAuthority writes."""

    def body(session: Any) -> None:
        row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority.id)).one()
        kept = json.loads(row.revocation) | {"CrlConfiguration": {"Enabled": True, **crl}}
        row.revocation = json.dumps(kept)
        open_shards(session, row, world.pointing(), world.now())
        session.add(row)

    world.unit().write(body)


def partitioned(world: World) -> AuthorityView:
    _, authority = world.service().init()
    world.run_due()
    configure(world, authority, CrlType="PARTITIONED")
    world.run_due()
    return authority


def leaf(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate_pem.encode())


def crl_url(certificate: x509.Certificate) -> str:
    (point,) = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name is not None
    (name,) = point.full_name
    return str(name.value)


def fetched(world: World, url: str) -> x509.CertificateRevocationList:
    _, _, name = url.partition("/pki/")
    found = PublicPki(world.unit(SYSTEM)).file(name)
    assert found is not None
    return x509.load_der_x509_crl(found[1])


def names_of(crl: x509.CertificateRevocationList) -> list[str]:
    point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    return [name.value for name in point.value.full_name or ()]


def number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_certificates_crl_says_that_it_is_the_one_its_certificate_names(world: World) -> None:
    authority = partitioned(world)
    for _ in range(3):
        url = crl_url(leaf(world.issue(authority.arn)))
        assert names_of(fetched(world, url)) == [url]
        assert url.startswith(f"http://127.0.0.1:8750/pki/{authority.id}/")


def test_a_revocation_is_in_its_own_partition_and_in_no_other(world: World) -> None:
    authority = partitioned(world)
    issued = [world.issue(authority.arn) for _ in range(4)]
    for each in issued:
        world.service().revoke(authority.arn, each.serial)
    world.run_due()
    seen: dict[str, str] = {}
    for shard in range(1, SHARDS + 1):
        url = f"http://127.0.0.1:8750/pki/{authority.id}/{partition_name(authority.id, shard)}.crl"
        seen |= {f"{entry.serial_number:x}": url for entry in fetched(world, url)}
    assert seen == {each.serial: crl_url(leaf(each)) for each in issued}


def test_the_complete_list_that_older_certificates_name_goes_on_and_is_complete(quick_world: World) -> None:
    world = quick_world
    _, authority = world.service().init()
    older = world.issue(authority.arn)
    world.run_due()
    configure(world, authority, CrlType="PARTITIONED")
    newer = world.issue(authority.arn)
    for each in (older, newer):
        world.service().revoke(authority.arn, each.serial)
    world.run_due()
    complete = fetched(world, crl_url(leaf(older)))
    assert {f"{entry.serial_number:x}" for entry in complete} == {older.serial, newer.serial}
    assert {f"{entry.serial_number:x}" for entry in fetched(world, crl_url(leaf(newer)))} == {newer.serial}


def test_a_shard_does_not_move_when_the_configuration_does(quick_world: World) -> None:
    world = quick_world
    authority = partitioned(world)
    issued = world.issue(authority.arn)
    before, old_url = shard_of(world, issued), crl_url(leaf(issued))
    configure(world, authority, CrlType="COMPLETE")
    configure(world, authority, CrlType="PARTITIONED", CustomCname="crl.example.test")
    newer = next(
        each for each in (world.issue(authority.arn) for _ in range(500)) if shard_of(world, each) == before
    )
    world.service().revoke(authority.arn, issued.serial)
    world.run_due()
    assert shard_of(world, issued) == before
    crl = fetched(world, old_url)
    guid = partition_name(authority.id, before or 0)
    assert crl_url(leaf(newer)) == f"http://crl.example.test/crl/{authority.id}/{guid}.crl"
    assert names_of(crl)[:2] == [crl_url(leaf(newer)), old_url]
    assert [f"{entry.serial_number:x}" for entry in crl] == [issued.serial]


def test_a_new_public_url_is_named_only_once_every_partition_goes_by_it(quick_world: World) -> None:
    world = quick_world
    authority = partitioned(world)
    world.public_url = "https://ca.example.test"
    assert crl_url(leaf(world.issue(authority.arn))).startswith("http://127.0.0.1:8750/")
    world.time += WEEK / 2
    world.run_due()
    url = crl_url(leaf(world.issue(authority.arn)))
    assert url.startswith("https://ca.example.test/pki/")
    assert url in names_of(fetched(world, url))


def test_numbers_rise_in_every_partition_and_over_a_change_of_type(quick_world: World) -> None:
    world = quick_world
    _, authority = world.service().init()
    world.run_due()
    first = number(fetched(world, f"/pki/{authority.id}.crl"))
    configure(world, authority, CrlType="PARTITIONED")
    url = crl_url(leaf(world.issue(authority.arn)))
    world.run_due()
    numbers = [first, number(fetched(world, url))]
    for _ in range(2):
        world.time += WEEK / 2
        world.run_due()
        numbers.append(number(fetched(world, url)))
    assert numbers == sorted(set(numbers))


def test_openssl_checks_a_certificate_against_its_partition(quick_world: World, tmp_path: Path) -> None:
    world = quick_world
    authority = partitioned(world)
    good, revoked = world.issue(authority.arn), world.issue(authority.arn)
    world.service().revoke(authority.arn, revoked.serial, "SUPERSEDED")
    world.run_due()
    (tmp_path / "ca").write_text(authority.certificate_pem)
    for issued, code in ((good, 0), (revoked, 2)):
        crl = fetched(world, crl_url(leaf(issued)))
        (tmp_path / "leaf").write_text(issued.certificate_pem)
        (tmp_path / "crl").write_bytes(crl.public_bytes(Encoding.PEM))
        found = subprocess.run(
            ["openssl", "verify", "-crl_check", "-partial_chain", "-attime", str(int(world.time.timestamp())),
             "-CAfile", tmp_path / "ca", "-CRLfile", tmp_path / "crl", tmp_path / "leaf"],
            check=False, capture_output=True,
        )  # fmt: skip
        assert found.returncode == code, found.stderr


def test_openssl_takes_no_other_partition_for_it(quick_world: World, tmp_path: Path) -> None:
    world = quick_world
    authority = partitioned(world)
    issued = world.issue(authority.arn)
    other = next(n for n in range(1, SHARDS + 1) if n != shard_of(world, issued))
    crl = fetched(world, f"/pki/{authority.id}/{partition_name(authority.id, other)}.crl")
    (tmp_path / "ca").write_text(authority.certificate_pem)
    (tmp_path / "leaf").write_text(issued.certificate_pem)
    (tmp_path / "crl").write_bytes(crl.public_bytes(Encoding.PEM))
    found = subprocess.run(
        ["openssl", "verify", "-crl_check", "-partial_chain", "-attime", str(int(world.time.timestamp())),
         "-CAfile", tmp_path / "ca", "-CRLfile", tmp_path / "crl", tmp_path / "leaf"],
        check=False, capture_output=True,
    )  # fmt: skip
    assert b"ifferent CRL scope" in found.stderr or b"unable to get certificate CRL" in found.stderr


@pytest.mark.parametrize(
    "name", ["{id}/{other}.crl", "{id}/.crl", "{id}/00000000-0000-4000-8000-000000000000.crl"]
)
def test_a_partition_that_is_none_is_not_found(quick_world: World, name: str) -> None:
    authority = partitioned(quick_world)
    other = partition_name(authority.id, SHARDS + 1)
    asked = name.replace("{id}", authority.id).replace("{other}", other)
    assert PublicPki(quick_world.unit(SYSTEM)).file(asked) is None


def test_crls_that_are_switched_off_are_not_served_and_their_work_ends(quick_world: World) -> None:
    world = quick_world
    _, authority = world.service().init()
    world.run_due()
    configure(world, authority, Enabled=False)
    issued = world.issue(authority.arn)
    with pytest.raises(x509.ExtensionNotFound):
        leaf(issued).extensions.get_extension_for_class(x509.CRLDistributionPoints)
    assert PublicPki(world.unit(SYSTEM)).file(f"{authority.id}.crl") is None
    world.service().revoke(authority.arn, issued.serial)
    world.time += WEEK
    world.run_due()
    assert world.store.next_due(("ca.crl",)) is not None  # the root's
    configure(world, authority)
    world.run_due()
    crl = fetched(world, f"/pki/{authority.id}.crl")
    assert [f"{entry.serial_number:x}" for entry in crl] == [issued.serial]


def shard_of(world: World, issued: Issued) -> int | None:
    with world.unit().read() as session:
        row = session.exec(select(CertificateRow).where(CertificateRow.serial == issued.serial)).one()
    return row.shard


def test_the_settings_of_an_authority_are_read_once(quick_world: World) -> None:
    text = '{"CrlConfiguration": {"Enabled": true, "CrlType": "PARTITIONED", "CustomPath": "/"}}'
    assert read_settings(text) is read_settings(text)
    assert (read_settings(text).partitioned, read_settings(text).path) == (True, None)
