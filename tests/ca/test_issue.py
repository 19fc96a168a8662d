"""Issuance: two commits, one certificate a claim, and nothing signed that the rules refuse."""

import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlmodel import select

from ca import (
    AuthorityNotFound,
    CertificateState,
    ClaimTaken,
    LintFailure,
    OrderRefused,
    SerialsExhausted,
)
from ca.issue import DRAWS, SERIAL_RANDOM_BYTES
from ca.tables import CertificateRow
from kms.hsm import CoreUnavailable
from tests.ca.conftest import HERE, THERE, World, new_key

BACKDATE = timedelta(minutes=60)


def parsed(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def rows(world: World) -> list[CertificateRow]:
    with world.unit().read() as session:
        return list(session.exec(select(CertificateRow).where(CertificateRow.profile == "server")).all())


def test_a_server_certificate_says_what_its_profile_says(world: World) -> None:
    _, authority = world.service().init()
    key = new_key()
    issued = world.issue(authority.arn, "host.example.com", "*.example.com", public_key=key)
    certificate = parsed(issued.certificate_pem)
    certificate.verify_directly_issued_by(parsed(authority.certificate_pem))
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert spki == key
    assert certificate.subject == x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host.example.com")])
    extensions = {extension.oid: extension for extension in certificate.extensions}
    assert len(extensions) == 8
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert list(names.value) == [x509.DNSName("host.example.com"), x509.DNSName("*.example.com")]
    assert not names.critical
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert (usage.critical, usage.value.digital_signature, usage.value.key_encipherment) == (
        True,
        True,
        False,
    )
    purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert issued.arn == f"{authority.arn}/certificate/{issued.serial}"
    assert issued.serial == f"{certificate.serial_number:x}"
    assert issued.chain_pem == authority.certificate_pem + authority.chain_pem


def test_an_rsa_key_may_also_encipher_keys(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    key = rsa.generate_private_key(65537, 2048).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    certificate = parsed(quick_world.issue(authority.arn, public_key=spki).certificate_pem)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment, usage.key_agreement) == (True, True, False)


@pytest.mark.parametrize("length", [64, 65])
def test_a_name_longer_than_64_leaves_the_subject_empty_and_makes_the_san_critical(
    quick_world: World, length: int
) -> None:
    _, authority = quick_world.service().init()
    name = f"{'a' * 50}.{'b' * (length - 59)}.example"
    assert len(name) == length
    certificate = parsed(quick_world.issue(authority.arn, name).certificate_pem)
    assert len(list(certificate.subject)) == (1 if length == 64 else 0)
    san = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert san.critical is (length == 65)
    assert san.value.get_values_for_type(x509.DNSName) == [name]


def test_validity_is_backdated_an_hour_and_counted_from_now(world: World) -> None:
    _, authority = world.service().init()
    world.time += timedelta(days=1, microseconds=999_999)
    issued = world.issue(authority.arn)
    now = world.time.replace(microsecond=0)
    assert (issued.not_before, issued.not_after) == (now - BACKDATE, now + timedelta(days=198))


def test_validity_never_begins_before_the_issuers(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    early = quick_world.time - timedelta(days=30)
    assert quick_world.issue(authority.arn, not_before=early).not_before == authority.not_before
    later = quick_world.time + timedelta(days=3)
    issued = quick_world.issue(authority.arn, not_before=later)
    assert (issued.not_before, issued.not_after) == (later, quick_world.time + timedelta(days=198))


def test_validity_never_ends_after_the_issuers(world: World) -> None:
    root = world.service().create_root("Root", "EC_prime256v1", timedelta(days=3652))
    authority = world.service().create_subordinate(root.arn, "Issuing", "EC_prime256v1", timedelta(days=100))
    assert world.issue(authority.arn, valid_for=timedelta(days=100)).not_after == authority.not_after
    with pytest.raises(LintFailure) as caught:
        world.issue(authority.arn, valid_for=timedelta(days=100, seconds=1))
    assert caught.value.rule == "validity_within_issuer"


def test_serials_are_positive_fixed_in_length_and_start_with_the_fixed_byte(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    for _ in range(20):
        serial = bytes.fromhex(quick_world.issue(authority.arn).serial)
        assert (len(serial), serial[0]) == (1 + SERIAL_RANDOM_BYTES, 0x4B)


def test_a_serial_that_entropy_repeats_is_drawn_again_and_never_signed_twice(world: World) -> None:
    _, authority = world.service().init()
    same = bytes(range(SERIAL_RANDOM_BYTES))
    world.scripted = [same] * 4
    first, second = world.issue(authority.arn), world.issue(authority.arn)
    assert first.serial == "4b" + same.hex()
    assert second.serial != first.serial
    assert not world.scripted
    digests = [record["digest"] for record in world.signatures("certificate")]
    assert len(digests) == len(set(digests)) == 2


def test_entropy_that_only_repeats_itself_ends_in_an_error_and_no_signature(world: World) -> None:
    _, authority = world.service().init()
    world.scripted = [bytes(SERIAL_RANDOM_BYTES)] * (1 + DRAWS)
    world.issue(authority.arn)
    with pytest.raises(SerialsExhausted):
        world.issue(authority.arn)
    assert len(world.signatures("certificate")) == 1
    assert len(rows(world)) == 1


def test_one_serial_may_be_had_from_two_issuers(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    other = quick_world.service().create_root("Other", "EC_prime256v1", timedelta(days=3652))
    below = quick_world.service().create_subordinate(
        other.arn, "Other issuing", "EC_prime256v1", timedelta(days=900)
    )
    quick_world.scripted = [bytes(SERIAL_RANDOM_BYTES)] * 2
    assert quick_world.issue(authority.arn).serial == quick_world.issue(below.arn).serial


def test_a_claim_gives_the_same_certificate_for_ever(world: World) -> None:
    _, authority = world.service().init()
    order = world.order(authority.arn)
    first = world.service().issue(order)
    world.time += timedelta(days=20)
    assert world.service().issue(order) == first
    assert len(world.signatures("certificate")) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda world: {"public_key": new_key()},
        lambda world: {"names": ("other.example.com",)},
        lambda world: {"authority_arn": world.service().deployment_hierarchy().arn},
    ],
    ids=["key", "names", "authority"],
)
def test_a_claim_is_not_good_for_another_order(
    world: World, change: Callable[[World], dict[str, Any]]
) -> None:
    _, authority = world.service().init()
    first = world.order(authority.arn, claim="one")
    world.service().issue(first)
    values = {"public_key": first.public_key, "names": first.names, "authority_arn": first.authority_arn}
    changed = values | change(world)
    order = world.order(
        changed["authority_arn"], claim="one", public_key=changed["public_key"], names=changed["names"]
    )
    if changed["authority_arn"] != first.authority_arn:  # claims are kept per authority's scope
        assert world.service().issue(order).arn.startswith(changed["authority_arn"])
        return
    with pytest.raises(ClaimTaken):
        world.service().issue(order)


def test_two_accounts_may_use_one_claim_on_the_deployments_authority(world: World) -> None:
    authority = world.service().deployment_hierarchy()
    here = world.service(HERE).issue(world.order(authority.arn, claim="one"))
    there = world.service(THERE).issue(world.order(authority.arn, claim="one"))
    assert here.serial != there.serial


def test_callers_with_one_claim_get_one_certificate(world: World) -> None:
    _, authority = world.service().init()
    order = world.order(authority.arn)
    issued = world.at_once(8, lambda _: world.service().issue(order))
    assert len(set(issued)) == 1
    assert len(rows(world)) == 1
    assert len({record["digest"] for record in world.signatures("certificate")}) == 1


class LosingCore:
    """Signs, or does not, and then its answer is lost: failed and was not done, failed but was done."""

    def __init__(self, world: World, *, signs: bool) -> None:
        self._world = world
        self._signs = signs

    def sign(self, *arguments: Any, **named: Any) -> bytes:
        if self._signs:
            self._world.core.sign(*arguments, **named)
        raise CoreUnavailable("the answer was lost")


@pytest.mark.parametrize("signs", [False, True])
def test_a_resume_signs_the_same_bytes_and_makes_no_second_certificate(world: World, signs: bool) -> None:
    _, authority = world.service().init()
    order = world.order(authority.arn)
    losing: Any = LosingCore(world, signs=signs)
    with pytest.raises(CoreUnavailable):
        world.service(core=losing).issue(order)
    (intent,) = rows(world)
    assert (intent.status, intent.certificate) == ("INTENT", None)
    world.time += timedelta(days=2)
    issued = world.service().issue(order)
    (kept,) = rows(world)
    certificate = parsed(issued.certificate_pem)
    assert certificate.tbs_certificate_bytes == intent.tbs
    assert (kept.status, kept.serial, kept.tbs) == ("ISSUED", intent.serial, None)
    assert len({record["digest"] for record in world.signatures("certificate")}) == 1


def test_what_was_kept_first_stands_even_if_a_signature_differed(world: World) -> None:
    """A module whose signatures are randomised: the second caller gets the first one's certificate."""
    _, authority = world.service().init()
    order = world.order(authority.arn)
    first: list[Any] = []

    class Overtaken:
        def sign(self, *arguments: Any, **named: Any) -> bytes:
            if not first:
                first.append(None)
                first[0] = world.service().issue(order)
            return world.core.sign(*arguments, **named)

    overtaken: Any = Overtaken()
    assert world.service(core=overtaken).issue(order) == first[0]
    assert len(rows(world)) == 1


def test_the_core_that_signs_something_else_is_found_out(world: World) -> None:
    from ca import SignatureMismatch

    _, authority = world.service().init()
    other = ec.generate_private_key(ec.SECP256R1())

    class Lying:
        def sign(self, *arguments: Any, **_: Any) -> bytes:
            from cryptography.hazmat.primitives import hashes

            return other.sign(arguments[4], ec.ECDSA(hashes.SHA256()))

    lying: Any = Lying()
    order = world.order(authority.arn)
    with pytest.raises(SignatureMismatch):
        world.service(core=lying).issue(order)
    assert rows(world)[0].status == "INTENT"
    assert world.service().issue(order)


def test_an_intent_that_was_revoked_is_never_signed(world: World) -> None:
    _, authority = world.service().init()
    order = world.order(authority.arn)
    losing: Any = LosingCore(world, signs=False)
    with pytest.raises(CoreUnavailable):
        world.service(core=losing).issue(order)
    world.service().revoke(authority.arn, rows(world)[0].serial, "KEY_COMPROMISE")
    with pytest.raises(CertificateState, match="REVOKED"):
        world.service().issue(order)
    assert world.signatures("certificate") == []


REFUSED: dict[str, tuple[Callable[[World, str], dict[str, Any]], str]] = {
    "no name": (lambda w, a: {"names": ()}, "1 to 100 names"),
    "101 names": (lambda w, a: {"names": tuple(f"h{n}.example.com" for n in range(101))}, "1 to 100 names"),
    "newline": (lambda w, a: {"names": ("host.example.com\n",)}, "san_names"),
    "NUL": (lambda w, a: {"names": ("host\0.example.com",)}, "subject_attributes"),
    "U-label": (lambda w, a: {"names": ("bücher.example",)}, "no certificate"),
    "upper case": (lambda w, a: {"names": ("Host.example.com",)}, "san_names"),
    "label of 64": (lambda w, a: {"names": (f"{'l' * 64}.example.com",)}, "san_names"),
    "254 octets": (lambda w, a: {"names": (f"{'.'.join(['a' * 62] * 4)}.bb",)}, "san_names"),
    "repeated": (lambda w, a: {"names": ("a.example.com", "a.example.com")}, "twice"),
    "inner wildcard": (lambda w, a: {"names": ("a.*.example.com",)}, "san_names"),
    "address": (lambda w, a: {"names": ("192.0.2.1",)}, "IP address"),
    "empty name": (lambda w, a: {"names": ("",)}, ""),
    "no time": (lambda w, a: {"valid_for": timedelta(0), "not_before": w.time}, "validity_order"),
    "too long": (lambda w, a: {"valid_for": timedelta(days=826)}, "validity_within_profile"),
    "beyond time": (lambda w, a: {"valid_for": timedelta(days=10**7)}, "no certificate"),
    "no key": (lambda w, a: {"public_key": b""}, "malformed"),
    "endless key": (lambda w, a: {"public_key": bytes(100_000)}, "bytes long"),
    "RSA-1024": (
        lambda w, a: {"public_key": _spki(rsa.generate_private_key(65537, 1024).public_key())},
        "1024 bits",
    ),
    "secp256k1": (
        lambda w, a: {"public_key": _spki(ec.generate_private_key(ec.SECP256K1()).public_key())},
        "secp256k1",
    ),
    "the issuer's key": (
        lambda w, a: {"public_key": _spki_of(w.service().authority(a).certificate_pem)},
        "authority",
    ),
    "the root's key": (lambda w, a: {"public_key": _spki_of(w.service().roots()[0])}, "authority"),
    "the deployment's key": (
        lambda w, a: {"public_key": _spki_of(w.service().deployment_hierarchy().certificate_pem)},
        "authority",
    ),
}


@pytest.mark.parametrize("fault", list(REFUSED))
def test_a_refused_order_stores_nothing_and_causes_no_signature(quick_world: World, fault: str) -> None:
    _, authority = quick_world.service().init()
    change, words = REFUSED[fault]
    with pytest.raises(OrderRefused) as caught:
        quick_world.issue(authority.arn, **change(quick_world, authority.arn))
    assert words in str(caught.value)
    assert rows(quick_world) == []
    assert quick_world.signatures("certificate") == []


def test_an_order_to_no_authority_is_not_found(quick_world: World) -> None:
    _, authority = quick_world.service().init()
    arn = authority.arn.replace(authority.id, "00000000-0000-4000-8000-000000000000")
    with pytest.raises(AuthorityNotFound):
        quick_world.issue(arn)


def test_a_root_issues_to_servers_too(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    issued = quick_world.issue(root.arn)
    assert issued.chain_pem == root.certificate_pem


def test_openssl_accepts_the_chain(quick_world: World, tmp_path: Path) -> None:
    for spec in ("EC_prime256v1", "RSA_2048"):
        root = quick_world.service().create_root(f"Root {spec}", spec, timedelta(days=3652))
        below = quick_world.service().create_subordinate(
            root.arn, f"Issuing {spec}", spec, timedelta(days=1826)
        )
        issued = quick_world.issue(below.arn, "host.example.com", "*.example.org")
        for name, text in (
            ("root", root.certificate_pem),
            ("chain", issued.chain_pem),
            ("leaf", issued.certificate_pem),
        ):
            (tmp_path / name).write_text(text)
        for host in ("host.example.com", "any.example.org"):
            subprocess.run(
                ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host,
                 "-attime", str(int(quick_world.time.timestamp())),
                 "-CAfile", tmp_path / "root", "-untrusted", tmp_path / "chain", tmp_path / "leaf"],
                check=True, capture_output=True, env={"PATH": os.environ["PATH"]},
            )  # fmt: skip


def _spki(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _spki_of(pem: str) -> bytes:
    return parsed(pem).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("spec", ["EC_secp384r1", "RSA_2048"])
def test_a_resume_works_with_every_family_of_key(quick_world: World, spec: str) -> None:
    root = quick_world.service().create_root("Root", spec, timedelta(days=900))
    order = quick_world.order(root.arn)
    losing: Any = LosingCore(quick_world, signs=True)
    with pytest.raises(CoreUnavailable):
        quick_world.service(core=losing).issue(order)
    issued = quick_world.service().issue(order)
    parsed(issued.certificate_pem).verify_directly_issued_by(parsed(root.certificate_pem))
    assert len({record["digest"] for record in quick_world.signatures("certificate")}) == 1
