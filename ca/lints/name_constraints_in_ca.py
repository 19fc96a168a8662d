"""Name constraints are a CA's, critical, and not empty (RFC 5280 4.2.1.10)."""

from cryptography import x509

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    try:
        found = case.certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except x509.ExtensionNotFound:
        return
    if not case.profile.ca:
        raise Broken("name constraints are for the certificates of CAs alone")
    if not found.critical:
        raise Broken("name constraints must be critical: who does not know them must not go on")
