"""What a certificate says of itself, in ACM's words: usages, algorithms, names of subject and issuer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

# The order of the model's enums; a certificate's row keeps one bit for each.
KEY_USAGES = (
    "DIGITAL_SIGNATURE",
    "NON_REPUDIATION",
    "KEY_ENCIPHERMENT",
    "DATA_ENCIPHERMENT",
    "KEY_AGREEMENT",
    "CERTIFICATE_SIGNING",
    "CRL_SIGNING",
    "ENCIPHER_ONLY",
    "DECIPHER_ONLY",
    "ANY",
    "CUSTOM",
)
EXTENDED_KEY_USAGES = (
    "TLS_WEB_SERVER_AUTHENTICATION",
    "TLS_WEB_CLIENT_AUTHENTICATION",
    "CODE_SIGNING",
    "EMAIL_PROTECTION",
    "TIME_STAMPING",
    "OCSP_SIGNING",
    "IPSEC_END_SYSTEM",
    "IPSEC_TUNNEL",
    "IPSEC_USER",
    "ANY",
    "NONE",
    "CUSTOM",
)
EXTENDED_KEY_USAGE_OIDS = {
    "1.3.6.1.5.5.7.3.1": "TLS_WEB_SERVER_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.2": "TLS_WEB_CLIENT_AUTHENTICATION",
    "1.3.6.1.5.5.7.3.3": "CODE_SIGNING",
    "1.3.6.1.5.5.7.3.4": "EMAIL_PROTECTION",
    "1.3.6.1.5.5.7.3.8": "TIME_STAMPING",
    "1.3.6.1.5.5.7.3.9": "OCSP_SIGNING",
    "1.3.6.1.5.5.7.3.5": "IPSEC_END_SYSTEM",
    "1.3.6.1.5.5.7.3.6": "IPSEC_TUNNEL",
    "1.3.6.1.5.5.7.3.7": "IPSEC_USER",
    "2.5.29.37.0": "ANY",
}
_SIGNATURE_FAMILIES = {
    "1.2.840.113549.1.1": "RSA",  # PKCS #1, RFC 8017
    "1.2.840.10045.4.3": "ECDSA",  # RFC 5758
}


@dataclass(frozen=True, slots=True)
class Described:
    """One certificate, read. `extended_key_usages` are (name, OID)."""

    subject: str
    issuer: str
    signature_algorithm: str
    key_usages: tuple[str, ...]
    extended_key_usages: tuple[tuple[str, str], ...]


def read_certificate(pem: str) -> Described:
    """Read what DescribeCertificate tells of a certificate."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    return Described(
        subject=certificate.subject.rfc4514_string(),
        issuer=_name_of(certificate.issuer),
        signature_algorithm=_signature_algorithm(certificate),
        key_usages=_key_usages(certificate),
        extended_key_usages=_extended_key_usages(certificate),
    )


def to_bits(names: Iterable[str], order: Sequence[str]) -> int:
    """Names of an enum as bits, so that a list can be filtered in the database."""
    return sum(1 << order.index(name) for name in set(names))


def from_bits(bits: int, order: Sequence[str]) -> tuple[str, ...]:
    """The names again, in the enum's order."""
    return tuple(name for place, name in enumerate(order) if bits >> place & 1)


def _name_of(name: x509.Name) -> str:
    """The common name, as ACM's Issuer shows the authority; else the organisation; else all of it."""
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        if attributes := name.get_attributes_for_oid(oid):
            return str(attributes[0].value)
    return name.rfc4514_string()


def _signature_algorithm(certificate: x509.Certificate) -> str:
    oid: ObjectIdentifier = certificate.signature_algorithm_oid
    family = _SIGNATURE_FAMILIES.get(oid.dotted_string.rpartition(".")[0])
    digest = certificate.signature_hash_algorithm
    if family is None or digest is None:
        return "ED25519"
    return f"{digest.name.upper()}WITH{family}"


def _key_usages(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    said = (
        usage.digital_signature,
        usage.content_commitment,
        usage.key_encipherment,
        usage.data_encipherment,
        usage.key_agreement,
        usage.key_cert_sign,
        usage.crl_sign,
        usage.key_agreement and usage.encipher_only,
        usage.key_agreement and usage.decipher_only,
    )
    return tuple(name for name, present in zip(KEY_USAGES, said, strict=False) if present)


def _extended_key_usages(certificate: x509.Certificate) -> tuple[tuple[str, str], ...]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        (EXTENDED_KEY_USAGE_OIDS.get(oid.dotted_string, "CUSTOM"), oid.dotted_string) for oid in usages
    )
