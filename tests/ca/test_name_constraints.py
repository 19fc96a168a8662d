"""Name constraints kind by kind (RFC 5280 4.2.1.10): DNS names by the fixtures, the others here."""

import ipaddress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ca.lints import Broken, Case, name_constraints
from ca.profiles import PROFILES

KEY = ec.generate_private_key(ec.SECP256R1())
START = datetime(2026, 1, 1, tzinfo=UTC)


def directory(*organisations: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in organisations])


def certificate(subject: x509.Name, extension: x509.ExtensionType | None) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=directory("Root"),
        subject_name=subject,
        public_key=KEY.public_key(),
        serial_number=1,
        not_valid_before=START,
        not_valid_after=START + timedelta(days=1),
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(KEY, hashes.SHA256())


def judge(
    name: x509.GeneralName, tree: x509.GeneralName, *, excluded: bool = False, higher: bool = False
) -> None:
    subtrees = (None, [tree]) if excluded else ([tree], None)
    if isinstance(name, x509.DirectoryName):
        leaf = certificate(name.value, None)
    else:
        leaf = certificate(x509.Name([]), x509.SubjectAlternativeName([name]))
    free, bound = (
        certificate(directory("CA"), None),
        certificate(directory("CA"), x509.NameConstraints(*subtrees)),
    )
    case = Case(leaf, bound, PROFILES["server"])
    name_constraints.check(replace(case, issuer=free, above=(bound,)) if higher else case)


def net(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text))


def address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(text))


MAIL, URI, DIR = x509.RFC822Name, x509.UniformResourceIdentifier, x509.DirectoryName
INSIDE = [
    (x509.DNSName("a.example.com"), x509.DNSName("example.com")),
    (x509.DNSName("example.com"), x509.DNSName("example.com")),
    (x509.DNSName("*.example.com"), x509.DNSName("example.com")),
    (x509.DNSName("any.example"), x509.DNSName("")),
    (address("192.0.2.9"), net("192.0.2.0/24")),
    (address("2001:db8::9"), net("2001:db8::/32")),
    (MAIL("a@example.com"), MAIL("example.com")),
    (MAIL("a@sub.example.com"), MAIL(".example.com")),
    (MAIL("a@example.com"), MAIL("a@example.com")),
    (URI("https://example.com/x"), URI("example.com")),
    (URI("https://a.example.com:8443/x"), URI(".example.com")),
    (DIR(directory("Acme", "Unit")), DIR(directory("Acme"))),
    (DIR(directory("ACME  Corp")), DIR(directory("Acme corp"))),
]
OUTSIDE = [
    (x509.DNSName("badexample.com"), x509.DNSName("example.com")),
    (x509.DNSName("example.com"), x509.DNSName(".example.com")),
    (address("198.51.100.1"), net("192.0.2.0/24")),
    (address("192.0.2.1"), net("2001:db8::/32")),
    (MAIL("a@sub.example.com"), MAIL("example.com")),
    (MAIL("b@example.com"), MAIL("a@example.com")),
    (URI("https://a.example.com/"), URI("example.com")),
    (DIR(directory("Other")), DIR(directory("Acme"))),
]
UNJUDGED = [
    (URI("urn:example:x"), URI("example.com")),
    (URI("https://192.0.2.1/"), URI("example.com")),
    (x509.RegisteredID(x509.ObjectIdentifier("1.2.3")), x509.RegisteredID(x509.ObjectIdentifier("1.2.3"))),
]


@pytest.mark.parametrize(("name", "tree"), INSIDE, ids=str)
def test_a_name_inside_is_permitted_or_excluded(name: x509.GeneralName, tree: x509.GeneralName) -> None:
    judge(name, tree)
    with pytest.raises(Broken, match="excluded"):
        judge(name, tree, excluded=True)


@pytest.mark.parametrize(("name", "tree"), OUTSIDE, ids=str)
def test_a_name_outside_is_not_permitted_and_not_excluded(
    name: x509.GeneralName, tree: x509.GeneralName
) -> None:
    judge(name, tree, excluded=True)
    with pytest.raises(Broken, match="outside"):
        judge(name, tree)


@pytest.mark.parametrize(("name", "tree"), UNJUDGED, ids=str)
@pytest.mark.parametrize("excluded", [False, True])
def test_what_cannot_be_judged_is_refused_both_ways(
    name: x509.GeneralName, tree: x509.GeneralName, *, excluded: bool
) -> None:
    with pytest.raises(Broken):
        judge(name, tree, excluded=excluded)


def test_a_kind_that_is_not_constrained_is_free() -> None:
    judge(address("192.0.2.1"), x509.DNSName("example.com"))


def test_constraints_of_cas_above_the_issuer_count_too() -> None:
    with pytest.raises(Broken, match="outside"):
        judge(x509.DNSName("host.example.net"), x509.DNSName("example.com"), higher=True)
