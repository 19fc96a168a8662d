"""Our own rules for a certificate that was not drawn up here: those that need no profile, and no issuer that is missing."""

import base64
import binascii
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from ca.errors import BadKey
from ca.linting import crl_rules
from ca.linting.finding import Finding
from ca.lints import RULES, Broken, Case
from ca.lints.case import extension
from ca.profiles import Profile, key_usage_names

T = TypeVar("T")
MOST: Final = 1000

ALONE: Final = (
    "version",
    "serial_number",
    "public_key",
    "subject",
    "subject_attributes",
    "validity_order",
    "extensions_not_empty",
    "key_usage_of_key",
    "subject_key_identifier",
    "san_names",
    "san_syntax",
    "names_and_uris",
    "common_name_in_san",
    "certificate_policies",
    "name_constraints_in_ca",
)
"""Rules of `ca.lints` that look at the certificate by itself."""
WITH_ISSUER: Final = (
    "signature_algorithm",
    "issuer_can_sign",
    "validity_within_issuer",
    "path_length",
    "extended_key_usage",
    "authority_key_identifier",
    "name_constraints",
)
"""Rules that need its issuer's certificate as well. (It is found by its name, so `issuer_name` has nothing to say.)"""
MILDER: Final = MappingProxyType(
    {
        "serial_number": "WARNING",  # others draw 64 bits, which is enough; keystead itself asks for 120
        "subject_key_identifier": "NOTICE",  # RFC 7093 has other ways to make one than RFC 5280's first
        "common_name_in_san": "WARNING",  # a rule for servers
    }
)
"""What keystead does not let itself do, and others may."""

_BLOCK: Final = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----", re.DOTALL)
_UNREAD: Final = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension)


class NothingToLint(Exception):
    """A file without a certificate or CRL in it."""


@dataclass(frozen=True, slots=True)
class Linted:
    """A certificate or CRL of the file, and what our rules find. `der` is for another linter to look at."""

    about: str
    kind: str  # "certificate" or "crl"
    der: bytes
    findings: tuple[Finding, ...]


def lint_file(data: bytes, issuers: bytes = b"") -> list[Linted]:
    """Everything in a PEM or DER file. A certificate's issuer is looked for in the file itself, and in `issuers`.

    Raises NothingToLint.
    """
    items = list(_items(data))
    known = _known([*(raw for kind, raw in items if kind == "certificate"), *_certificates(issuers)])
    return [
        _certificate(number, raw, known) if kind == "certificate" else _crl(number, raw)
        for number, (kind, raw) in enumerate(items, 1)
    ]


def _items(data: bytes) -> Iterator[tuple[str, bytes]]:
    blocks = list(_BLOCK.finditer(data))
    if not blocks and data[:1] == b"\x30":
        yield ("crl" if _is_crl(data) else "certificate"), data
        return
    found = 0
    for block in blocks:
        kind = {b"CERTIFICATE": "certificate", b"X509 CRL": "crl"}.get(block[1])
        if kind is not None:
            found += 1
            yield kind, _decoded(block[0])
    if not 1 <= found <= MOST:
        raise NothingToLint(f"the file holds {found} certificates and CRLs, and can hold 1 to {MOST}")


def _decoded(block: bytes) -> bytes:
    body = b"".join(line for line in block.split(b"\n")[1:-1] if b":" not in line)
    try:
        return base64.b64decode(body)
    except binascii.Error as malformed:
        raise NothingToLint(f"a PEM block is not base64: {malformed}") from malformed


def _is_crl(data: bytes) -> bool:
    return _read(x509.load_der_x509_crl, data) is not None


def _certificates(data: bytes) -> list[bytes]:
    return [raw for kind, raw in _items(data) if kind == "certificate"] if data else []


def _known(raws: Sequence[bytes]) -> list[x509.Certificate]:
    read = (_read(x509.load_der_x509_certificate, raw) for raw in raws)
    return [each for each in read if each is not None]


def _read(load: Callable[[bytes], T], raw: bytes) -> T | None:
    """None for what pyca cannot read, with a warning of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is for the rules to judge
        try:
            return load(raw)
        except _UNREAD:
            return None


def _certificate(number: int, raw: bytes, known: Sequence[x509.Certificate]) -> Linted:
    certificate = _read(x509.load_der_x509_certificate, raw)
    about = f"certificate {number}"
    if certificate is None:
        return Linted(about, "certificate", raw, (_unreadable(about),))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        about = f"{about} ({certificate.subject.rfc4514_string() or 'no subject'})"
        try:
            profile = _as_it_is(certificate)
            findings = _broken(about, certificate, profile, known)
        except _UNREAD as odd:
            findings = [_unreadable(about, str(odd))]
    return Linted(about, "certificate", raw, tuple(findings))


def _broken(
    about: str, certificate: x509.Certificate, profile: Profile, known: Sequence[x509.Certificate]
) -> list[Finding]:
    above = _chain(certificate, known)
    issuer, rest = (above[0], tuple(above[1:])) if above else (certificate, ())
    case = Case(certificate, issuer, profile, rest)
    rules = (*ALONE, *(WITH_ISSUER if above or profile.self_signed else ()))
    if not above and not profile.self_signed:
        case = Case(certificate, certificate, _alone(profile), ())
    findings = []
    for rule in rules:
        try:
            RULES[rule](case)
        except (Broken, BadKey) as broken:
            findings.append(Finding(MILDER.get(rule, "ERROR"), "keystead", rule, str(broken), about))
    if above and not _signed_by(certificate, above[0]):
        findings.append(
            Finding("ERROR", "keystead", "signature", "the issuer's key has not signed it", about)
        )
    return findings


def _chain(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Issuers that are known, parent first; the one whose key has signed, where several have the name."""
    found: list[x509.Certificate] = []
    here = certificate
    while here.issuer != here.subject and len(found) < 16:
        named = [each for each in known if each.subject == here.issuer and each not in found]
        if not named:
            break
        here = next((each for each in named if _signed_by(here, each)), named[0])
        found.append(here)
    return found


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREAD):
        return False
    return True


def _as_it_is(certificate: x509.Certificate) -> Profile:
    """The profile that the certificate itself makes out: what it says is asked for, so that rules of form remain."""
    constraints = extension(certificate, x509.BasicConstraints)
    usage = extension(certificate, x509.KeyUsage)
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    is_ca = constraints is not None and constraints.ca
    return Profile(
        name="as it is",
        ca=is_ca,
        path_length=None if constraints is None else constraints.path_length,
        key_usage=frozenset() if usage is None else key_usage_names(usage),
        rsa_key_usage=frozenset(),
        extended_key_usage=frozenset(purposes or ()),
        extensions=MappingProxyType({each.oid: each.critical for each in certificate.extensions}),
        max_validity=timedelta(days=999_999),
        self_signed=certificate.issuer == certificate.subject,
        any_names=True,
    )


def _alone(profile: Profile) -> Profile:
    """Without its issuer a certificate stands in for it, and must not be blamed for having its own key."""
    return replace(profile, self_signed=True)


def _crl(number: int, raw: bytes) -> Linted:
    about = f"CRL {number}"
    crl = _read(x509.load_der_x509_crl, raw)
    if crl is None:
        return Linted(about, "crl", raw, (_unreadable(about),))
    about = f"{about} ({crl.issuer.rfc4514_string()})"
    findings = []
    for name, rule in crl_rules.RULES.items():
        try:
            rule(crl)
        except Broken as broken:
            findings.append(Finding("ERROR", "keystead", name, str(broken), about))
        except _UNREAD as odd:
            findings.append(_unreadable(about, str(odd)))
    return Linted(about, "crl", raw, tuple(findings))


def _unreadable(about: str, why: str = "") -> Finding:
    return Finding("FATAL", "keystead", "readable", f"it cannot be read{': ' if why else ''}{why}", about)
