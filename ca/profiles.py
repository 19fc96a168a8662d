"""What each kind of certificate looks like: one literal table, and nothing that a requester can add to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of certificate.

    `key_usage` holds RFC 5280 4.2.1.3 names as pyca spells them; `rsa_key_usage` is added when the key is RSA.
    `extensions` maps each extension that the certificate carries to its criticality (None: critical when the subject is
    empty, RFC 5280 4.2.1.6); those beyond what the other fields say are in `more`, by value. `any_names` allows subjects
    and subjectAltNames of every kind, where it is otherwise one CN and DNS names. `path_length` counts CA certificates that may follow; None in a CA means no limit.
    """

    name: str
    ca: bool
    path_length: int | None
    key_usage: frozenset[str]
    rsa_key_usage: frozenset[str]
    extended_key_usage: frozenset[ObjectIdentifier]
    extensions: Mapping[ObjectIdentifier, bool | None]
    max_validity: timedelta
    self_signed: bool = False
    rollover: bool = False  # a CA's certificate by another key of the same name (RFC 4210 4.4)
    more: tuple[tuple[x509.ExtensionType, bool | None], ...] = ()
    any_names: bool = False
    action: str = "issue"  # what an authority's state must allow (ca.states)


_CA_USAGE: Final = frozenset({"key_cert_sign", "crl_sign"})

_CA_EXTENSIONS: Final = {
    ExtensionOID.BASIC_CONSTRAINTS: True,
    ExtensionOID.KEY_USAGE: True,
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
}

PROFILES: Final = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                name="root",
                ca=True,
                path_length=None,
                key_usage=_CA_USAGE,
                rsa_key_usage=frozenset(),
                extended_key_usage=frozenset(),
                extensions=MappingProxyType(_CA_EXTENSIONS),
                max_validity=timedelta(days=30 * 366),
                self_signed=True,
            ),
            Profile(
                name="subordinate",
                ca=True,
                path_length=0,
                key_usage=_CA_USAGE,
                rsa_key_usage=frozenset(),
                extended_key_usage=frozenset(),
                extensions=MappingProxyType({**_CA_EXTENSIONS, ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False}),
                max_validity=timedelta(days=15 * 366),
            ),
            Profile(
                name="server",
                ca=False,
                path_length=None,
                key_usage=frozenset({"digital_signature"}),
                rsa_key_usage=frozenset(
                    {"key_encipherment"}
                ),  # for TLS 1.2's RSA key exchange (RFC 5246 7.4.2)
                extended_key_usage=frozenset({ExtendedKeyUsageOID.SERVER_AUTH}),
                extensions=MappingProxyType(
                    {
                        ExtensionOID.BASIC_CONSTRAINTS: True,
                        ExtensionOID.KEY_USAGE: True,
                        ExtensionOID.EXTENDED_KEY_USAGE: False,
                        ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
                        ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False,
                        ExtensionOID.SUBJECT_ALTERNATIVE_NAME: None,
                    }
                ),
                max_validity=timedelta(days=825),  # what platform verifiers accept from private roots
            ),
            Profile(
                name="ocsp-signer",  # RFC 6960 4.2.2.2: a delegated responder that is not itself looked up
                ca=False,
                path_length=None,
                key_usage=frozenset({"digital_signature"}),
                rsa_key_usage=frozenset(),
                extended_key_usage=frozenset({ExtendedKeyUsageOID.OCSP_SIGNING}),
                extensions=MappingProxyType(
                    {
                        ExtensionOID.BASIC_CONSTRAINTS: True,
                        ExtensionOID.KEY_USAGE: True,
                        ExtensionOID.EXTENDED_KEY_USAGE: False,
                        ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
                        ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False,
                        ExtensionOID.OCSP_NO_CHECK: False,
                    }
                ),
                max_validity=timedelta(days=15),  # nobody can revoke it
                more=((x509.OCSPNoCheck(), False),),
                any_names=True,
                action="ocsp",
            ),
        )
    }
)

_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def key_usage(names: frozenset[str]) -> x509.KeyUsage:
    """The extension with exactly these usages."""
    return x509.KeyUsage(**{usage: usage in names for usage in _USAGES})


def key_usage_names(extension: x509.KeyUsage) -> frozenset[str]:
    """The usages of the extension; the two that only qualify key agreement are left out without it."""
    usages = _USAGES if extension.key_agreement else _USAGES[:-2]
    return frozenset(usage for usage in usages if getattr(extension, usage))
