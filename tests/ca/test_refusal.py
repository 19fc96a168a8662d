"""Profiles with one fault each: drawn up, found by a lint, never signed (SECURITY T21); and serial numbers (T20)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID
from sqlmodel import select

import ca.issue
from ca import LintFailure
from ca.draft import Draft, draw_up
from ca.issue import draw_serial
from ca.profiles import PROFILES, Profile
from ca.tables import CertificateRow
from tests.ca.conftest import START, World

SERVER = PROFILES["server"]


def of_profile(**changes: object) -> Callable[[Draft], Draft]:
    return lambda draft: replace(draft, profile=replace(draft.profile, **changes))  # type: ignore[arg-type]  # each test names a field and gives it its type


def with_critical(oid: x509.ObjectIdentifier, *, critical: bool) -> Callable[[Draft], Draft]:
    def changed(draft: Draft) -> Draft:
        extensions = MappingProxyType({**draft.profile.extensions, oid: critical})
        return replace(draft, profile=replace(draft.profile, extensions=extensions))

    return changed


FAULTS: dict[str, tuple[Callable[[Draft], Draft], str]] = {
    "CA flag": (of_profile(ca=True), "path_length"),
    "CA flag and path length": (of_profile(ca=True, path_length=0), "path_length"),
    "signs certificates": (of_profile(key_usage=SERVER.key_usage | {"key_cert_sign"}), "key_usage"),
    "agrees on keys": (of_profile(key_usage=SERVER.key_usage | {"key_agreement", "encipher_only"}), "key_usage"),
    "signs nothing": (of_profile(key_usage=frozenset({"key_encipherment"})), "key_usage"),
    "any purpose": (
        of_profile(extended_key_usage=frozenset({ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})), "extended_key_usage",
    ),
    "clients too": (
        of_profile(extended_key_usage=SERVER.extended_key_usage | {ExtendedKeyUsageOID.CLIENT_AUTH}), "extended_key_usage",
    ),
    "no purpose": (of_profile(extended_key_usage=frozenset()), "extensions_of_profile"),
    "usage not critical": (
        with_critical(ExtensionOID.KEY_USAGE, critical=False), "extensions_of_profile",
    ),
    "constraints not critical": (
        with_critical(ExtensionOID.BASIC_CONSTRAINTS, critical=False),
        "extensions_of_profile",
    ),
    "SAN critical": (
        with_critical(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, critical=True),
        "extensions_of_profile",
    ),
    "no names": (lambda draft: replace(draft, names=()), "extensions_of_profile"),
    "another CN": (
        lambda draft: replace(draft, subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "evil.example.com")])),
        "common_name_in_san",
    ),
    "an organisation": (
        lambda draft: replace(draft, subject=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])), "subject",
    ),
    "its own issuer": (lambda draft: replace(draft, issuer=None), "issuer_name"),
    "short serial": (lambda draft: replace(draft, serial=1), "serial_number"),
    "another algorithm": (lambda draft: replace(draft, signing_spec="EC_secp384r1"), "signature_algorithm"),
    "before its issuer": (
        lambda draft: replace(draft, not_before=draft.not_before - timedelta(days=1)), "validity_within_issuer",
    ),
    "after its issuer": (
        lambda draft: replace(
            draft, not_before=START + timedelta(days=1500), not_after=START + timedelta(days=1826, seconds=1)
        ),
        "validity_within_issuer",
    ),
    "too long": (lambda draft: replace(draft, not_after=START + timedelta(days=826)), "validity_within_profile"),
}  # fmt: skip


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_faulty_draft_is_refused_with_no_signature_operation(
    quick_world: World, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    _, authority = quick_world.service().init()
    change, rule = FAULTS[fault]
    monkeypatch.setattr(ca.issue, "draw_up", lambda draft: draw_up(change(draft)))
    with pytest.raises(LintFailure) as caught:
        quick_world.issue(authority.arn)
    assert caught.value.rule == rule
    assert quick_world.signatures("certificate") == []
    with quick_world.unit().read() as session:
        assert session.exec(select(CertificateRow).where(CertificateRow.profile == "server")).all() == []


def test_every_field_of_the_server_profile_is_pinned() -> None:
    """A change of what keystead issues is a change of this test."""
    assert PROFILES["server"] == Profile(
        name="server",
        ca=False,
        path_length=None,
        key_usage=frozenset({"digital_signature"}),
        rsa_key_usage=frozenset({"key_encipherment"}),
        extended_key_usage=frozenset({ExtendedKeyUsageOID.SERVER_AUTH}),
        extensions=SERVER.extensions,
        max_validity=timedelta(days=825),
    )
    assert {oid.dotted_string: critical for oid, critical in SERVER.extensions.items()} == {
        "2.5.29.19": True,
        "2.5.29.15": True,
        "2.5.29.37": False,
        "2.5.29.14": False,
        "2.5.29.35": False,
        "2.5.29.17": None,
    }


def test_10_000_serial_numbers_are_positive_random_and_distinct(quick_world: World) -> None:
    drawn = [draw_serial(quick_world.entropy) for _ in range(10_000)]
    assert len(set(drawn)) == 10_000
    assert all(serial >> 128 == 0x4B and serial.bit_length() < 160 for serial in drawn)
    # 128 random bits each: every bit position is set about half of the time (five sigma is 250).
    for bit in range(128):
        assert abs(sum(serial >> bit & 1 for serial in drawn) - 5_000) < 300


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_10_000_issued_certificates_have_distinct_serials(quick_world: World) -> None:
    _, authority = quick_world.service().init()

    def many(_: int) -> list[str]:
        return [quick_world.issue(authority.arn).serial for _ in range(1_250)]

    serials = [serial for batch in quick_world.at_once(8, many) for serial in batch]
    assert len(set(serials)) == 10_000
    assert len(quick_world.signatures("certificate")) == 10_000
