"""An authority key identifier equal to the issuer's subject key identifier (RFC 5280 4.2.1.1); a root needs none."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    found = extension(case.certificate, x509.AuthorityKeyIdentifier)
    if found is None and case.profile.self_signed:
        return
    above = extension(case.issuer, x509.SubjectKeyIdentifier)
    if found is None or above is None or found.key_identifier != above.digest:
        raise Broken("the authority key identifier is not the issuer's subject key identifier")
