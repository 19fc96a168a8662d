"""No key usage that the kind of key cannot have: RFC 5480 3 (EC), RFC 8410 5 (Ed25519), RFC 9881 5 (ML-DSA), RFC 3279 (RSA)."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ca.lints.case import Broken, Case, extension
from ca.profiles import key_usage_names

_ENCIPHERS = frozenset({"key_encipherment", "data_encipherment"})
_AGREES = frozenset({"key_agreement", "encipher_only", "decipher_only"})


def check(case: Case) -> None:
    usage = extension(case.certificate, x509.KeyUsage)
    key = case.certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        never, kind = _AGREES, "an RSA key"
    elif isinstance(key, ec.EllipticCurvePublicKey):
        never, kind = _ENCIPHERS, "an EC key"
    else:
        never, kind = _ENCIPHERS | _AGREES, "a key that only signs"
    odd = never & (key_usage_names(usage) if usage is not None else frozenset())
    if odd:
        raise Broken(f"{kind} cannot have the key usage {', '.join(sorted(odd))}")
