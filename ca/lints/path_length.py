"""No CA below an issuer whose path length is used up (RFC 5280 4.2.1.9)."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    own = extension(case.certificate, x509.BasicConstraints)
    above = extension(case.issuer, x509.BasicConstraints)
    if own is None or not own.ca or case.profile.self_signed or above is None or above.path_length is None:
        return
    if case.profile.rollover:  # of the issuer's own name: RFC 5280 does not count it
        if own.path_length is None or own.path_length > above.path_length:
            raise Broken(f"the path length must not exceed the issuer's, {above.path_length}")
        return
    if above.path_length == 0:
        raise Broken("the issuer's path length of 0 allows no CA below it")
    if own.path_length is None or own.path_length >= above.path_length:
        raise Broken(f"the path length must be below the issuer's, {above.path_length}")
