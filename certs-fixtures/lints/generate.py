"""Make a good and a bad certificate for each rule of ca/lints: `python certs-fixtures/lints/generate.py [RULE...]`.

Each folder is named after a rule; each file holds a certificate and its issuer's. Each bad certificate breaks its rule and, as far as can be, no other. Keys are made anew by each run and thrown
away; signatures of certificates that had to be patched do not verify, and lints do not look at them.
"""

import ast
import ipaddress
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

HERE = Path(__file__).parent
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
    key = changes.get("key", values["key"])
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
    key = changes.get("key", values["key"])
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
NOT_A_CA = authority("root", constraints=(x509.BasicConstraints(ca=False, path_length=None), True))
NO_SIGNING = authority("root", usage=(usage("crl_sign"), True))
PATH_0 = authority("root", constraints=(x509.BasicConstraints(ca=True, path_length=0), True))
CLIENTS_ONLY = authority("root", eku=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
TWO_NAMES = x509.Name([*name("host.example.com"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
TOO_LONG = ".".join(["a" * 60, "b.example.com"])
ALL = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
OTHER_ID = x509.SubjectKeyIdentifier(b"other")

P521_KEY = ec.generate_private_key(ec.SECP521R1())
P521_CA = authority("root", key=P521_KEY, signer=P521_KEY)
PATH_1 = authority("root", constraints=(x509.BasicConstraints(ca=True, path_length=1), True))
ALSO_1 = authority("subordinate", constraints=(x509.BasicConstraints(ca=True, path_length=1), True))
# An issuer without limits of its own, below a CA that has some; it has the key that signs here.
NO_LIMIT_ABOVE = authority(
    "subordinate",
    subject=name("Fixture Root"),
    issuer=name("Fixture Top"),
    key=CA_KEY,
    constraints=(x509.BasicConstraints(ca=True, path_length=None), True),
)
NO_LIMIT = authority("subordinate", constraints=(x509.BasicConstraints(ca=True, path_length=None), True))

ML_DSA_KEY = mldsa.MLDSA44PrivateKey.generate()
BOUNDS = x509.NameConstraints([x509.DNSName("example.com")], None)


def network(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text))


# kind -> a certificate with a name of it, a subtree that the name lies in, and one that it does not
OTHER_KINDS = (
    (
        "ip",
        named(x509.IPAddress(ipaddress.ip_address("192.0.2.1"))),
        network("192.0.2.0/24"),
        network("198.51.100.0/24"),
    ),
    (
        "ipv6",
        named(x509.IPAddress(ipaddress.ip_address("2001:db8::1"))),
        network("2001:db8::/32"),
        network("2001:db9::/32"),
    ),
    (
        "email",
        named(x509.RFC822Name("a@example.com")),
        x509.RFC822Name("example.com"),
        x509.RFC822Name("example.net"),
    ),
    (
        "uri",
        named(x509.UniformResourceIdentifier("https://a.example.com/x")),
        x509.UniformResourceIdentifier(".example.com"),
        x509.UniformResourceIdentifier(".example.net"),
    ),
    (
        "directory",
        server(subject=organisation("Acme", "Unit")),
        x509.DirectoryName(organisation("Acme")),
        x509.DirectoryName(organisation("Other")),
    ),
)

GOOD_ISSUERS = {
    "path_length": PATH_1,
    "name_constraints": constrained(["example.com"], ["mail.example.com"]),
}

# rule -> profile or template, good certificate, bad ones: name -> certificate, or certificate, issuer, profile, CA above
CASES: dict[str, tuple[str, x509.Certificate, dict[str, Any]]] = {
    "version": ("server", server(), {"version-1": patched(server(), version_1)}),
    "serial_number": (
        "server",
        server(),
        {
            "zero": patched(server(), with_serial(b"\0")),
            "negative": patched(server(), with_serial(b"\xcb" + bytes(16))),
            "64-bits": server(serial=1 << 63),
        },
    ),
    "public_key": (
        "server",
        server(key=RSA_KEY),
        {
            "rsa-1024": server(key=rsa.generate_private_key(65537, 1024)),
            "secp256k1": server(key=ec.generate_private_key(ec.SECP256K1())),
            "issuers-own": server(key=CA_KEY),
        },
    ),
    "signature_algorithm": (
        "server",
        server(),
        {
            "ecdsa-sha384": server(digest=hashes.SHA384()),
            "rsa": server(signer=RSA_KEY),
            "issuer-on-p521": (server(signer=P521_KEY), P521_CA),
        },
    ),
    "issuer_can_sign": (
        "server",
        server(),
        {"issuer-is-no-ca": (server(), NOT_A_CA), "issuer-signs-crls-only": (server(), NO_SIGNING)},
    ),
    "issuer_name": ("server", server(), {"other-issuer": server(issuer=name("Fixture root"))}),
    "self_issued": (
        "subordinate",
        authority("subordinate"),
        {"name-of-its-issuer": authority("subordinate", subject=name("Fixture Root"))},
    ),
    "subject": (
        "server",
        server(subject=x509.Name([]), san=(san("host.example.com"), True)),
        {
            "organisation": server(subject=TWO_NAMES),
            "nameless-ca": (authority("subordinate", subject=x509.Name([])), ROOT, "subordinate"),
        },
    ),
    "subject_attributes": (
        ANY_NAMES,
        server(
            subject=x509.Name(
                [*organisation("Bücher & Söhne"), *mailbox("a@example.com", IA5), *country("DE")]
            )
        ),
        {
            "mail-not-ascii": server(subject=mailbox("ü@example.com", UTF8)),
            "mail-as-utf8": server(subject=mailbox("a@example.com", UTF8)),
            "mail-as-ia5-not-ascii": server(subject=mailbox("ü@example.com", IA5)),
            "organisation-65": server(subject=attribute(NameOID.ORGANIZATION_NAME, "x" * 65, UTF8)),
            "country-3": server(subject=country("DEU")),
            "empty": server(subject=attribute(NameOID.TITLE, "", UTF8)),
            "nul": server(subject=attribute(NameOID.TITLE, "a\0b", UTF8)),
        },
    ),
    "validity_order": ("server", server(), {"swapped": patched(server(), swapped)}),
    "validity_within_issuer": (
        "server",
        server(start=START, end=START + 800 * DAY),
        {
            "before": server(start=START - timedelta(seconds=1)),
            "after": server(start=START + 2900 * DAY, end=START + 3000 * DAY + timedelta(seconds=1)),
        },
    ),
    "validity_within_profile": (
        "server",
        server(end=START + 826 * DAY),
        {"826-days": server(end=START + 827 * DAY)},
    ),
    "extensions_of_profile": (
        "server",
        server(),
        {
            "unknown": server(
                more=(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), False)
            ),
            "policies": server(
                more=(x509.CertificatePolicies([x509.PolicyInformation(NameOID.COMMON_NAME, None)]), False)
            ),
            "usage-not-critical": server(usage=(usage("digital_signature"), False)),
            "empty-subject-san-not-critical": server(subject=x509.Name([])),
            "no-eku": server(eku=None),
        },
    ),
    "extensions_not_empty": (
        ANY_NAMES,
        server(),
        {
            "san": server(san=(x509.SubjectAlternativeName([]), False)),
            "access": server(more=(x509.AuthorityInformationAccess([]), False)),
            "policies": server(more=(x509.CertificatePolicies([]), False)),
        },
    ),
    "basic_constraints": (
        "server",
        server(),
        {
            "ca-flag": server(constraints=(x509.BasicConstraints(ca=True, path_length=None), True)),
            "path-length-1": (ALSO_1, ROOT, "subordinate"),
        },
    ),
    "path_length": (
        "subordinate",
        authority("subordinate"),
        {
            "issuer-has-0": (authority("subordinate"), PATH_0),
            "issuer-has-1-too": (ALSO_1, PATH_1),
            "issuer-has-1-and-this-no-limit": (NO_LIMIT, PATH_1),
            "higher-ca-has-1": (authority("subordinate"), NO_LIMIT_ABOVE, "subordinate", PATH_1),
        },
    ),
    "key_usage": (
        "server",
        server(key=RSA_KEY),
        {
            "signs-certificates": server(usage=(usage("digital_signature", "key_cert_sign"), True)),
            "enciphers-without-rsa": server(usage=(usage("digital_signature", "key_encipherment"), True)),
        },
    ),
    "extended_key_usage": (
        "server",
        server(),
        {
            "client-too": server(eku=(ALL, False)),
            "beyond-issuer": (server(), CLIENTS_ONLY),
            "beyond-a-higher-ca": (server(), NO_LIMIT_ABOVE, "server", CLIENTS_ONLY),
        },
    ),
    "key_usage_of_key": (
        ANY_NAMES,
        server(usage=(usage("digital_signature", "key_agreement"), True)),
        {
            "ec-enciphers": server(usage=(usage("digital_signature", "key_encipherment"), True)),
            "rsa-agrees": server(key=RSA_KEY, usage=(usage("digital_signature", "key_agreement"), True)),
            "ml-dsa-enciphers": server(
                key=ML_DSA_KEY, usage=(usage("digital_signature", "key_encipherment"), True)
            ),
        },
    ),
    "subject_key_identifier": ("server", server(), {"other": server(ski=(OTHER_ID, False))}),
    "authority_key_identifier": (
        "server",
        server(),
        {
            "other": server(
                aki=(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(OTHER_ID), False)
            )
        },
    ),
    "san_names": (
        "server",
        server(san=(san("host.example.com", "*.example.com", "xn--bcher-kva.example", "localhost"), False)),
        {
            "newline": server(subject=x509.Name([]), san=(san("host.example.com\n"), True)),
            "upper-case": server(subject=x509.Name([]), san=(san("HOST.example.com"), True)),
            "trailing-dot": server(subject=x509.Name([]), san=(san("host.example.com."), True)),
            "label-64": server(subject=x509.Name([]), san=(san(f"{'l' * 64}.example.com"), True)),
            "254-octets": server(subject=x509.Name([]), san=(san(".".join(["a" * 62] * 4) + ".bb"), True)),
            "inner-wildcard": server(subject=x509.Name([]), san=(san("a.*.example.com"), True)),
            "bare-wildcard": server(subject=x509.Name([]), san=(san("*"), True)),
            "address": server(subject=x509.Name([]), san=(san("192.0.2.1"), True)),
            "repeated": server(san=(san("host.example.com", "host.example.com"), False)),
            "mailbox": server(
                subject=x509.Name([]),
                san=(x509.SubjectAlternativeName([x509.RFC822Name("a@example.com")]), True),
            ),
            "none": server(subject=x509.Name([]), san=(san(), True)),
        },
    ),
    "san_syntax": (
        ANY_NAMES,
        named(
            x509.DNSName("_sip.example.com"),
            x509.RFC822Name("a.b+c@example.com"),
            x509.UniformResourceIdentifier("spiffe://example.com/workload"),
            x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        ),
        {
            "dns-with-space": named(x509.DNSName("host example.com")),
            "dns-empty": named(x509.DNSName("")),
            "dns-dots": named(x509.DNSName("host..example.com")),
            "mail-without-at": named(x509.RFC822Name("example.com")),
            "mail-at-wildcard": named(x509.RFC822Name("a@*.example.com")),
            "uri-relative": named(x509.UniformResourceIdentifier("/path")),
            "ip-network": named(x509.IPAddress(ipaddress.ip_network("192.0.2.0/24"))),
            "uri-with-newline": named(x509.UniformResourceIdentifier("https://example.com/\nx")),
        },
    ),
    "names_and_uris": (
        ANY_NAMES,
        server(**locations("http://example.com/x")),
        {
            f"{kind}-{fault}": server(**{kind: locations(text)[kind]})
            for kind in ("issuer-names", "crl", "access", "cps")
            for fault, text in (("relative", "/x"), ("space", "http://example.com/a b"))
        }
        | {
            "issuer-mail": server(
                issuers=(x509.IssuerAlternativeName([x509.RFC822Name("example.com")]), False)
            ),
        },
    ),
    "certificate_policies": (
        ANY_NAMES,
        server(more=(policies("1.2.3.4", "1.2.3.5"), False)),
        {
            "twice": server(more=(policies("1.2.3.4", "1.2.3.4"), False)),
            "constraints-of-a-server": server(more=(x509.PolicyConstraints(0, None), True)),
        },
    ),
    "name_constraints_in_ca": (
        "SubordinateCACertificate_PathLen0_CSRPassthrough",
        authority("subordinate", bounds=(BOUNDS, True)),
        {
            "not-critical": authority("subordinate", bounds=(BOUNDS, False)),
            "end-entity": (server(bounds=(BOUNDS, True)), ROOT, ANY_NAMES),
        },
    ),
    "name_constraints": (
        "server",
        server(san=(san("host.example.com", "other.example.com"), False)),
        {
            "outside-permitted": (server(), constrained(["example.net"], None)),
            "excluded": (server(), constrained(None, ["example.com"])),
            "excluded-beats-permitted": (server(), constrained(["example.com"], ["host.example.com"])),
            "wildcard-meets-excluded": (
                server(san=(san("host.example.com", "*.example.com"), False)),
                constrained(["example.com"], ["secret.example.com"]),
            ),
            "smtp-utf8-mailbox": (
                named(
                    x509.OtherName(
                        x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), "\x0c\x0eü@example.com".encode()
                    )
                ),
                bounded(x509.RFC822Name("example.com")),
                ANY_NAMES,
            ),
            **{
                f"{kind}-{fault}": (leaf, bounded(tree, excluded=fault == "excluded"), ANY_NAMES)
                for kind, leaf, inside, outside in OTHER_KINDS
                for fault, tree in (("outside", outside), ("excluded", inside))
            },
        },
    ),
    "common_name_in_san": (
        "server",
        server(),
        {
            "outside": server(subject=name("evil.example.com")),
            "65-characters": server(
                subject=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TOO_LONG, _validate=False)]),
                san=(san(TOO_LONG), False),
            ),
        },
    ),
}


def write(rules: list[str]) -> None:
    """The fixtures of these rules, of all when none is named; the page and the table of profiles in any case."""
    profiles = {}
    lines = [
        "# A good and a bad certificate for each rule of `ca/lints`",
        "",
        "Origin: `generate.py` in this folder, which also wrote this page and `profiles.json`. Each run makes new keys.",
        "`tests/ca/test_lints.py` checks that each bad one breaks its own rule and each good one breaks none.",
        "",
        "| rule | what it wants | profile | bad certificates, by their fault |",
        "|---|---|---|---|",
    ]
    for rule, (profile, good, bad) in CASES.items():
        folder = HERE / rule
        folder.mkdir(exist_ok=True)
        made_now = not rules or rule in rules
        if made_now:
            _put(folder / "good.pem", good, GOOD_ISSUERS.get(rule, ROOT))
        profiles[f"{rule}/good.pem"] = profile
        for fault, made in bad.items():
            leaf, issuer, *other = made if isinstance(made, tuple) else (made, ROOT)
            if made_now:
                _put(folder / f"bad-{fault}.pem", leaf, issuer, *other[1:])
            profiles[f"{rule}/bad-{fault}.pem"] = other[0] if other else profile
        module = ast.parse((HERE.parents[1] / "ca" / "lints" / f"{rule}.py").read_text())
        wants = (ast.get_docstring(module) or "").rstrip(".")
        lines.append(f"| `{rule}` | {wants} | {profile} | {', '.join(bad)} |")
    (HERE / "profiles.json").write_text(json.dumps(profiles, indent=1) + "\n")
    (HERE / "README.md").write_text("\n".join([*lines, ""]))


def _put(path: Path, *chain: x509.Certificate) -> None:
    """The certificate, then its issuer's, and those of CAs above where the fault is about them."""
    path.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in chain))


if __name__ == "__main__":
    write(sys.argv[1:])
