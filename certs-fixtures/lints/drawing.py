"""Certificates for fixtures: a root, a subordinate and a server, with whatever is to be wrong about them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SERIAL = 0x4B << 128 | 0x0123456789ABCDEF0123456789ABCDEF
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
Changes = dict[str, Any]
UTF8, IA5 = _ASN1Type.UTF8String, _ASN1Type.IA5String
CA_KEY, LEAF_KEY, RSA_KEY = (
    ec.generate_private_key(ec.SECP256R1()),
    ec.generate_private_key(ec.SECP256R1()),
    rsa.generate_private_key(65537, 2048),
)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in names for usage in USAGES})


def certificate(extensions: dict[str, tuple[x509.ExtensionType, bool]], **values: Any) -> x509.Certificate:
    builder = x509.CertificateBuilder(
        issuer_name=values["issuer"],
        subject_name=values["subject"],
        public_key=values["key"].public_key(),
        serial_number=values["serial"],
        not_valid_before=values["start"],
        not_valid_after=values["end"],
    )
    for extension, critical in extensions.values():
        builder = builder.add_extension(extension, critical)
    return builder.sign(values["signer"], values.get("digest", hashes.SHA256()))


def authority(level: str, **changes: Any) -> x509.Certificate:
    """A root or subordinate: `changes` replace values, and extensions by name (None leaves one out)."""
    values: Changes = {
        "issuer": name("Fixture Root"),
        "subject": name("Fixture Root" if level == "root" else "Fixture Issuing"),
        "key": CA_KEY if level == "root" else LEAF_KEY,
        "serial": SERIAL + 1,
        "start": START,
        "end": START + 3000 * DAY,
        "signer": CA_KEY,
    }
    key: Any = changes.get("key", values["key"])
    extensions = {
        "constraints": (x509.BasicConstraints(ca=True, path_length=None if level == "root" else 0), True),
        "usage": (usage("key_cert_sign", "crl_sign"), True),
        "ski": (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    }
    if level == "subordinate":
        extensions["aki"] = (x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key()), False)
    return _changed(values, extensions, changes)


def server(**changes: Any) -> x509.Certificate:
    """A server certificate below the subordinate-like `ISSUER`."""
    values: Changes = {
        "issuer": name("Fixture Root"),
        "subject": name("host.example.com"),
        "key": LEAF_KEY,
        "serial": SERIAL,
        "start": START + DAY,
        "end": START + 199 * DAY,
        "signer": CA_KEY,
    }
    key: Any = changes.get("key", values["key"])
    rsa_too = ("key_encipherment",) if isinstance(key, rsa.RSAPrivateKey) else ()
    extensions = {
        "constraints": (x509.BasicConstraints(ca=False, path_length=None), True),
        "usage": (usage("digital_signature", *rsa_too), True),
        "eku": (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        "ski": (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        "aki": (x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key()), False),
        "san": (san("host.example.com"), False),
    }
    return _changed(values, extensions, changes)


def san(*names: str) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([x509.DNSName(text) for text in names])


ANY_NAMES = "EndEntityCertificate_APIPassthrough"
"""A template whose certificates may have names of every kind."""


def named(*names: x509.GeneralName, **changes: Any) -> x509.Certificate:
    """A certificate for these names, whatever their kind, without a subject."""
    return server(subject=x509.Name([]), san=(x509.SubjectAlternativeName(names), True), **changes)


def bounded(tree: x509.GeneralName, *, excluded: bool = False) -> x509.Certificate:
    """A root that permits, or excludes, one subtree of names."""
    bounds = x509.NameConstraints(*((None, [tree]) if excluded else ([tree], None)))
    return authority("root", constraints_on_names=(bounds, True))


def organisation(*texts: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text) for text in texts])


def attribute(oid: x509.ObjectIdentifier, text: str, written: _ASN1Type) -> x509.Name:
    """One attribute, whether its kind can be written so or not."""
    return x509.Name([x509.NameAttribute(oid, text, written, _validate=False)])


def mailbox(text: str, written: _ASN1Type) -> x509.Name:
    return attribute(NameOID.EMAIL_ADDRESS, text, written)


def country(text: str) -> x509.Name:
    return attribute(NameOID.COUNTRY_NAME, text, _ASN1Type.PrintableString)


def policies(*identifiers: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in identifiers]
    )


def locations(text: str) -> dict[str, tuple[x509.ExtensionType, bool]]:
    """An extension of each kind that says where something is, with that URI."""
    uri = x509.UniformResourceIdentifier(text)
    point = x509.DistributionPoint([uri], None, None, None)
    described = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, uri)
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), [text])
    return {
        "issuer-names": (x509.IssuerAlternativeName([uri]), False),
        "crl": (x509.CRLDistributionPoints([point]), False),
        "access": (x509.AuthorityInformationAccess([described]), False),
        "cps": (x509.CertificatePolicies([policy]), False),
    }


def constrained(permitted: list[str] | None, excluded: list[str] | None) -> x509.Certificate:
    """A root whose certificates may have these hosts and not those."""
    permits, excludes = (
        None if hosts is None else [x509.DNSName(host) for host in hosts] for hosts in (permitted, excluded)
    )
    return authority("root", constraints_on_names=(x509.NameConstraints(permits, excludes), True))


def _changed(values: Changes, extensions: Any, changes: Changes) -> x509.Certificate:
    for key, value in changes.items():
        if key in values or key == "digest":
            values[key] = value
        elif value is None:
            del extensions[key]
        else:
            extensions[key] = value
    return certificate(extensions, **values)


def patched(original: x509.Certificate, edit: Callable[[bytes], bytes]) -> x509.Certificate:
    """Change bytes of a certificate behind the builder's back."""
    der = original.public_bytes(Encoding.DER)
    changed = edit(der)
    assert changed != der
    return x509.load_der_x509_certificate(changed)


def elements(der: bytes) -> list[bytes]:
    """The elements inside a DER element."""
    found, at = [], 2 if der[1] < 0x80 else 2 + (der[1] & 0x7F)
    while at < len(der):
        size = der[at + 1] & 0x7F if der[at + 1] > 0x80 else 0
        length = int.from_bytes(der[at + 2 : at + 2 + size], "big") if size else der[at + 1]
        found.append(der[at : at + 2 + size + length])
        at += 2 + size + length
    return found


def sequence(*contents: bytes) -> bytes:
    content = b"".join(contents)
    return (
        b"\x30\x82" + len(content).to_bytes(2, "big") + content
        if len(content) > 0xFF
        else bytes((0x30, 0x81, len(content))) + content
    )


def swapped(der: bytes) -> bytes:
    begin, end = (f"{START + days * DAY:%y%m%d%H%M%S}Z".encode() for days in (1, 199))
    return der.replace(begin, b"?" * 13, 1).replace(end, begin, 1).replace(b"?" * 13, end, 1)


def version_1(der: bytes) -> bytes:
    """Without version, which then is 1, and extensions, which version 1 lacks."""
    tbs, *rest = elements(der)
    return sequence(sequence(*elements(tbs)[1:-1]), *rest)


def with_serial(content: bytes) -> Callable[[bytes], bytes]:
    """Another serial number, of these content octets."""

    def edit(der: bytes) -> bytes:
        tbs, *rest = elements(der)
        version, _, *more = elements(tbs)
        return sequence(sequence(version, bytes((2, len(content))) + content, *more), *rest)

    return edit


ROOT = authority("root")
