"""A validity inside the issuer's: a certificate never outlives its CA, nor is it older (TRAPS 33)."""

from ca.lints.case import Broken, Case


def check(case: Case) -> None:
    certificate, issuer = case.certificate, case.issuer
    if certificate.not_valid_before_utc < issuer.not_valid_before_utc:
        raise Broken(
            f"the validity would begin before the issuer's, {issuer.not_valid_before_utc:%Y-%m-%d %H:%M:%S} UTC"
        )
    if certificate.not_valid_after_utc > issuer.not_valid_after_utc:
        raise Broken(
            f"the validity would end after the issuer's, {issuer.not_valid_after_utc:%Y-%m-%d %H:%M:%S} UTC"
        )
