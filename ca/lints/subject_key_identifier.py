"""A subject key identifier that is made from this very key (RFC 5280 4.2.1.2, method 1)."""

from cryptography import x509

from ca.keys import certified
from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    found = extension(case.certificate, x509.SubjectKeyIdentifier)
    expected = x509.SubjectKeyIdentifier.from_public_key(certified(case.certificate.public_key()))
    if found != expected:
        raise Broken("the subject key identifier does not belong to the public key")
