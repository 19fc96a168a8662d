"""Judging the certificate that an authority is to have (ImportCertificateAuthorityCertificate, TRAPS 34)."""

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from ca import der
from ca.errors import BadKey
from ca.keys import certified, spki
from ca.lints.case import extension
from ca.pca.errors import CertificateMismatch, InvalidRequest, MalformedCertificate
from ca.tables import AuthorityRow

# What may be critical; of all else AWS refuses it (the operation's "Enforcement of Critical Constraints").
MAY_BE_CRITICAL: Final = frozenset(
    {
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_INFORMATION_ACCESS,
    }
)
MOST_CERTIFICATES: Final = 64
_ODD: Final = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_BLOCK: Final = re.compile(
    rb"\s*-----BEGIN CERTIFICATE-----[ \t]*\r?\n[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*"
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A certificate that the authority may have, and its chain, both DER; parent first, root last."""

    certificate: x509.Certificate
    chain: bytes

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def judge_import(authority: AuthorityRow, certificate: bytes, chain: bytes, now: datetime) -> Imported:
    """Raises MalformedCertificate, CertificateMismatch, InvalidRequest."""
    blocks = _parse(certificate)
    if len(blocks) != 1:
        raise MalformedCertificate(f"Certificate holds {len(blocks)} certificates; it needs exactly one")
    own, above = blocks[0], _parse(chain) if chain.strip() else []
    for each in (own, *above):
        _check_authority(each)
    if extension(own, x509.KeyUsage) is None:
        raise MalformedCertificate(
            "The certificate has no key usage, which a CA's must have (RFC 5280 4.2.1.3)"
        )
    if _public_key(own) != authority.public_key:
        raise CertificateMismatch("The certificate is not for the key of this private CA")
    if own.not_valid_after_utc <= now:
        raise InvalidRequest("The certificate has run out")
    _check_kind(authority.kind, own, above)
    _check_chain([own, *above])
    return Imported(own, b"".join(each.public_bytes(Encoding.DER) for each in above))


def _check_kind(kind: str, own: x509.Certificate, above: list[x509.Certificate]) -> None:
    """Self-signed and alone for a root, never so for a subordinate."""
    self_signed = own.issuer == own.subject
    if kind == "ROOT":
        if not self_signed:
            raise InvalidRequest("A root CA takes only its own self-signed certificate")
        if above:
            raise InvalidRequest("A root CA's certificate has no chain")
    elif self_signed:
        raise InvalidRequest("A subordinate CA takes no self-signed certificate")
    elif not above:
        raise InvalidRequest("A subordinate CA's certificate needs its chain")


def _public_key(certificate: x509.Certificate) -> bytes:
    """SPKI, DER; empty for a key of a kind that no CA here has."""
    try:
        return spki(certified(certificate.public_key()))
    except (BadKey, ValueError, UnsupportedAlgorithm):
        return b""


def _parse(pem: bytes) -> list[x509.Certificate]:
    if not _one_kind(pem):
        raise MalformedCertificate("Expected certificates in PEM and nothing else")
    try:
        found = x509.load_pem_x509_certificates(pem)
        for each in found:
            der.check_bounds(each.public_bytes(Encoding.DER))
            tuple(each.extensions)
    except _ODD as error:
        raise MalformedCertificate(f"A certificate is malformed: {error}") from error
    return found


def _one_kind(pem: bytes) -> bool:
    at = 0
    for _ in range(MOST_CERTIFICATES):
        match = _BLOCK.match(pem, at)
        if match is None:
            return False
        at = match.end()
        if at == len(pem):
            return True
    return False


def _check_authority(certificate: x509.Certificate) -> None:
    name = certificate.subject.rfc4514_string()[:200]
    for each in certificate.extensions:
        if each.critical and each.oid not in MAY_BE_CRITICAL:
            raise MalformedCertificate(f"{name}: extension {each.oid.dotted_string} may not be critical")
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound as error:
        raise MalformedCertificate(f"{name} has no basic constraints, so it is not a CA's") from error
    if not constraints.critical or not constraints.value.ca:
        raise MalformedCertificate(f"{name}: basic constraints must be critical and say CA")
    usage = extension(certificate, x509.KeyUsage)
    if usage is not None and not usage.key_cert_sign:
        raise MalformedCertificate(f"{name}: the key usage does not include signing certificates")
    if extension(certificate, x509.SubjectKeyIdentifier) is None:
        raise MalformedCertificate(f"{name} has no subject key identifier (RFC 5280 4.2.1.2)")


def _check_chain(chain: list[x509.Certificate]) -> None:
    """Each signed by the next, the last by itself; path lengths and validities inside those above."""
    for depth, (below, above) in enumerate(pairwise([*chain, chain[-1]])):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            raise CertificateMismatch(
                f"{below.subject.rfc4514_string()[:200]} is not signed by the next certificate of the chain,"
                " which is ordered up to its self-signed root"
            ) from error
        limit = above.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        if below is not above and limit is not None and limit <= depth:
            raise CertificateMismatch("The path length of a certificate in the chain allows no CA this deep")
        if below.not_valid_after_utc > above.not_valid_after_utc and depth == 0:
            raise CertificateMismatch("The certificate would outlive the one that signed it")
