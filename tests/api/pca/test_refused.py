"""Faulty requests, one for each rule at issue time: refused by AWS's code, and the core has made no signature."""

import base64
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from ca.profiles import key_usage
from tests.api.pca.acting import Hierarchy, create, hierarchy, issue, request
from tests.api.pca.test_imports import Extensions, Parent, csr_of, name, signed, take
from tests.ca.conftest import uses
from tests.support.world import World

NAME = "host.example.com"
API = "EndEntityCertificate_APIPassthrough"
CSR = "EndEntityCertificate_CSRPassthrough"
BAD_CSRS = Path(__file__).parents[3] / "certs-fixtures" / "csr" / "bad"
DAY = timedelta(days=1)


@contextmanager
def no_signature(world: World) -> Iterator[None]:
    """The core's own records count no signature on a certificate between these lines."""
    before = signatures(world)
    yield
    assert signatures(world) == before


def signatures(world: World) -> int:
    return sum(
        use["op"] == "Sign" and use["kind"] in {"certificate", "ca-certificate"}
        for use in uses(world.core.trail)
    )


@pytest.fixture(scope="module")
def parent() -> Parent:
    key = ec.generate_private_key(ec.SECP256R1())
    own = signed(key, name("Outside"), name("Outside"), key.public_key(), critical=True, days=365)
    return Parent(key, x509.load_pem_x509_certificate(own))


@pytest.fixture(scope="module")
def under(shared_world: World, parent: Parent) -> Callable[..., Hierarchy]:
    """An authority of its own for each set of extensions that its outside parent gives it."""
    made: dict[str, Hierarchy] = {}
    pca = shared_world.account().client("acm-pca")

    def authority(*more: tuple[x509.ExtensionType, bool], days: int = 300) -> Hierarchy:
        if repr(more) not in made:
            arn = create(pca, "SUBORDINATE", "Bounded CA")
            take(pca, arn, parent.sign(csr_of(pca, arn), *more, days=days), parent.pem)
            made[repr(more)] = Hierarchy(pca, arn, arn, "EC_prime256v1")
        return made[repr(more)]

    return authority


def bounds(permitted: x509.GeneralName | None, excluded: x509.GeneralName | None = None) -> Extensions:
    trees = ([permitted] if permitted else None, [excluded] if excluded else None)
    return [(x509.NameConstraints(*trees), True)]


def sans(*names: dict[str, Any]) -> dict[str, Any]:
    return {"ApiPassthrough": {"Extensions": {"SubjectAlternativeNames": list(names)}}}


def custom(extension: x509.ExtensionType, *, critical: bool = False) -> dict[str, Any]:
    value = base64.b64encode(extension.public_bytes()).decode()
    one = {"ObjectIdentifier": extension.oid.dotted_string, "Value": value, "Critical": critical}
    return {"ApiPassthrough": {"Extensions": {"CustomExtensions": [one]}}}


DNS = bounds(x509.DNSName("example.com"), x509.DNSName("secret.example.com"))
EMAIL = bounds(x509.RFC822Name("example.com"), x509.RFC822Name("boss@example.com"))
URI = bounds(x509.UniformResourceIdentifier(".example.com"), x509.UniformResourceIdentifier("x.example.com"))
ACME = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
DIRECTORY = bounds(x509.DirectoryName(ACME))
NAMES: dict[str, tuple[Extensions, dict[str, Any]]] = {
    "DNS outside": (DNS, {"DnsName": "host.example.net"}),
    "DNS excluded beats permitted": (DNS, {"DnsName": "secret.example.com"}),
    "DNS wildcard that meets the excluded": (DNS, {"DnsName": "*.example.com"}),
    "email outside": (EMAIL, {"Rfc822Name": "a@example.net"}),
    "email excluded": (EMAIL, {"Rfc822Name": "boss@example.com"}),
    "URI outside": (URI, {"UniformResourceIdentifier": "https://a.example.net/"}),
    "URI excluded": (URI, {"UniformResourceIdentifier": "https://x.example.com/"}),
    "directory outside": (DIRECTORY, {"DirectoryName": {"Organization": "Other"}}),
    "IP outside": (
        bounds(x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))),
        {"IpAddress": "198.51.100.7"},
    ),
}


@pytest.mark.parametrize("case", NAMES)
def test_a_name_outside_the_constraints_above_is_refused(
    shared_world: World, under: Callable[..., Hierarchy], case: str
) -> None:
    extensions, san = NAMES[case]
    made = under(*extensions)
    with no_signature(shared_world), pytest.raises(ClientError, match="name constraints") as caught:
        made.issue(request(common_name=None), API, **sans(san))
    assert caught.value.response["Error"]["Code"] == "InvalidArgsException"


def test_a_subject_outside_the_directory_constraints_is_refused(
    shared_world: World, under: Callable[..., Hierarchy]
) -> None:
    made = under(*DIRECTORY)
    with no_signature(shared_world), pytest.raises(ClientError, match="name constraints"):
        made.issue(request(NAME, common_name=NAME))


def test_purposes_beyond_those_of_the_issuer_are_refused(
    shared_world: World, under: Callable[..., Hierarchy]
) -> None:
    made = under((x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
    assert made.issue(request(NAME), "EndEntityServerAuthCertificate")
    with no_signature(shared_world):
        for template in ("EndEntityCertificate", "EndEntityClientAuthCertificate", "CodeSigningCertificate"):
            with pytest.raises(ClientError, match="extended key usage"):
                made.issue(request(NAME), template)


END = datetime.now(UTC) + 301 * DAY
VALIDITIES = {
    "days": {"Type": "DAYS", "Value": 301},
    "months": {"Type": "MONTHS", "Value": 10},
    "years": {"Type": "YEARS", "Value": 1},
    "absolute": {"Type": "ABSOLUTE", "Value": int(END.timestamp())},
    "end date": {"Type": "END_DATE", "Value": int(END.strftime("%Y%m%d%H%M%S"))},
    "end date in UTCTime": {"Type": "END_DATE", "Value": int(END.strftime("%y%m%d%H%M%S"))},
    "in the past": {"Type": "ABSOLUTE", "Value": 1_500_000_000},
    "end date in the past": {"Type": "END_DATE", "Value": 500101000000},
}


@pytest.mark.parametrize("case", VALIDITIES)
def test_a_validity_beyond_the_issuers_is_refused_however_it_is_said(
    shared_world: World, under: Callable[..., Hierarchy], case: str
) -> None:
    with no_signature(shared_world), pytest.raises(ClientError, match="InvalidArgsException"):
        under().issue(request(NAME), Validity=VALIDITIES[case])


def beginning(kind: str, value: int) -> dict[str, Any]:
    return {"ValidityNotBefore": {"Type": kind, "Value": value}}


MAILBOX = x509.Name(
    [x509.NameAttribute(NameOID.EMAIL_ADDRESS, "ü@example.com", _ASN1Type.UTF8String, _validate=False)]
)

FAULTS: dict[str, tuple[bytes, str, dict[str, Any], str]] = {
    "begins before its issuer": (request(NAME), API, beginning("ABSOLUTE", 1_500_000_000), "before the CA's own"),
    "begins after its end": (
        request(NAME), API, beginning("ABSOLUTE", int((datetime.now(UTC) + 200 * DAY).timestamp())), "no certificate can say",
    ),
    "begins by a length": (request(NAME), API, beginning("DAYS", 1), "of type ABSOLUTE"),
    "CN outside the SAN": (request(NAME, common_name="other.example.com"), API, {}, "common name"),
    "the same name twice": (request(), API, sans({"DnsName": NAME}, {"DnsName": NAME}), "twice"),
    "a name that is none": (request(), API, sans({"DnsName": "not a host"}), "no DNS name"),
    "an address of a zone": (request(), API, sans({"IpAddress": "fe80::1%eth0"}), "the zone"),
    "an address that is none": (request(), API, sans({"IpAddress": "192.0.2.999"}), "IpAddress"),
    "a mailbox that is none": (request(), API, sans({"Rfc822Name": "nobody"}), "no mail address"),
    "a URI that is none": (request(), API, sans({"UniformResourceIdentifier": "/x"}), "no absolute URI"),
    "a mailbox outside ASCII in the subject": (request(NAME, subject=MAILBOX), API, {}, "emailAddress|1.2.840.113549.1.9.1"),
    "the same by the API": (
        request(NAME), API, {"ApiPassthrough": {"Subject": {"CustomAttributes": [
            {"ObjectIdentifier": "1.2.840.113549.1.9.1", "Value": "ü@example.com"},
        ]}}}, "IA5String",
    ),
    "a policy twice": (
        request(NAME), API, {"ApiPassthrough": {"Extensions": {"CertificatePolicies": [{"CertPolicyId": "1.2.3.4"}] * 2}}},
        "policy occurs twice",
    ),
    "an empty extension": (
        request(NAME), API, {"ApiPassthrough": {"Extensions": {"CustomExtensions": [
            {"ObjectIdentifier": "1.3.6.1.5.5.7.1.11", "Value": "MAA="},
        ]}}}, "is empty",
    ),
    "constraints of names in a leaf": (
        request(NAME), API, custom(x509.NameConstraints([x509.DNSName("a")], None), critical=True), "CAs alone",
    ),
    "the same by the request": (
        request(NAME, extensions=((x509.NameConstraints([x509.DNSName("a")], None), True),)), CSR, {}, "CAs alone",
    ),
    "an EC key that enciphers": (
        request(NAME), "BlankEndEntityCertificate_APIPassthrough",
        {"ApiPassthrough": {"Extensions": {"KeyUsage": {"KeyEncipherment": True}}}}, "EC key",
    ),
    "a leaf that signs certificates": (
        request(NAME, extensions=((key_usage(frozenset({"key_cert_sign"})), True),)),
        "BlankEndEntityCertificate_CSRPassthrough", {}, "KeyCertSign",
    ),
    "a CA that signs none": (
        request(common_name="Sub"), "BlankSubordinateCACertificate_PathLen0_CSRPassthrough", {}, "KeyCertSign",
    ),
    "a purpose of two kinds": (
        request(NAME), "BlankEndEntityCertificate_APIPassthrough",
        {"ApiPassthrough": {"Extensions": {"ExtendedKeyUsage": [
            {"ExtendedKeyUsageType": "SERVER_AUTH", "ExtendedKeyUsageObjectIdentifier": "1.2.3"},
        ]}}}, "either a type or",
    ),
    "an unknown template": (request(NAME), "EndEntityCertificate_PathLen9", {}, "no template"),
    "a root below another CA": (request(common_name="Root"), "RootCACertificate", {}, "own signing request"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_request_is_refused_with_invalid_args_and_no_signature(
    shared_world: World, under: Callable[..., Hierarchy], fault: str
) -> None:
    csr, template, given, words = FAULTS[fault]
    with no_signature(shared_world), pytest.raises(ClientError, match=words) as caught:
        under().issue(csr, template, **given)
    assert caught.value.response["Error"]["Code"] == "InvalidArgsException"


def test_a_ca_below_a_path_length_of_0_is_refused(
    shared_world: World, under: Callable[..., Hierarchy], parent: Parent
) -> None:
    pca = shared_world.account().client("acm-pca")
    arn = create(pca, "SUBORDINATE", "Last CA")
    asked = x509.load_pem_x509_csr(csr_of(pca, arn).encode())
    own = below(parent, asked, path_length=0)
    take(pca, arn, own, parent.pem)
    with no_signature(shared_world), pytest.raises(ClientError, match="path length of 0"):
        issue(pca, arn, request(common_name="Below"), template="SubordinateCACertificate_PathLen0")
    with no_signature(shared_world), pytest.raises(ClientError, match="own name"):
        under().issue(request(subject=SAME), "SubordinateCACertificate_PathLen0")


SAME = x509.Name(
    [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Bounded CA"),
    ]
)


def below(parent: Parent, asked: x509.CertificateSigningRequest, path_length: int) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        parent.certificate.subject, asked.subject, asked.public_key(), 77, now - DAY, now + 200 * DAY
    )
    public = asked.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=path_length), True),
        (key_usage(frozenset({"key_cert_sign", "crl_sign"})), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(parent.key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "path",
    ["rsa-1024", "rsa-roca", "rsa-close-primes", "secp256k1", "bad-signature", "signed-by-another", "sha1"],
)
def test_a_request_with_a_weak_key_or_without_possession_is_malformed(
    shared_world: World, under: Callable[..., Hierarchy], path: str
) -> None:
    csr = (BAD_CSRS / f"{path}.pem").read_bytes()
    with no_signature(shared_world), pytest.raises(ClientError, match="MalformedCSRException"):
        under().issue(csr)


def test_no_authoritys_key_is_certified_as_anyones(
    shared_world: World, under: Callable[..., Hierarchy]
) -> None:
    made = under()
    own = csr_of(made.pca, made.root).encode()
    with no_signature(shared_world), pytest.raises(ClientError, match="belongs to a certificate authority"):
        made.issue(own)


def test_identifiers_and_criticality_are_the_cas_to_say(under: Callable[..., Hierarchy]) -> None:
    """SKI of the key, AKI of the issuer, SAN critical exactly where the subject is empty, 128 random bits of serial."""
    made = under()
    own = made.pca.get_certificate_authority_certificate(CertificateAuthorityArn=made.root)["Certificate"]
    issuer = x509.load_pem_x509_certificate(own.encode())
    false_id = custom(x509.SubjectKeyIdentifier(b"another"))
    for common, critical in ((None, True), (NAME, False)):
        leaf = made.certificate(made.issue(request(NAME, common_name=common), API, **false_id))
        get = leaf.extensions.get_extension_for_oid
        public = leaf.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).critical is critical
        assert get(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value == x509.SubjectKeyIdentifier.from_public_key(
            public
        )
        above = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        stated = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        assert stated.key_identifier == above
        assert 120 <= leaf.serial_number.bit_length() < 160


def test_a_key_that_was_revoked_for_compromise_is_certified_no_more(
    shared_world: World, under: Callable[..., Hierarchy]
) -> None:
    made, key = under(), ec.generate_private_key(ec.SECP256R1())
    arns = [made.issue(request(NAME, key=key)) for _ in range(2)]
    for arn, reason in zip(arns, ("SUPERSEDED", "KEY_COMPROMISE"), strict=True):
        made.issue(request(NAME, key=key))
        made.pca.revoke_certificate(
            CertificateAuthorityArn=made.subordinate,
            CertificateSerial=arn.rpartition("/")[2],
            RevocationReason=reason,
        )
    with no_signature(shared_world), pytest.raises(ClientError, match="compromised") as caught:
        made.issue(request(NAME, key=key))
    assert caught.value.response["Error"]["Code"] == "InvalidArgsException"
    assert made.issue(request(NAME))


def test_a_ca_that_was_compromised_gets_no_certificate_for_the_same_key(pca: Any) -> None:
    made = hierarchy(pca)
    asked = pca.get_certificate_authority_csr(CertificateAuthorityArn=made.subordinate)["Csr"].encode()
    serial = pca.describe_certificate_authority(CertificateAuthorityArn=made.subordinate)[
        "CertificateAuthority"
    ]["Serial"]
    pca.revoke_certificate(
        CertificateAuthorityArn=made.root,
        CertificateSerial=serial,
        RevocationReason="CERTIFICATE_AUTHORITY_COMPROMISE",
    )
    with pytest.raises(pca.exceptions.InvalidArgsException, match="compromised"):
        issue(pca, made.root, asked, template="SubordinateCACertificate_PathLen0")
