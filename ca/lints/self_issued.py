"""A CA below another has a name of its own: self-issued certificates are for a change of keys (RFC 5280 3.2)."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    profile, certificate = case.profile, case.certificate
    if (
        profile.ca
        and not profile.self_signed
        and not profile.rollover
        and certificate.issuer == certificate.subject
    ):
        raise Broken("the subject is the issuer's own name, and a CA below it needs another")
