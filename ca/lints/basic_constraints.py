"""The CA flag and path length of the profile: no end-entity profile makes a CA."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    constraints = extension(case.certificate, x509.BasicConstraints)
    if constraints is None or constraints.ca != case.profile.ca:
        raise Broken(f"the CA flag is not that of profile {case.profile.name}")
    if constraints.path_length != case.profile.path_length:
        raise Broken(f"the path length is not that of profile {case.profile.name}")
