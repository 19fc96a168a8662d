"""An issuer that is a CA and may sign certificates (RFC 5280 4.2.1.3, 4.2.1.9)."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    constraints = extension(case.issuer, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise Broken("the issuer is not a CA")
    usage = extension(case.issuer, x509.KeyUsage)
    if usage is None or not usage.key_cert_sign:
        raise Broken("the issuer's key usage does not include signing certificates")
