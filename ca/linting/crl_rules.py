"""Rules for a lone CRL, one function each (RFC 5280 5)."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509

from ca.lints import Broken

T = TypeVar("T", bound=x509.ExtensionType)


def crl_next_update(crl: x509.CertificateRevocationList) -> None:
    """5.1.2.5: it says when the next one comes, later than itself."""
    if crl.next_update_utc is None:
        raise Broken("it does not say when the next CRL comes")
    if crl.next_update_utc <= crl.last_update_utc:
        raise Broken("the next CRL comes before this one")


def crl_number(crl: x509.CertificateRevocationList) -> None:
    """5.2.3: a number, not critical, of at most 20 octets."""
    found = _extension(crl, x509.CRLNumber)
    if found is None:
        raise Broken("it has no CRL number")
    if found.critical:
        raise Broken("the CRL number is critical")
    if not 0 <= found.value.crl_number < 1 << 159:
        raise Broken("the CRL number is negative, or longer than 20 octets")


def crl_authority_key_identifier(crl: x509.CertificateRevocationList) -> None:
    """5.2.1: which key has signed it."""
    found = _extension(crl, x509.AuthorityKeyIdentifier)
    if found is None or found.value.key_identifier is None:
        raise Broken("it has no authority key identifier")


def crl_issuing_distribution_point(crl: x509.CertificateRevocationList) -> None:
    """5.2.5: critical, and of one kind of certificate at most."""
    found = _extension(crl, x509.IssuingDistributionPoint)
    if found is not None and not found.critical:
        raise Broken(
            "the issuing distribution point is not critical: readers would take a part for the whole"
        )


def crl_entries(crl: x509.CertificateRevocationList) -> None:
    """5.1.2.6: no serial number twice, and none of zero or less."""
    seen: set[int] = set()
    for entry in crl:
        if entry.serial_number <= 0:
            raise Broken(f"an entry has the serial number {entry.serial_number}")
        if entry.serial_number in seen:
            raise Broken(f"serial number {entry.serial_number:x} is listed twice")
        seen.add(entry.serial_number)


def crl_reasons(crl: x509.CertificateRevocationList) -> None:
    """5.3.1: a reason of "unspecified" is left out, and "removeFromCRL" is for delta CRLs."""
    delta = _extension(crl, x509.DeltaCRLIndicator) is not None
    for entry in crl:
        try:
            reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        except x509.ExtensionNotFound:
            continue
        if reason is x509.ReasonFlags.unspecified:
            raise Broken(f"serial number {entry.serial_number:x} gives 'unspecified' as a reason")
        if reason is x509.ReasonFlags.remove_from_crl and not delta:
            raise Broken(f"serial number {entry.serial_number:x} is removed from a CRL that is no delta")


RULES: Final[Mapping[str, Callable[[x509.CertificateRevocationList], None]]] = MappingProxyType(
    {
        rule.__name__: rule
        for rule in (
            crl_next_update,
            crl_number,
            crl_authority_key_identifier,
            crl_issuing_distribution_point,
            crl_entries,
            crl_reasons,
        )
    }
)


def _extension(crl: x509.CertificateRevocationList, kind: type[T]) -> x509.Extension[T] | None:
    try:
        return crl.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
