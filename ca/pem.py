"""Certificates as text (RFC 7468)."""

from base64 import b64encode

from ca import der

_LINE = 64


def pem(certificates: bytes) -> str:
    """Certificates in DER that stand one after another, as PEM blocks in the same order."""
    return "".join(_block(certificate) for certificate in der.split(certificates))


def _block(certificate: bytes) -> str:
    text = b64encode(certificate).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
