"""Only extended key usages that the profile has, and that the issuer, if it names any, has too."""

from cryptography import x509

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    usage = extension(case.certificate, x509.ExtendedKeyUsage)
    found = frozenset(usage) if usage is not None else frozenset()
    if found != case.profile.extended_key_usage:
        raise Broken(f"the extended key usage is not that of profile {case.profile.name}")
    above = extension(case.issuer, x509.ExtendedKeyUsage)
    if above is not None and not found <= frozenset(above):
        raise Broken("the extended key usage goes beyond the issuer's")
