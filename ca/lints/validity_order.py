"""A validity that begins before it ends (RFC 5280 4.1.2.5)."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    if case.certificate.not_valid_before_utc >= case.certificate.not_valid_after_utc:
        raise Broken("the validity ends before it begins")
