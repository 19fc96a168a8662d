"""A CA has a subject (RFC 5280 4.1.2.6); a server certificate has at most one common name and nothing unproven beside it."""

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    attributes = [attribute.oid for attribute in case.certificate.subject]
    if case.profile.ca and not attributes:
        raise Broken("a CA needs a subject")
    names = extension(case.certificate, x509.SubjectAlternativeName)
    if case.profile.any_names and not attributes and not names:
        raise Broken("the certificate names nobody: it has neither a subject nor a subjectAltName")
    if not case.profile.ca and not case.profile.any_names and attributes not in ([], [NameOID.COMMON_NAME]):
        raise Broken("the subject holds more than one common name")
