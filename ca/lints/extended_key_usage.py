"""Only extended key usages that the profile has, and that every CA above, if it names any, has too (the chain of purposes)."""

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.lints.case import Broken, Case, extension


def check(case: Case) -> None:
    usage = extension(case.certificate, x509.ExtendedKeyUsage)
    found = frozenset(usage) if usage is not None else frozenset()
    if found != case.profile.extended_key_usage:
        raise Broken(f"the extended key usage is not that of profile {case.profile.name}")
    for above in (case.issuer, *case.above):
        allowed = extension(above, x509.ExtendedKeyUsage)
        if allowed is None or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in allowed:
            continue
        if not found <= frozenset(allowed):
            raise Broken("the extended key usage goes beyond the issuer's or a higher CA's")
