"""Every template: issued through the API, and judged by openssl and pkilint."""

import base64
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from ca.templates import TEMPLATES
from tests.api.pca.acting import Hierarchy, activate, create, hierarchy, issue, request
from tests.ca.independent_linter import certificate_findings, chain_findings
from tests.support.world import World

NAME = "host.example.com"
CA_USAGE = {"KeyUsage": {"KeyCertSign": True, "CRLSign": True}}
PEM_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
ISSUED = [name for name, template in TEMPLATES.items() if not template.root]


@pytest.fixture(scope="module")
def deep(shared_world: World) -> Hierarchy:
    """A root without a path length, which issues everything itself."""
    pca = shared_world.account().client("acm-pca")
    root = create(pca, "ROOT", "Deep Root")
    activate(pca, root, root, "RootCACertificate", "EC_prime256v1", 10)
    return Hierarchy(pca, root, root, "EC_prime256v1")


def root_of(made: Hierarchy) -> str:
    return str(
        made.pca.get_certificate_authority_certificate(CertificateAuthorityArn=made.root)["Certificate"]
    )


def passing(template: str) -> dict[str, Any]:
    """ApiPassthrough with what a blank CA template needs."""
    kind = TEMPLATES[template]
    return {"ApiPassthrough": {"Extensions": CA_USAGE}} if kind.ca and kind.blank and kind.api else {}


def asked(template: str) -> bytes:
    kind = TEMPLATES[template]
    own = ((PEM_USAGE, True),) if kind.ca and kind.blank and not kind.api else ()
    return request(*(() if kind.ca else (NAME,)), common_name="Sub CA" if kind.ca else NAME, extensions=own)


@pytest.mark.parametrize("template", ISSUED)
def test_what_a_template_issues_is_accepted_by_openssl_and_pkilint(
    deep: Hierarchy, template: str, tmp_path: Path
) -> None:
    leaf = deep.certificate(deep.issue(asked(template), template, **passing(template)))
    root, pem = root_of(deep), leaf.public_bytes(Encoding.PEM).decode()
    findings = [
        each for each in certificate_findings(pem) + chain_findings(root, pem) if not each.startswith("WARN")
    ]
    assert not findings
    (tmp_path / "root.pem").write_text(root)
    (tmp_path / "leaf.pem").write_text(pem)
    told = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root.pem", tmp_path / "leaf.pem"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    kind = TEMPLATES[template]
    assert (constraints.value.ca, constraints.value.path_length) == (kind.ca, kind.path_length)
    assert constraints.critical is kind.constraints_critical


@pytest.mark.parametrize("template", [name for name, kind in TEMPLATES.items() if kind.root])
def test_every_root_template_makes_a_root(shared_world: World, template: str) -> None:
    pca = shared_world.account().client("acm-pca")
    root = create(pca)
    csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=root)["Csr"].encode()
    arn = issue(pca, root, csr, template=template, **passing(template))
    made = pca.get_certificate(CertificateAuthorityArn=root, CertificateArn=arn)
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=root, Certificate=made["Certificate"]
    )
    assert not [each for each in certificate_findings(made["Certificate"]) if not each.startswith("WARN")]


def test_a_root_template_is_for_the_roots_own_request_only(deep: Hierarchy) -> None:
    with pytest.raises(deep.pca.exceptions.InvalidArgsException, match="own signing request"):
        deep.issue(request(common_name="Other"), "RootCACertificate")


def test_trap_33_api_passthrough_is_ignored_unless_the_variant_says_so(deep: Hierarchy) -> None:
    extensions = {"SubjectAlternativeNames": [{"DnsName": "other.example.com"}]}
    given: dict[str, Any] = {
        "ApiPassthrough": {"Subject": {"CommonName": "other.example.com"}, "Extensions": extensions}
    }
    plain = deep.certificate(deep.issue(request(NAME, common_name=NAME), **given))
    passed = deep.certificate(
        deep.issue(request(NAME, common_name=NAME), "EndEntityCertificate_APIPassthrough", **given)
    )
    assert [names(plain), names(passed)] == [[NAME], ["other.example.com"]]
    assert passed.subject.rfc4514_string() == "CN=other.example.com"


def names(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return found.get_values_for_type(x509.DNSName)


def test_the_templates_own_usages_stand_above_what_passes_through(deep: Hierarchy) -> None:
    usages = {"ExtendedKeyUsage": [{"ExtendedKeyUsageType": "CODE_SIGNING"}]}
    given: dict[str, Any] = {"ApiPassthrough": {"Extensions": usages}}
    arn = deep.issue(request(NAME), "EndEntityServerAuthCertificate_APIPassthrough", **given)
    blank = deep.issue(request(NAME), "BlankEndEntityCertificate_APIPassthrough", **given)
    found = [
        list(deep.certificate(each).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        for each in (arn, blank)
    ]
    assert found == [[ExtendedKeyUsageOID.SERVER_AUTH], [ExtendedKeyUsageOID.CODE_SIGNING]]


def test_custom_extensions_policies_and_names_of_every_kind_pass_through(deep: Hierarchy) -> None:
    extensions = {
        "CustomExtensions": [
            {"ObjectIdentifier": "1.3.6.1.4.1.55555.1", "Value": base64.b64encode(b"\x05\x00").decode()}
        ],
        "CertificatePolicies": [{"CertPolicyId": "1.3.6.1.4.1.55555.2"}],
        "SubjectAlternativeNames": [
            {"DnsName": NAME},
            {"IpAddress": "192.0.2.1"},
            {"Rfc822Name": "a@example.com"},
            {"UniformResourceIdentifier": "https://example.com/"},
            {"RegisteredId": "1.2.3.4"},
            {"DirectoryName": {"CommonName": "x"}},
            {"OtherName": {"TypeId": "1.3.6.1.4.1.311.20.2.3", "Value": "a@example.com"}},
        ],
    }
    arn = deep.issue(
        request(NAME), "EndEntityCertificate_APIPassthrough", ApiPassthrough={"Extensions": extensions}
    )
    found = deep.certificate(arn).extensions
    assert len(list(found.get_extension_for_class(x509.SubjectAlternativeName).value)) == 7
    assert found.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"))
    assert found.get_extension_for_oid(ExtensionOID.CERTIFICATE_POLICIES)


def test_a_name_that_nobody_reads_is_refused_and_not_dropped(deep: Hierarchy) -> None:
    extensions = {"SubjectAlternativeNames": [{"EdiPartyName": {"PartyName": "x"}}]}
    with pytest.raises(deep.pca.exceptions.InvalidArgsException, match="EdiPartyName"):
        deep.issue(
            request(NAME), "EndEntityCertificate_APIPassthrough", ApiPassthrough={"Extensions": extensions}
        )


@pytest.mark.parametrize(
    "validity",
    [
        {"Type": "DAYS", "Value": 30},
        {"Type": "MONTHS", "Value": 2},
        {"Type": "YEARS", "Value": 1},
        {"Type": "ABSOLUTE", "Value": 1_830_000_000},
        {"Type": "END_DATE", "Value": 271231235959},
        {"Type": "END_DATE", "Value": 20271231235959},
    ],
)
def test_trap_33_all_five_kinds_of_validity(deep: Hierarchy, validity: dict[str, Any]) -> None:
    leaf = deep.certificate(deep.issue(request(NAME), Validity=validity))
    end = leaf.not_valid_after_utc
    if validity["Type"] == "END_DATE":
        assert end.isoformat() == "2027-12-31T23:59:59+00:00"
    if validity["Type"] == "ABSOLUTE":
        assert end.timestamp() == validity["Value"]
    if validity["Type"] == "DAYS":
        assert (end - leaf.not_valid_before_utc).total_seconds() == 30 * 86400 + 3600


@pytest.mark.parametrize(
    "validity",
    [
        {"Type": "YEARS", "Value": 11},
        {"Type": "END_DATE", "Value": 20271399},
        {"Type": "YEARS", "Value": 9**15},
    ],
)
def test_a_validity_that_outlives_the_ca_or_is_no_moment_is_refused(
    deep: Hierarchy, validity: dict[str, Any]
) -> None:
    with pytest.raises(deep.pca.exceptions.InvalidArgsException):
        deep.issue(request(NAME), Validity=validity)


def test_a_path_length_below_the_issuers_is_needed(shared_world: World) -> None:
    made = hierarchy(shared_world.account().client("acm-pca"))
    with pytest.raises(made.pca.exceptions.InvalidArgsException, match="path"):
        made.issue(request(common_name="Below"), "SubordinateCACertificate_PathLen0")


def test_a_repeated_token_gives_the_same_certificate(deep: Hierarchy) -> None:
    csr = request(NAME)
    first, second = (deep.issue(csr, IdempotencyToken="again") for _ in range(2))
    assert first == second
    with pytest.raises(deep.pca.exceptions.InvalidArgsException):
        deep.issue(request(NAME), IdempotencyToken="again")


def test_a_short_lived_ca_issues_for_seven_days_at_most(shared_world: World) -> None:
    pca = shared_world.account().client("acm-pca")
    root = create(pca, UsageMode="SHORT_LIVED_CERTIFICATE")
    csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=root)["Csr"].encode()
    arn = issue(pca, root, csr, template="RootCACertificate", Validity={"Type": "YEARS", "Value": 1})
    made = pca.get_certificate(CertificateAuthorityArn=root, CertificateArn=arn)
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=root, Certificate=made["Certificate"]
    )
    issue(pca, root, request(NAME), Validity={"Type": "DAYS", "Value": 7})
    with pytest.raises(pca.exceptions.InvalidArgsException, match="seven days"):
        issue(pca, root, request(NAME), Validity={"Type": "DAYS", "Value": 8})


@pytest.mark.parametrize("csr", [b"nonsense", request()])
def test_a_request_that_names_nobody_or_is_none_is_refused(deep: Hierarchy, csr: bytes) -> None:
    with pytest.raises(deep.pca.exceptions.MalformedCSRException):
        deep.issue(csr)
