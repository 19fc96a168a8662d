"""Version 3, for there are extensions (RFC 5280 4.1.2.1)."""

from cryptography import x509

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    if case.certificate.version is not x509.Version.v3:
        raise Broken("the certificate is not of version 3")
