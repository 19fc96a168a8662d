"""No CA deeper than the path length of any CA above allows (RFC 5280 4.2.1.9), and none that promises more itself."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    own = extension(case.certificate, x509.BasicConstraints)
    if own is None or not own.ca or case.profile.self_signed:
        return
    steps = 0 if case.profile.rollover else 1  # a certificate of its issuer's own name is not counted
    for depth, above in enumerate((case.issuer, *case.above)):
        constraints = extension(above, x509.BasicConstraints)
        limit = None if constraints is None else constraints.path_length
        if limit is not None:
            whose = "the issuer's" if depth == 0 else "a higher CA's"
            if limit < steps:
                raise Broken(f"{whose} path length of {limit} allows no CA this deep below it")
            if own.path_length is None or own.path_length > limit - steps:
                raise Broken(f"{whose} path length of {limit} allows {limit - steps} at most here")
        if above.issuer != above.subject:
            steps += 1
