"""Bundles of CA certificates in the forms that clients take: PEM, PKCS#7, and Java's two kinds of truststore."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs7, pkcs12
from cryptography.x509.oid import NameOID

from ca import der
from ca.pem import pem

PASSWORD: Final = "changeit"  # noqa: S105 - Java's own, known to all: it only guards a truststore against accidents
_JKS_MAGIC: Final = bytes.fromhex("feedfeed")
_JKS_VERSION: Final = 2
_TRUSTED: Final = 2
_SALT: Final = b"Mighty Aphrodite"  # the format's own, in every JKS


class BadPassword(Exception):
    """A password that no Java tool takes for a truststore."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a bundle is written. `anchors`: what it holds is trusted one by one, so it holds roots and no chains."""

    media_type: str
    anchors: bool
    write: Callable[[Sequence[bytes], str], bytes]


def bundle(form: str, certificates: Sequence[bytes], password: str = PASSWORD) -> bytes:
    """Certificates (DER) in a form of FORMS; a password is for "jks" and "p12" alone, of six characters or more.

    Raises BadPassword.
    """
    return FORMS[form].write(list(dict.fromkeys(certificates)), password)


def _pem(certificates: Sequence[bytes], _password: str) -> bytes:
    return pem(b"".join(certificates)).encode()


def _pkcs7(certificates: Sequence[bytes], _password: str) -> bytes:
    """A SignedData that nobody signed, DER (RFC 5652 5.1: "degenerate", to disseminate certificates)."""
    return pkcs7.serialize_certificates(_read(certificates), Encoding.DER)


def _p12(certificates: Sequence[bytes], password: str) -> bytes:
    """PKCS#12 whose bags have Oracle's trustedKeyUsage attribute, without which Java trusts none of them."""
    entries = [
        pkcs12.PKCS12Certificate(certificate, alias(certificate).encode())
        for certificate in _read(certificates)
    ]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(_checked(password).encode()))


def _jks(certificates: Sequence[bytes], password: str) -> bytes:
    """Java's own format: trusted certificate entries, then a SHA-1 digest under the password. Nothing is encrypted."""
    parts = [_JKS_MAGIC, _JKS_VERSION.to_bytes(4, "big"), len(certificates).to_bytes(4, "big")]
    for certificate in _read(certificates):
        data = certificate.public_bytes(Encoding.DER)
        since = int(
            certificate.not_valid_before_utc.timestamp() * 1000
        )  # the same certificate, the same bytes
        parts += [
            _TRUSTED.to_bytes(4, "big"),
            _utf(alias(certificate)),
            since.to_bytes(8, "big", signed=True),
            _utf("X.509"),
            len(data).to_bytes(4, "big"),
            data,
        ]
    body = b"".join(parts)
    secret = _checked(password).encode("utf-16-be")
    return body + hashlib.sha1(secret + _SALT + body).digest()  # noqa: S324 - the format knows no other


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "pem": Form("application/x-pem-file", False, _pem),
        "p7b": Form("application/x-pkcs7-certificates", False, _pkcs7),
        "jks": Form("application/x-java-keystore", True, _jks),
        "p12": Form("application/x-pkcs12", True, _p12),
    }
)
"""By the ending of their files."""


def alias(certificate: x509.Certificate) -> str:
    """What a truststore calls it: its CN in lower case, as Java compares aliases, and the beginning of its SHA-256."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    shown = re.sub(r"[^a-z0-9]+", "-", str(names[0].value).lower()).strip("-") if names else ""
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()[:8]
    return f"{shown[:64] or 'ca'}-{digest}"


def certificates_in(text: bytes) -> list[bytes]:
    """The certificates of PEM text, DER each, in order."""
    return [each.public_bytes(Encoding.DER) for each in x509.load_pem_x509_certificates(text)] if text else []


def split(certificates: bytes) -> list[bytes]:
    """Certificates in DER that stand one after another."""
    return list(der.split(certificates))


def _read(certificates: Sequence[bytes]) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(each) for each in certificates]


def _utf(text: str) -> bytes:
    """Java's modified UTF-8, of ASCII."""
    raw = text.encode("ascii")
    return len(raw).to_bytes(2, "big") + raw


def _checked(password: str) -> str:
    if not 6 <= len(password) <= 128 or not password.isascii() or not password.isprintable():
        raise BadPassword("a truststore's password is 6 to 128 printable ASCII characters")
    return password
