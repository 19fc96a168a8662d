"""CAs that were made elsewhere, and their keys on the way in: as an operator brings them."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ca import AuthorityView, Custody, Offer
from ca.profiles import key_usage
from server.cli.foreign_keys import wrap
from tests.ca.conftest import START, World

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class ForeignCa:
    """A CA with its key. `above` is its chain, PEM."""

    key: Key
    certificate: x509.Certificate
    above: bytes = b""

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def pkcs8(self) -> bytes:
        return self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def crl(self, number: int | None, *serials: int, by: Key | None = None) -> bytes:
        """A CRL that lists the serials, the first for the compromise of its key."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(START)
            .next_update(START + timedelta(days=7))
        )
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        for place, serial in enumerate(serials):
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(START)
            if place == 0:
                entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(by or self.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def foreign(name: str = "Old Root", *, by: ForeignCa | None = None, **changes: Any) -> ForeignCa:
    """A CA; `changes`: key, ca, usage (None: no extension), identifier, not_before, not_after, digest, path_length."""
    key: Key = changes.get("key") or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(subject)
        .issuer_name(subject if by is None else by.certificate.subject)
        .public_key(key.public_key())
        .not_valid_before(changes.get("not_before", START - timedelta(days=300)))
        .not_valid_after(changes.get("not_after", START + timedelta(days=3000)))
        .add_extension(
            x509.BasicConstraints(ca=changes.get("ca", True), path_length=changes.get("path_length")),
            critical=True,
        )
    )
    usage = changes.get("usage", frozenset({"key_cert_sign", "crl_sign"}))
    if usage is not None:
        builder = builder.add_extension(key_usage(usage), critical=True)
    if changes.get("identifier", True):
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    certificate = builder.sign(by.key if by else key, changes.get("digest", hashes.SHA256()))
    return ForeignCa(key, certificate, by.pem + by.above if by else b"")


def leaf(issuer: ForeignCa, serial: int) -> x509.Certificate:
    """What the CA issued before it came here."""
    return (
        x509.CertificateBuilder()
        .serial_number(serial)
        .subject_name(x509.Name([]))
        .issuer_name(issuer.certificate.subject)
        .public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
        .not_valid_before(START - timedelta(days=3))
        .not_valid_after(START + timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("old.example.com")]), critical=True)
        .sign(issuer.key, hashes.SHA256())
    )


def wall() -> datetime:
    """The clock that the core has, which no test moves."""
    return datetime.now(UTC)


def custody(world: World) -> Custody:
    return world.service().custody(wall)


def bring(world: World, ca: ForeignCa, key: Key | None = None, **offered: Any) -> AuthorityView:
    """Both steps of an import, with the wrapping that the command line does; `key` in place of the CA's own."""
    offer = Offer(ca.pem, ca.above, **offered)
    wrapping = custody(world).begin_import(offer)
    pkcs8 = ca.pkcs8 if key is None else key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    wrapped = wrap(wrapping.public_key, wrapping.algorithm, pkcs8, os.urandom)
    return custody(world).finish_import(offer, wrapping.authority_id, wrapping.token, wrapped)
