"""Cases of the rules about everything but names."""

from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from drawing import (
    ANY_NAMES,
    CA_KEY,
    DAY,
    IA5,
    ROOT,
    RSA_KEY,
    START,
    UTF8,
    attribute,
    authority,
    country,
    mailbox,
    name,
    organisation,
    patched,
    san,
    server,
    swapped,
    usage,
    version_1,
    with_serial,
)

NOT_A_CA = authority("root", constraints=(x509.BasicConstraints(ca=False, path_length=None), True))
NO_SIGNING = authority("root", usage=(usage("crl_sign"), True))
PATH_0 = authority("root", constraints=(x509.BasicConstraints(ca=True, path_length=0), True))
CLIENTS_ONLY = authority("root", eku=(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False))
TWO_NAMES = x509.Name([*name("host.example.com"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme")])
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

GOOD_ISSUERS = {"path_length": PATH_1}

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
}
