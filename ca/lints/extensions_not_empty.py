"""No extension is empty whose list has one element at least (RFC 5280 4.2: SEQUENCE SIZE (1..MAX))."""

from typing import Final

from cryptography.x509.oid import ExtensionOID

from ca.lints.case import Broken, Case

_LISTS: Final = frozenset(
    {
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.SUBJECT_INFORMATION_ACCESS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.FRESHEST_CRL,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_DIRECTORY_ATTRIBUTES,
    }
)
_EMPTY: Final = b"\x30\x00"


def check(case: Case) -> None:
    for each in case.certificate.extensions:
        if each.oid in _LISTS and each.value.public_bytes() == _EMPTY:
            raise Broken(f"extension {each.oid.dotted_string} is empty")
