"""Exactly the key usages that the profile gives to this kind of key (RFC 5280 4.2.1.3)."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from ca.lints.case import Broken, Case, extension
from ca.profiles import key_usage_names


def check(case: Case) -> None:
    expected = case.profile.key_usage
    if isinstance(case.certificate.public_key(), rsa.RSAPublicKey):
        expected |= case.profile.rsa_key_usage
    usage = extension(case.certificate, x509.KeyUsage)
    found = key_usage_names(usage) if usage is not None else frozenset()
    if found != expected:
        raise Broken(f"the key usage is {sorted(found)}, and the profile's is {sorted(expected)}")
