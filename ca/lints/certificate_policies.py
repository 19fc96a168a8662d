"""No certificate policy occurs twice (RFC 5280 4.2.1.4), and policy constraints are a CA's (4.2.1.11)."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    policies = extension(case.certificate, x509.CertificatePolicies)
    named = [each.policy_identifier for each in policies or ()]
    if len(set(named)) != len(named):
        raise Broken("a certificate policy occurs twice")
    constraints = extension(case.certificate, x509.BasicConstraints)
    authority = constraints is not None and constraints.ca
    if not authority and extension(case.certificate, x509.PolicyConstraints) is not None:
        raise Broken("policy constraints are for CAs alone")
