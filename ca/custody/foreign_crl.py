"""The newest CRL of a CA that was kept elsewhere: its number, which ours must exceed, and what is still revoked."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from ca.custody.candidates import Candidate
from ca.errors import OrderRefused
from ca.keys import authority_key
from ca.states import REVOCATION_REASONS

HIGHEST: Final = 2**62
"""A number that ours can still exceed: they are 64-bit integers in the database."""
_NAMES: Final = {code: name for name, code in REVOCATION_REASONS.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One revoked serial (lower-case hex) and why, by a key of REVOCATION_REASONS."""

    serial: str
    reason: str
    revoked_at: datetime


@dataclass(frozen=True, slots=True)
class ForeignCrl:
    """`number` is 0 for a CRL of version 1, or one without a number."""

    number: int
    entries: tuple[Entry, ...]


def read_crl(data: bytes, candidate: Candidate) -> ForeignCrl:
    """A complete CRL of the candidate, PEM or DER. Raises OrderRefused."""
    try:
        crl = x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)
        genuine = crl.is_signature_valid(authority_key(candidate.public_key))
        kinds = {each.oid for each in crl.extensions}
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise OrderRefused(f"the CRL is neither PEM nor DER that can be read: {error}") from error
    if crl.issuer != candidate.certificate.subject or not genuine:
        raise OrderRefused("the CRL was not issued by this CA: its name or its signature is another's")
    if kinds & {x509.DeltaCRLIndicator.oid, x509.IssuingDistributionPoint.oid}:
        raise OrderRefused("the CRL is a delta or a partition: give the complete one")
    number = _number(crl)
    if number >= HIGHEST:
        raise OrderRefused(f"the CRL's number, {number}, is too high for keystead to go on from")
    return ForeignCrl(number, tuple(entry for each in crl if (entry := _entry(each)) is not None))


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _entry(revoked: x509.RevokedCertificate) -> Entry | None:
    """None for one that says that its certificate is revoked no longer. Raises OrderRefused for an indirect CRL's."""
    reason = "UNSPECIFIED"
    for each in revoked.extensions:
        if isinstance(each.value, x509.CertificateIssuer):
            raise OrderRefused("the CRL is an indirect one: it speaks for other CAs too")
        if isinstance(each.value, x509.CRLReason):
            if each.value.reason is x509.ReasonFlags.remove_from_crl:
                return None
            # A hold has no end here: nobody can lift it, so it is kept as a revocation.
            reason = _NAMES.get(each.value.reason.value, "UNSPECIFIED")
    return Entry(f"{revoked.serial_number:x}", reason, revoked.revocation_date_utc)
