"""`keystead ca lint` on files from anywhere: what it finds, in which words, with which exit code."""

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from ca.linting.lone import ALONE, WITH_ISSUER
from server.admin.protocol import CommandFailed
from server.cli import keystead
from tests.ca.conftest import World
from tests.ca.test_lints import FOLDER

START = datetime(2026, 3, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "A CA from elsewhere")])


def lint(*arguments: object) -> Result:
    return CliRunner().invoke(keystead, ["ca", "lint", *map(str, arguments)])


def rules(said: Result) -> set[str]:
    return {each["rule"] for each in json.loads(said.output)["findings"] if each["source"] == "keystead"}


def applicable(rule: str) -> list[Path]:
    """The bad fixtures of a rule: a certificate, then its issuer and those above. What only a profile forbids is no fault."""
    return sorted((FOLDER / rule).glob("bad*.pem"))


def crl(*extensions: tuple[x509.ExtensionType, bool], reason: x509.ReasonFlags | None = None) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(NAME)
    builder = builder.last_update(START).next_update(START + timedelta(days=7))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    entry = x509.RevokedCertificateBuilder().serial_number(7).revocation_date(START)
    if reason is not None:
        entry = entry.add_extension(x509.CRLReason(reason), critical=False)
    return (
        builder.add_revoked_certificate(entry.build()).sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)
    )


AKI = (x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), False)
NUMBER = (x509.CRLNumber(1), False)
NOT_CRITICAL = x509.IssuingDistributionPoint(
    [x509.UniformResourceIdentifier("http://ca.test/1.crl")], None, False, False, None, False, False
)


@pytest.mark.parametrize("rule", [*ALONE, *WITH_ISSUER])
def test_each_rule_that_applies_finds_a_fault_in_a_certificate_from_elsewhere(rule: str) -> None:
    found = [rule in rules(lint(path, "--no-pkilint", "--json")) for path in applicable(rule)]
    assert any(found), "none of the rule's bad fixtures is found without its profile"


def test_what_keystead_issues_has_no_fault(quick_world: World, tmp_path: Path) -> None:
    root, sub = quick_world.service().init()
    issued = quick_world.issue(sub.arn)
    quick_world.service().revoke(sub.arn, issued.serial, "SUPERSEDED")
    quick_world.run_due()
    (tmp_path / "chain.pem").write_text(issued.certificate_pem + sub.certificate_pem + root.certificate_pem)
    (tmp_path / "sub.crl").write_bytes(quick_world.service().crl(sub.arn))
    for name in ("chain.pem", "sub.crl"):
        said = lint(tmp_path / name)
        assert said.exit_code == 0, said.output
        assert not [
            line for line in said.output.splitlines() if line.startswith(("  FATAL", "  ERROR", "  WARNING"))
        ]
    (tmp_path / "leaf.pem").write_text(issued.certificate_pem)
    assert lint(tmp_path / "leaf.pem", "--issuer", tmp_path / "chain.pem").exit_code == 0


def test_a_signature_by_another_key_of_the_same_name_is_found(tmp_path: Path) -> None:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> bytes:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(NAME)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(START)
            .not_valid_after(START + timedelta(days=9))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(keys[0], hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )

    below = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Below")])
    file = tmp_path / "two.pem"
    file.write_bytes(certificate(below, keys[1]) + certificate(NAME, keys[1]))
    said = lint(file, "--no-pkilint", "--json")
    assert said.exit_code == 1
    assert "signature" in rules(said)


@pytest.mark.parametrize(
    ("rule", "pem"),
    [
        ("crl_number", crl(AKI)),
        ("crl_number", crl(AKI, (x509.CRLNumber(1), True))),
        ("crl_authority_key_identifier", crl(NUMBER)),
        ("crl_issuing_distribution_point", crl(AKI, NUMBER, (NOT_CRITICAL, False))),
        ("crl_reasons", crl(AKI, NUMBER, reason=x509.ReasonFlags.unspecified)),
        ("crl_reasons", crl(AKI, NUMBER, reason=x509.ReasonFlags.remove_from_crl)),
    ],
)
def test_each_fault_of_a_crl_is_found(rule: str, pem: bytes, tmp_path: Path) -> None:
    (tmp_path / "bad.crl").write_bytes(pem)
    said = lint(tmp_path / "bad.crl", "--no-pkilint", "--json")
    assert said.exit_code == 1
    assert rules(said) == {rule}


def test_a_sound_crl_in_der_has_no_fault(tmp_path: Path) -> None:
    der = x509.load_pem_x509_crl(crl(AKI, NUMBER)).public_bytes(Encoding.DER)
    (tmp_path / "good.crl").write_bytes(der)
    assert lint(tmp_path / "good.crl", "--no-pkilint").exit_code == 0


def test_pkilint_is_asked_too(tmp_path: Path) -> None:
    bad = FOLDER / "extensions_of_profile" / "bad-empty-subject-san-not-critical.pem"
    said = lint(bad, "--json")
    found = json.loads(said.output)["findings"]
    assert any(each["source"] == "pkilint" and "san_extension_not_critical" in each["rule"] for each in found)
    assert said.exit_code == 1
    assert "ERROR" in lint(bad).output


def test_without_pkilint_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from ca.linting import second_opinion

    monkeypatch.setitem(sys.modules, "pkilint", None)
    sys.modules[second_opinion.__module__]._linters.cache_clear()
    (tmp_path / "good.crl").write_bytes(crl(AKI, NUMBER))
    said = lint(tmp_path / "good.crl")
    assert isinstance(said.exception, CommandFailed)
    assert "keystead[lint]" in str(said.exception)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"nothing of the kind",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN CERTIFICATE-----\n=A\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_file_without_anything_to_lint_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    assert isinstance(lint(tmp_path / "file").exception, CommandFailed)


@pytest.mark.parametrize("der", [b"\x30\x00", b"\x30\x82\xff\xff", b"\x30\x03\x02\x01\x01"])
def test_what_cannot_be_read_is_a_finding_and_no_traceback(der: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.der").write_bytes(der)
    encoded = base64.b64encode(der)
    (tmp_path / "file.pem").write_bytes(
        b"-----BEGIN X509 CRL-----\n" + encoded + b"\n-----END X509 CRL-----\n"
    )
    for name in ("file.der", "file.pem"):
        said = lint(tmp_path / name)
        assert isinstance(said.exception, SystemExit), said.exception
        assert said.exit_code == 1
        assert "FATAL" in said.output
