"""Custody: where the unseal secret comes from, and that a wrong one is found out before anything is done."""

import base64
import os
import stat
import time
from pathlib import Path

import msgspec
import pytest

from kms.hsm import custody
from kms.hsm.custody import Domain, Kek, UnsealSecret
from kms.hsm.errors import BadSeal, CustodyError, WrongUnsealSecret
from kms.hsm.launch import create_domain, rotate_domain

ID = "00000000-0000-4000-8000-000000000001"
PASSPHRASE = UnsealSecret(passphrase=True, value=b"correct horse battery")


def key_secret() -> UnsealSecret:
    return UnsealSecret(passphrase=False, value=os.urandom(32))


@pytest.fixture(scope="module")
def stretched() -> Kek:
    """A KEK from PASSPHRASE: made once, since it takes half a second."""
    return custody.new_kek(PASSPHRASE, os.urandom)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "unseal.key"
    custody.make_key_file(path, os.urandom)
    return path


def test_a_key_file_is_for_its_owner_only_and_never_replaced(key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    before = key_file.read_bytes()
    with pytest.raises(FileExistsError):
        custody.make_key_file(key_file, os.urandom)
    assert key_file.read_bytes() == before


def test_a_key_is_read_alike_from_file_descriptor_and_credential(key_file: Path) -> None:
    by_file = custody.read_secret(f"file:{key_file}", {})
    with key_file.open("rb") as opened:
        by_descriptor = custody.read_secret(f"fd:{opened.fileno()}", {})
    by_credential = custody.read_secret(
        "credential:unseal.key", {"CREDENTIALS_DIRECTORY": str(key_file.parent)}
    )
    assert by_file.value == by_descriptor.value == by_credential.value
    assert len(by_file.value) == 32


def test_a_passphrase_is_read_alike_from_file_descriptor_and_question(tmp_path: Path) -> None:
    path = tmp_path / "phrase"
    path.write_bytes(b"correct horse battery\n")
    with path.open("rb") as opened:
        by_descriptor = custody.read_secret(f"passphrase-fd:{opened.fileno()}", {})
    asked = custody.read_secret("passphrase", {}, lambda: "correct horse battery")
    assert custody.read_secret(f"passphrase-file:{path}", {}) == by_descriptor == asked == PASSPHRASE


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "comes from"),
        ("vault:x", "comes from"),
        ("file:/nowhere/unseal.key", "cannot be read"),
        ("fd:99999", "cannot be read"),
        ("fd:x", "cannot be read"),
        ("credential:unseal", "LoadCredential"),
        ("passphrase", "nobody to ask"),
        ("passphrase-vault:x", "comes from"),
    ],
)
def test_a_source_that_gives_nothing_says_why(source: str, says: str) -> None:
    with pytest.raises(CustodyError, match=says):
        custody.read_secret(source, {})


@pytest.mark.parametrize("name", ["", ".", "..", "../unseal.key", "/etc/passwd"])
def test_a_credential_is_a_name_not_a_path(key_file: Path, name: str) -> None:
    with pytest.raises(CustodyError, match="not the name of a systemd credential"):
        custody.read_secret(f"credential:{name}", {"CREDENTIALS_DIRECTORY": str(key_file.parent)})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no unseal key"),
        (b"hunter2hunter2", "no unseal key"),
        (custody.KEY_FILE_MARK.encode() + b"?!", "damaged"),
        (custody.KEY_FILE_MARK.encode() + base64.b64encode(bytes(31)), "cut short"),
    ],
)
def test_a_key_file_that_holds_no_key_says_so(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(CustodyError, match=says) as error:
        custody.read_secret(f"file:{path}", {})
    assert "hunter2" not in str(error.value)


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(CustodyError, match="shorter"):
        custody.read_secret("passphrase", {}, lambda: "short")


def test_secrets_do_not_show_in_text() -> None:
    secret = UnsealSecret(passphrase=True, value=b"visible-secret")
    assert "visible" not in repr(secret)
    assert "visible" not in repr(Kek(b"visible-secret", custody.Stretch()))


def test_stretching_a_passphrase_takes_at_least_half_a_second(stretched: Kek) -> None:
    domain = custody.new_domain(stretched, ID, os.urandom)
    started = time.process_time()
    again = custody.kek_for(PASSPHRASE, domain.sealed)
    assert again.value == stretched.value
    assert stretched.stretch.memory_kib >= 64 * 1024
    assert time.process_time() - started > 0.25  # of CPU: the clock on the wall ran longer when it was chosen


def test_the_salt_and_cost_come_with_the_sealed_domain_keys(stretched: Kek) -> None:
    domain = custody.new_domain(stretched, ID, os.urandom)
    keys = custody.open_domain(stretched, ID, domain)
    again = custody.open_domain(custody.kek_for(PASSPHRASE, domain.sealed), ID, domain)
    assert again == keys
    assert list(keys) == [1]


def test_a_wrong_secret_is_found_by_the_key_check_value() -> None:
    kek, other = custody.new_kek(key_secret(), os.urandom), custody.new_kek(key_secret(), os.urandom)
    domain = custody.new_domain(kek, ID, os.urandom)
    custody.check_secret(kek, ID, domain)
    for wrong, deployment in ((other, ID), (kek, ID.replace("1", "2"))):
        with pytest.raises(WrongUnsealSecret):
            custody.check_secret(wrong, deployment, domain)
        with pytest.raises(WrongUnsealSecret):
            custody.open_domain(wrong, deployment, domain)


def test_a_secret_of_the_other_form_is_refused(stretched: Kek) -> None:
    by_key = custody.new_domain(custody.new_kek(key_secret(), os.urandom), ID, os.urandom)
    by_phrase = custody.new_domain(stretched, ID, os.urandom)
    with pytest.raises(WrongUnsealSecret, match="a key file"):
        custody.kek_for(PASSPHRASE, by_key.sealed)
    with pytest.raises(WrongUnsealSecret, match="a passphrase"):
        custody.kek_for(key_secret(), by_phrase.sealed)


def test_each_changed_byte_of_the_sealed_domain_keys_is_noticed() -> None:
    secret = key_secret()
    kek = custody.new_kek(secret, os.urandom)
    domain = custody.new_domain(kek, ID, os.urandom)
    keys = custody.open_domain(kek, ID, domain)
    for at in range(len(domain.sealed)):
        changed = domain.sealed[:at] + bytes((domain.sealed[at] ^ 1,)) + domain.sealed[at + 1 :]
        try:
            opened = custody.open_domain(kek, ID, Domain(changed, domain.check))
        except BadSeal:
            continue
        assert opened == keys  # the unused stretch of a key file is not authenticated, and opens nothing else


def test_domain_keys_of_two_versions_cannot_be_exchanged() -> None:
    kek = custody.new_kek(key_secret(), os.urandom)
    domain = custody.rotate_domain(kek, ID, custody.new_domain(kek, ID, os.urandom), os.urandom)
    parsed = msgspec.msgpack.decode(domain.sealed, type=custody.SealedDomain)
    swapped = custody.SealedDomain(1, parsed.stretch, {1: parsed.keys[2], 2: parsed.keys[1]})
    with pytest.raises(BadSeal):
        custody.open_domain(kek, ID, Domain(msgspec.msgpack.encode(swapped), domain.check))


def test_rotation_adds_a_version_and_keeps_the_older_ones() -> None:
    kek = custody.new_kek(key_secret(), os.urandom)
    first = custody.new_domain(kek, ID, os.urandom)
    second = custody.rotate_domain(kek, ID, first, os.urandom)
    before, after = custody.open_domain(kek, ID, first), custody.open_domain(kek, ID, second)
    assert list(after) == [1, 2]
    assert after[1] == before[1] != after[2]


def test_the_domain_moves_to_another_secret_unchanged(stretched: Kek) -> None:
    kek = custody.new_kek(key_secret(), os.urandom)
    domain = custody.new_domain(kek, ID, os.urandom)
    moved = custody.move_domain(kek, stretched, ID, domain, os.urandom)
    assert custody.open_domain(stretched, ID, moved) == custody.open_domain(kek, ID, domain)
    with pytest.raises(WrongUnsealSecret):
        custody.open_domain(kek, ID, moved)


def test_domain_keys_are_made_and_rotated_in_a_process_of_their_own() -> None:
    kek = custody.new_kek(key_secret(), os.urandom)
    domain = create_domain(kek, ID)
    assert list(custody.open_domain(kek, ID, rotate_domain(kek, ID, domain))) == [1, 2]
    with pytest.raises(WrongUnsealSecret):
        rotate_domain(custody.new_kek(key_secret(), os.urandom), ID, domain)
