"""Attestation documents as an enclave would bring them, under a root of the tests' own (certs-fixtures/attestation)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

PCRS = {0: b"\x11" * 48, 1: b"\x22" * 48, 2: b"\x33" * 48}


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Issuer:
    """A certificate and its key: P-384, as the hypervisor's are."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def issue(
    common: str,
    issuer: Issuer | None = None,
    *,
    at: datetime,
    ca: bool = True,
    path_length: int | None = None,
    days: int = 30,
    curve: ec.EllipticCurve | None = None,
) -> Issuer:
    """A certificate valid around `at`; self-signed without an issuer."""
    key = ec.generate_private_key(curve or ec.SECP384R1())
    usage = x509.KeyUsage(
        digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(issuer.certificate.subject if issuer else name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - timedelta(days=1))
        .not_valid_after(at + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(usage, critical=True)
    )
    return Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA384()), key)


@dataclass
class Enclave:
    """An enclave with its RSA key. Each document is made anew; `changed` replaces fields of its payload."""

    root: Issuer
    at: datetime
    recipient: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    def __post_init__(self) -> None:
        self.zonal = issue("zonal", self.root, at=self.at)
        self.leaf = issue("i-1234.enclave", self.zonal, at=self.at, ca=False)

    @property
    def public_key(self) -> bytes:
        return self.recipient.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def payload(self, **changed: Any) -> dict[str, Any]:
        fields = {
            "module_id": "i-1234-enc5678",
            "digest": "SHA384",
            "timestamp": int(self.at.timestamp() * 1000),
            "pcrs": PCRS,
            "certificate": self.leaf.der,
            "cabundle": [self.root.der, self.zonal.der],
            "public_key": self.public_key,
            "user_data": None,
            "nonce": None,
            **changed,
        }
        return {key: value for key, value in fields.items() if value is not ...}

    def document(self, *, tagged: bool = False, **changed: Any) -> bytes:
        return sign(self.payload(**changed), self.leaf.key, tagged=tagged)

    def open(self, envelope: bytes) -> bytes:
        """The plaintext of a CiphertextForRecipient, read as the enclave's SDK reads it: a CMS EnvelopedData."""
        key_blob, iv, sealed = read_enveloped(envelope)
        from cryptography.hazmat.primitives.asymmetric import padding

        key = self.recipient.decrypt(
            key_blob, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        )
        opener = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        padded = opener.update(sealed) + opener.finalize()
        return padded[: -padded[-1]]


def sign(
    payload: Mapping[str, Any] | bytes,
    key: ec.EllipticCurvePrivateKey,
    *,
    tagged: bool = False,
    protected: bytes | None = None,
) -> bytes:
    """COSE_Sign1 (RFC 9052 4.2)."""
    header = cbor2.dumps({1: -35}) if protected is None else protected
    octets = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
    der = key.sign(cbor2.dumps(["Signature1", header, b"", octets]), ec.ECDSA(hashes.SHA384()))
    r, s = decode_dss_signature(der)
    message = [header, {}, octets, r.to_bytes(48, "big") + s.to_bytes(48, "big")]
    return cbor2.dumps(cbor2.CBORTag(18, message) if tagged else message)


def read_enveloped(der: bytes) -> tuple[bytes, bytes, bytes]:
    """(encrypted key, IV, ciphertext) of an EnvelopedData for one recipient (RFC 5652 6.1)."""
    [content] = elements(der)
    _, tagged = elements(content)
    [enveloped] = elements(tagged)
    _, recipients, encrypted = elements(enveloped)
    [recipient] = elements(recipients)
    key = elements(recipient)[-1]
    _, algorithm, sealed = elements(encrypted)
    return key, elements(algorithm)[1], sealed


def elements(der: bytes) -> list[bytes]:
    """The contents of the DER elements that stand one after the other."""
    found, at = [], 0
    while at < len(der):
        length, at = der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size], "big"), at + size
        found.append(der[at : at + length])
        at += length
    return found


def made_now(root: Issuer | None = None) -> Enclave:
    at = datetime.now(UTC)
    return Enclave(root or issue("test root", at=at), at)
