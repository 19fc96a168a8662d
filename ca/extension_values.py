"""Extensions given as an object identifier and DER: read as what they are, so that every rule sees into them."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from ca import der
from ca.errors import OrderRefused

_NAME: Final = x509.Name([])
_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_ODD: Final = (ValueError, TypeError, x509.UnsupportedGeneralNameType, x509.DuplicateExtension)


def read_extension(oid: x509.ObjectIdentifier, value: bytes) -> x509.ExtensionType:
    """The extension's value, of its own class where pyca knows the kind. Raises OrderRefused for malformed DER.

    pyca reads extensions in certificates only, so one is made for it.
    """
    builder = x509.CertificateBuilder(_NAME, _NAME, _key().public_key(), 1, _START, _START)
    try:
        der.check_bounds(value)
        made = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
        found: x509.ExtensionType = (
            made.sign(_key(), hashes.SHA256()).extensions.get_extension_for_oid(oid).value
        )
    except _ODD as error:
        raise OrderRefused(f"the value of extension {oid.dotted_string} is malformed: {error}") from error
    return found


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())
