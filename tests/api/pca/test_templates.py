"""Every template: what it says and lets pass, against AWS's own table; validity, names, tokens, refusals."""

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from ca.profiles import key_usage, key_usage_names
from ca.templates import TEMPLATES
from tests.api.pca.acting import Hierarchy, activate, create, hierarchy, issue, request
from tests.support.world import World

NAME = "host.example.com"


@pytest.fixture(scope="module")
def deep(shared_world: World) -> Hierarchy:
    """A root without a path length, which issues everything itself."""
    pca = shared_world.account().client("acm-pca")
    root = create(pca, "ROOT", "Deep Root")
    activate(pca, root, root, "RootCACertificate", "EC_prime256v1", 10)
    return Hierarchy(pca, root, root, "EC_prime256v1")


AWS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "certs-fixtures" / "templates" / "aws.json").read_text()
)
PURPOSES = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "OCSPSigning": ExtendedKeyUsageOID.OCSP_SIGNING,
}
CERT_SIGN = frozenset({"key_cert_sign"})
KEY = rsa.generate_private_key(65537, 2048)
POINTS, POLICIES = ExtensionOID.CRL_DISTRIBUTION_POINTS, ExtensionOID.CERTIFICATE_POLICIES


def points(host: str) -> x509.CRLDistributionPoints:
    where = [x509.UniformResourceIdentifier(f"http://{host}.example.com/crl")]
    return x509.CRLDistributionPoints([x509.DistributionPoint(where, None, None, None)])


def policies(last: int) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(f"1.3.6.1.4.1.55555.{last}"), None)]
    )


def by_csr(*, ca: bool) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """What the request asks for, all of it beyond the base templates; key usages of a CA where it is for one."""
    usage = key_usage(frozenset({"crl_sign", *CERT_SIGN}) if ca else frozenset({"data_encipherment"}))
    purposes = () if ca else ((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), True),)
    return ((usage, True), *purposes, (policies(1), False), (points("csr"), False))


def by_api(*, ca: bool) -> dict[str, Any]:
    """The same by ApiPassthrough, with other values."""
    usage = {"KeyCertSign": True} if ca else {"DigitalSignature": True, "NonRepudiation": True}
    points_value = base64.b64encode(points("api").public_bytes()).decode()
    purposes = {} if ca else {"ExtendedKeyUsage": [{"ExtendedKeyUsageType": "EMAIL_PROTECTION"}]}
    return {
        "Subject": {"CommonName": "api.example.com"},
        "Extensions": {
            "KeyUsage": usage,
            "SubjectAlternativeNames": [{"DnsName": "api.example.com"}],
            "CertificatePolicies": [{"CertPolicyId": "1.3.6.1.4.1.55555.2"}],
            "CustomExtensions": [{"ObjectIdentifier": POINTS.dotted_string, "Value": points_value}],
            **purposes,
        },
    }


@cache
def issued(deep: Hierarchy, template: str) -> x509.Certificate:
    """A certificate that request and API both want to say everything of."""
    kind = TEMPLATES[template]
    given: dict[str, Any] = {"ApiPassthrough": by_api(ca=kind.ca)}
    if not kind.root:
        csr = request(
            "csr.example.com", common_name="csr.example.com", extensions=by_csr(ca=kind.ca), key=KEY
        )
        return deep.certificate(deep.issue(csr, template, **given))
    root = create(deep.pca, name="csr.example.com", algorithm="RSA_2048")
    csr = deep.pca.get_certificate_authority_csr(CertificateAuthorityArn=root)["Csr"].encode()
    return deep.certificate(issue(deep.pca, root, csr, "RSA_2048", template, **given))


def found(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> x509.Extension[Any] | None:
    return next((each for each in certificate.extensions if each.oid == oid), None)


def test_the_templates_are_awss() -> None:
    assert set(TEMPLATES) == set(AWS)


@pytest.mark.parametrize("template", AWS)
def test_every_cell_of_awss_table_holds(deep: Hierarchy, template: str) -> None:
    made, row, kind = issued(deep, template), AWS[template], TEMPLATES[template]
    source = "api" if kind.api else "csr"
    common = str(made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    assert common == (f"{source}.example.com")
    assert ("API" in row["subject"]) == (source == "api") or not kind.api
    san = found(made, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    if san is not None:  # a CA's own request has none
        assert (san.value.get_values_for_type(x509.DNSName), san.critical) == (
            [f"{source}.example.com"],
            False,
        )
    assert san is not None or (kind.root and not kind.api)
    assert constraints_of(made) == row["constraints"]
    assert found(made, ExtensionOID.SUBJECT_KEY_IDENTIFIER) is not None
    assert (found(made, ExtensionOID.AUTHORITY_KEY_IDENTIFIER) is not None) == (row["aki"] == "SKI of CA")
    usage, purposes = found(made, ExtensionOID.KEY_USAGE), found(made, ExtensionOID.EXTENDED_KEY_USAGE)
    if row["usage"] is not None:
        assert usage is not None
        assert key_usage_names(usage.value) == set(row["usage"]["values"])
        assert usage.critical == row["usage"]["critical"]
    if row["purposes"] is not None:
        assert purposes is not None
        assert set(purposes.value) == {PURPOSES[name] for name in row["purposes"]["values"]}
        assert purposes.critical == row["purposes"]["critical"]


@pytest.mark.parametrize("template", AWS)
def test_what_a_template_leaves_open_passes_in_the_order_api_then_request(
    deep: Hierarchy, template: str
) -> None:
    made, row, kind = issued(deep, template), AWS[template], TEMPLATES[template]
    source = "api" if kind.api else "csr" if kind.csr else None
    policy, where = found(made, POLICIES), found(made, POINTS)
    assert (policy and policy.value) == {"api": policies(2), "csr": policies(1), None: None}[source]
    assert (where and where.value) == {"api": points("api"), "csr": points("csr"), None: None}[source]
    if row["usage"] is None:
        usage = found(made, ExtensionOID.KEY_USAGE)
        wanted = {
            ("api", True): CERT_SIGN,
            ("api", False): {"digital_signature", "content_commitment"},
            ("csr", True): {"crl_sign", *CERT_SIGN},
            ("csr", False): {"data_encipherment"},
        }[str(source), kind.ca]
        assert usage is not None
        assert key_usage_names(usage.value) == wanted
    if row["purposes"] is None:
        purposes = found(made, ExtensionOID.EXTENDED_KEY_USAGE)
        passed = {"api": [ExtendedKeyUsageOID.EMAIL_PROTECTION], "csr": [ExtendedKeyUsageOID.TIME_STAMPING]}
        expected = None if kind.ca or source is None else passed[source]
        assert (purposes and list(purposes.value)) == expected


def constraints_of(certificate: x509.Certificate) -> str:
    """As the table writes them."""
    extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    value = extension.value
    length = "" if value.path_length is None else f", pathlen:{value.path_length}"
    return f"{'critical, ' if extension.critical else ''}CA:{str(value.ca).upper()}{length}"


def test_key_encipherment_is_for_rsa_keys_alone(deep: Hierarchy) -> None:
    """RFC 5480 3 forbids it to EC keys, where AWS's templates say it all the same."""
    leaf = deep.certificate(deep.issue(request(NAME)))
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert key_usage_names(usage) == {"digital_signature"}


def test_a_root_takes_an_authority_key_identifier_of_the_api_if_it_is_its_own(deep: Hierarchy) -> None:
    root = create(deep.pca)
    csr = deep.pca.get_certificate_authority_csr(CertificateAuthorityArn=root)["Csr"].encode()
    public = x509.load_pem_x509_csr(csr).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)

    def given(identifier: x509.AuthorityKeyIdentifier) -> dict[str, Any]:
        value = base64.b64encode(identifier.public_bytes()).decode()
        custom = {"ObjectIdentifier": identifier.oid.dotted_string, "Value": value}
        return {"ApiPassthrough": {"Extensions": {"CustomExtensions": [custom]}}}

    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    template = "RootCACertificate_APIPassthrough"
    made = deep.certificate(issue(deep.pca, root, csr, template=template, **given(own)))
    assert made.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value == own
    other = x509.AuthorityKeyIdentifier(b"another", None, None)
    with pytest.raises(deep.pca.exceptions.InvalidArgsException, match="authority key identifier"):
        issue(deep.pca, root, csr, template=template, **given(other))


@pytest.mark.parametrize("oid", ["2.5.29.15", "2.5.29.17", "2.5.29.31", "2.5.29.36", "1.3.6.1.4.1.55555.1"])
def test_a_malformed_custom_extension_is_refused(deep: Hierarchy, oid: str) -> None:
    custom = {"ObjectIdentifier": oid, "Value": base64.b64encode(b"\x30\x05\x00").decode()}
    given: dict[str, Any] = {"ApiPassthrough": {"Extensions": {"CustomExtensions": [custom]}}}
    with pytest.raises(deep.pca.exceptions.InvalidArgsException, match="malformed"):
        deep.issue(request(NAME), "EndEntityCertificate_APIPassthrough", **given)


@pytest.mark.parametrize("critical", [True, False])
def test_a_subject_alternative_name_is_as_critical_as_it_was_asked_for(
    deep: Hierarchy, critical: bool
) -> None:
    value = base64.b64encode(x509.SubjectAlternativeName([x509.DNSName(NAME)]).public_bytes()).decode()
    custom = {"ObjectIdentifier": "2.5.29.17", "Value": value, "Critical": critical}
    given: dict[str, Any] = {"ApiPassthrough": {"Extensions": {"CustomExtensions": [custom]}}}
    csr = request(common_name=NAME)
    made = deep.certificate(deep.issue(csr, "EndEntityCertificate_APIPassthrough", **given))
    assert list(made.subject)
    found = made.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert found.critical is critical


def test_a_practice_statement_that_is_no_uri_is_refused(deep: Hierarchy) -> None:
    qualifier = {"PolicyQualifierId": "CPS", "Qualifier": {"CpsUri": "see our web site"}}
    policy = {"CertPolicyId": "1.3.6.1.4.1.55555.2", "PolicyQualifiers": [qualifier]}
    given: dict[str, Any] = {"ApiPassthrough": {"Extensions": {"CertificatePolicies": [policy]}}}
    with pytest.raises(deep.pca.exceptions.InvalidArgsException, match="absolute URI"):
        deep.issue(request(NAME), "EndEntityCertificate_APIPassthrough", **given)


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
