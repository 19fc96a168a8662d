"""AWS's certificate templates: one literal table, and what each makes of a signing request and of ApiPassthrough.

Precedence (Private CA guide, "template order of operations"): the template's own values, then the API's where the
variant has API passthrough, then the request's. Subject and subjectAltName of the request count in every variant.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from ca.errors import OrderRefused
from ca.profiles import Profile, key_usage_names

Value = tuple[x509.ExtensionType, bool]
"""An extension and whether it is critical."""

_CA_USAGE: Final = frozenset({"digital_signature", "key_cert_sign", "crl_sign"})
_SIGNS: Final = frozenset({"digital_signature"})
_ENCIPHERS: Final = frozenset({"key_encipherment"})  # for RSA keys alone: RFC 5480 3 forbids it to EC keys
_NONE: Final[frozenset[str]] = frozenset()
_NO_PURPOSE: Final[frozenset[ObjectIdentifier]] = frozenset()
_SERVER: Final = ExtendedKeyUsageOID.SERVER_AUTH
_CLIENT: Final = ExtendedKeyUsageOID.CLIENT_AUTH
_SAN: Final = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
_AKI: Final = ExtensionOID.AUTHORITY_KEY_IDENTIFIER
LONGEST: Final = timedelta(days=366 * 200)
"""The issuer's own validity is what bounds these certificates."""


@dataclass(frozen=True, slots=True)
class Template:
    """What a template fixes. A blank one fixes no key usages: `key_usage` and `purposes` empty leave them to passthrough."""

    name: str
    ca: bool = False
    root: bool = False
    path_length: int | None = None
    key_usage: frozenset[str] = _NONE
    rsa_key_usage: frozenset[str] = _NONE
    purposes: frozenset[ObjectIdentifier] = _NO_PURPOSE
    purposes_critical: bool = False
    constraints_critical: bool = False
    blank: bool = False
    api: bool = False
    csr: bool = False


def _row(name: str, base: Template, *variants: str) -> dict[str, Template]:
    """The template in its variants: "" is the plain one, "API", "CSR" and "APICSR" name what passes through."""
    return {
        each: Template(
            name=each,
            ca=base.ca,
            root=base.root,
            path_length=base.path_length,
            key_usage=base.key_usage,
            rsa_key_usage=base.rsa_key_usage,
            purposes=base.purposes,
            purposes_critical=base.purposes_critical,
            constraints_critical=base.ca or base.constraints_critical,
            blank=base.blank,
            api=variant in {"API", "APICSR"},
            csr=variant in {"CSR", "APICSR"},
        )
        for variant in variants
        for each in (f"{name}_{variant}Passthrough" if variant else name,)
    }


def _end_entity(
    *purposes: ObjectIdentifier, rsa: frozenset[str] = _ENCIPHERS, critical: bool = False
) -> Template:
    return Template(
        "",
        key_usage=_SIGNS,
        rsa_key_usage=rsa,
        purposes=frozenset(purposes),
        purposes_critical=critical,
    )


def _authority(path_length: int | None, *, root: bool = False, blank: bool = False) -> Template:
    usage = _NONE if blank else _CA_USAGE
    return Template("", ca=True, root=root, path_length=path_length, key_usage=usage, blank=blank)


_ALL: Final = ("", "API", "CSR", "APICSR")
_PASSING: Final = ("API", "CSR", "APICSR")
_SIGNING_ONLY: Final = _NONE

TEMPLATES: Final = MappingProxyType(
    {
        **_row("EndEntityCertificate", _end_entity(_SERVER, _CLIENT), *_ALL),
        **_row("EndEntityServerAuthCertificate", _end_entity(_SERVER), *_ALL),
        **_row("EndEntityClientAuthCertificate", _end_entity(_CLIENT), *_ALL),
        **_row(
            "CodeSigningCertificate",
            _end_entity(ExtendedKeyUsageOID.CODE_SIGNING, rsa=_SIGNING_ONLY, critical=True),
            *_ALL,
        ),
        **_row(
            "OCSPSigningCertificate",
            _end_entity(ExtendedKeyUsageOID.OCSP_SIGNING, rsa=_SIGNING_ONLY, critical=True),
            *_ALL,
        ),
        **_row("BlankEndEntityCertificate", Template("", blank=True), *_PASSING),
        **_row(
            "BlankEndEntityCertificate_CriticalBasicConstraints",
            Template("", blank=True, constraints_critical=True),
            *_PASSING,
        ),
        **_row("RootCACertificate", _authority(None, root=True), "", "API"),
        **_row("BlankRootCACertificate", _authority(None, root=True, blank=True), "API"),
        **_row("BlankRootCACertificate_PathLen0", _authority(0, root=True, blank=True), "API"),
        **_row("BlankRootCACertificate_PathLen1", _authority(1, root=True, blank=True), "API"),
        **_row("BlankRootCACertificate_PathLen2", _authority(2, root=True, blank=True), "API"),
        **_row("BlankRootCACertificate_PathLen3", _authority(3, root=True, blank=True), "API"),
        **_row("SubordinateCACertificate_PathLen0", _authority(0), *_ALL),
        **_row("SubordinateCACertificate_PathLen1", _authority(1), *_ALL),
        **_row("SubordinateCACertificate_PathLen2", _authority(2), *_ALL),
        **_row("SubordinateCACertificate_PathLen3", _authority(3), *_ALL),
        **_row("BlankSubordinateCACertificate_PathLen0", _authority(0, blank=True), *_PASSING),
        **_row("BlankSubordinateCACertificate_PathLen1", _authority(1, blank=True), *_PASSING),
        **_row("BlankSubordinateCACertificate_PathLen2", _authority(2, blank=True), *_PASSING),
        **_row("BlankSubordinateCACertificate_PathLen3", _authority(3, blank=True), *_PASSING),
    }
)
DEFAULT: Final = "EndEntityCertificate"
DEFAULT_ARN: Final = f"arn:aws:acm-pca:::template/{DEFAULT}/V1"

_FIXED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    }
)
"""What every template says by itself."""


def compiled(template: Template, api: Sequence[Value], csr: Sequence[Value]) -> Profile:
    """The profile of one certificate: the template's values, then the API's and the request's where they may pass.

    Of the request, the subjectAltName passes in every variant. Raises OrderRefused for a CA that cannot sign.
    """
    fixed = set(_FIXED)
    if not template.blank:
        fixed.add(ExtensionOID.KEY_USAGE)
    if template.purposes:
        fixed.add(ExtensionOID.EXTENDED_KEY_USAGE)
    passed = _passed(template, fixed, api, csr)
    usage, purposes = template.key_usage, template.purposes
    criticality: dict[ObjectIdentifier, bool | None] = {
        ExtensionOID.BASIC_CONSTRAINTS: template.constraints_critical,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER: False,
        **({} if template.root else {ExtensionOID.AUTHORITY_KEY_IDENTIFIER: False}),
        **({ExtensionOID.KEY_USAGE: True} if usage else {}),
        **({ExtensionOID.EXTENDED_KEY_USAGE: template.purposes_critical} if purposes else {}),
    }
    more: list[tuple[x509.ExtensionType, bool | None]] = []
    for oid, (value, critical) in passed.items():
        # A subjectAltName that was not asked for as critical becomes so beside an empty subject (RFC 5280 4.2.1.6).
        criticality[oid] = None if oid == _SAN and not critical else critical
        if isinstance(value, x509.KeyUsage):
            usage = key_usage_names(value)
        elif isinstance(value, x509.ExtendedKeyUsage):
            purposes = frozenset(value)
        else:
            more.append((value, critical))
    _check_usage(template, usage)
    return Profile(
        name=template.name,
        ca=template.ca,
        path_length=template.path_length,
        key_usage=usage,
        rsa_key_usage=template.rsa_key_usage,
        extended_key_usage=purposes,
        extensions=MappingProxyType(criticality),
        max_validity=LONGEST,
        self_signed=template.root,
        more=tuple(more),
        any_names=True,
    )


def _passed(
    template: Template, fixed: set[ObjectIdentifier], api: Sequence[Value], csr: Sequence[Value]
) -> dict[ObjectIdentifier, Value]:
    """What passes through, by the rules of precedence. A root's authority key identifier is not the template's."""
    asked = csr if template.csr else [each for each in csr if each[0].oid == _SAN]
    passed: dict[ObjectIdentifier, Value] = {}
    for value, critical in (*(api if template.api else ()), *asked):
        if value.oid not in fixed or (template.root and value.oid == _AKI):
            passed.setdefault(value.oid, (value, critical))
    return passed


def _check_usage(template: Template, usage: frozenset[str]) -> None:
    if template.ca and "key_cert_sign" not in usage:
        raise OrderRefused("a CA's certificate needs the key usage KeyCertSign: pass it through")
    if not template.ca and "key_cert_sign" in usage:
        raise OrderRefused("the key usage KeyCertSign is for CA certificates (RFC 5280 4.2.1.3)")
