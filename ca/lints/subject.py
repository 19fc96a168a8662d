"""A CA has a subject (RFC 5280 4.1.2.6); a server certificate has at most one common name and nothing unproven beside it."""

from cryptography.x509.oid import NameOID

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    attributes = [attribute.oid for attribute in case.certificate.subject]
    if case.profile.ca and not attributes:
        raise Broken("a CA needs a subject")
    if not case.profile.ca and attributes not in ([], [NameOID.COMMON_NAME]):
        raise Broken("the subject holds more than one common name")
