"""The HTTPS door's certificate: from an authority of its own, renewed in time, on the wall clock."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from kms.hsm import CoreClient
from server.chance import entropy
from server.door_certificate import AUTHORITY_DAYS, DOOR_DAYS, DoorCertificate, door_names

NOW = datetime(2030, 1, 1, tzinfo=UTC)
NAMES = ("localhost", "127.0.0.1", "::1", "host.test")


@pytest.fixture
def door(tmp_path: Path, core: CoreClient) -> DoorCertificate:
    made = DoorCertificate(tmp_path)
    made.renew(core, NAMES, NOW, entropy)
    return made


def leaf_of(door: DoorCertificate) -> x509.Certificate:
    return x509.load_pem_x509_certificate(door.certificate.read_bytes())


def test_its_chain_holds_for_each_of_its_names_and_for_servers_alone(door: DoorCertificate) -> None:
    root = x509.load_pem_x509_certificate(door.root.read_bytes())
    policy = PolicyBuilder().store(Store([root])).time(NOW + timedelta(days=1))
    for name in ("localhost", "host.test"):
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf_of(door), [])
    usage = leaf_of(door).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_its_key_is_in_a_file_of_its_owner_and_the_authoritys_key_is_in_none(door: DoorCertificate) -> None:
    assert stat.S_IMODE(door.key.stat().st_mode) == 0o600
    key = serialization.load_pem_private_key(door.key.read_bytes(), None)
    assert key.public_key() == leaf_of(door).public_key()
    for path in (door.authority, door.root, door.certificate):
        assert b"PRIVATE" not in path.read_bytes()


@pytest.mark.parametrize(
    ("days", "due"),
    [(0, False), (DOOR_DAYS * 2 // 3 - 1, False), (DOOR_DAYS * 2 // 3 + 1, True), (10_000, True)],
)
def test_it_is_due_when_two_thirds_of_its_life_are_gone(door: DoorCertificate, days: int, due: bool) -> None:
    assert door.due(NAMES, NOW + timedelta(days=days)) is due


def test_it_is_due_when_other_names_are_wanted(door: DoorCertificate) -> None:
    assert door.due((*NAMES, "new.test"), NOW)


@pytest.mark.parametrize("lost", ["certificate", "key", "root"])
def test_it_is_due_when_a_file_is_gone_or_damaged(door: DoorCertificate, lost: str) -> None:
    path: Path = getattr(door, lost)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert door.due(NAMES, NOW)
    path.unlink()
    assert door.due(NAMES, NOW)


def test_it_is_due_when_a_crash_left_a_key_and_a_certificate_that_do_not_match(
    door: DoorCertificate, core: CoreClient
) -> None:
    old = door.certificate.read_bytes()
    door.renew(core, NAMES, NOW, entropy)
    door.certificate.write_bytes(old)
    assert door.due(NAMES, NOW)


def test_a_renewal_has_a_new_key_and_serial_under_the_same_root(
    door: DoorCertificate, core: CoreClient
) -> None:
    root, before = door.root.read_bytes(), leaf_of(door)
    ends = door.renew(core, NAMES, NOW + timedelta(days=60), entropy)
    after = leaf_of(door)
    assert door.root.read_bytes() == root
    assert after.serial_number != before.serial_number
    assert after.public_key() != before.public_key()
    assert after.not_valid_after_utc == ends == NOW + timedelta(days=60 + DOOR_DAYS)


def test_an_authority_near_its_end_gives_way_to_another_of_another_name(
    door: DoorCertificate, core: CoreClient
) -> None:
    before = x509.load_pem_x509_certificate(door.root.read_bytes())
    late = NOW + timedelta(days=AUTHORITY_DAYS - DOOR_DAYS + 1)
    door.renew(core, NAMES, late, entropy)
    after = x509.load_pem_x509_certificate(door.root.read_bytes())
    assert after.subject != before.subject
    leaf_of(door).verify_directly_issued_by(after)
    assert not door.due(NAMES, late)


def test_a_machine_is_known_by_its_usual_names_each_once() -> None:
    names = door_names(("localhost", "10.0.0.1", "pki.example.test"))
    assert names[:3] == ("localhost", "127.0.0.1", "::1")
    assert names[-2:] == ("10.0.0.1", "pki.example.test")
    assert len(names) == len(set(names))
