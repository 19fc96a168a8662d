"""The issuer's name, octet for octet its subject (RFC 5280 4.1.2.4): chains are built by it."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    if case.certificate.issuer.public_bytes() != case.issuer.subject.public_bytes():
        raise Broken("the issuer's name is not the issuer's subject")
