"""Cases of the rules about names, and about what else says where something is."""

import ipaddress
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from drawing import (
    ANY_NAMES,
    ROOT,
    authority,
    bounded,
    constrained,
    locations,
    name,
    named,
    organisation,
    policies,
    san,
    server,
)

TOO_LONG = ".".join(["a" * 60, "b.example.com"])
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

GOOD_ISSUERS = {"name_constraints": constrained(["example.com"], ["mail.example.com"])}

# rule -> profile or template, good certificate, bad ones: name -> certificate, or certificate, issuer, profile, CA above
CASES: dict[str, tuple[str, x509.Certificate, dict[str, Any]]] = {
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
