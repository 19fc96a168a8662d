"""What an entry of the log says: JSON with digests in place of names, so that a public log tells nobody's secrets.

    {"type":"issued","issuer":KEY,"serial":HEX,"tbs":DIGEST}      from the intent on (ARCHITECTURE 4)
    {"type":"revoked","issuer":KEY,"serial":HEX,"reason":REASON}

KEY is the SHA-256 of the issuing authority's SubjectPublicKeyInfo, DIGEST that of the TBSCertificate, both in hex. Who has
a certificate and its issuer's can write its entry down and look for it; who has only the log learns that something was
issued, by which key, and whether it was revoked (as its CRL says too). The members are in this order, without spaces.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was read. `about` is the TBS digest of what was issued, or the reason of a revocation."""

    type: Literal["issued", "revoked"]
    issuer: str
    serial: str
    about: str


class BadEntry(Exception):
    """Bytes in the log that are no entry."""


def issued(issuer_key: bytes, serial: str, tbs: bytes) -> bytes:
    """issuer_key: SPKI, DER. serial: lower-case hex. tbs: the TBSCertificate, DER."""
    digest = hashlib.sha256(tbs).hexdigest()
    return f'{{"type":"issued","issuer":"{key_digest(issuer_key)}","serial":"{serial}","tbs":"{digest}"}}'.encode()


def revoked(issuer_key: bytes, serial: str, reason: str) -> bytes:
    """reason: a key of `ca.states.REVOCATION_REASONS`."""
    return f'{{"type":"revoked","issuer":"{key_digest(issuer_key)}","serial":"{serial}","reason":"{reason}"}}'.encode()


def entry_of(certificate: x509.Certificate, issuer_key: bytes) -> bytes:
    """The entry that a certificate must have in the log of its issuer's deployment."""
    return issued(issuer_key, f"{certificate.serial_number:x}", certificate.tbs_certificate_bytes)


def spki(certificate: x509.Certificate) -> bytes:
    """The certificate's public key, DER."""
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_digest(issuer_key: bytes) -> str:
    return hashlib.sha256(issuer_key).hexdigest()


def read_entry(entry: bytes) -> Entry:
    """Raises BadEntry."""
    try:
        fields = json.loads(entry)
        match list(fields.items()):
            case [("type", "issued"), ("issuer", str(issuer)), ("serial", str(serial)), ("tbs", str(digest))]:
                return Entry("issued", issuer, serial, digest)
            case [
                ("type", "revoked"),
                ("issuer", str(issuer)),
                ("serial", str(serial)),
                ("reason", str(why)),
            ]:
                return Entry("revoked", issuer, serial, why)
    except (ValueError, AttributeError) as malformed:
        raise BadEntry(f"it is not JSON: {malformed}") from malformed
    raise BadEntry("it says neither what was issued nor what was revoked")
