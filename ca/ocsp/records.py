"""What the database says for an OCSP answer: the authority, its signer, and the state of each serial number."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from sqlmodel import Session, col, select

from ca import der
from ca.ocsp.errors import Unauthorized
from ca.ocsp.question import CertId
from ca.ocsp.signers import answers
from ca.ocsp.tables import SignerRow
from ca.ocsp.wording import Status
from ca.tables import AuthorityRow, CertificateRow, RevocationRow

UNKNOWN: Final = Status("unknown")


@dataclass(frozen=True, slots=True)
class Found:
    """One snapshot: what is to be said of each certificate, and the newest signer, if there is one."""

    statuses: tuple[Status, ...]
    signer: SignerRow | None


def look_up(session: Session, authority_id: str, asked: Sequence[CertId], now: datetime) -> Found:
    """Raises Unauthorized for an authority that does not answer, and for a certificate of another issuer."""
    mine = select(AuthorityRow).where(AuthorityRow.id == authority_id)
    authority = session.exec(mine).one_or_none()
    if authority is None or authority.certificate is None or not answers(authority, now):
        raise Unauthorized("the authority answers no OCSP requests")
    for each in asked:
        if issuer_hashes(authority.certificate, authority.public_key, each.hash) != (
            each.name_hash,
            each.key_hash,
        ):
            raise Unauthorized("the certificate is another issuer's")
    signers = select(SignerRow).where(
        SignerRow.authority_id == authority_id, col(SignerRow.certificate).is_not(None)
    )
    signer = session.exec(signers.order_by(col(SignerRow.number).desc()).limit(1)).one_or_none()
    known = _statuses(session, authority, {each.hex for each in asked}, now)
    return Found(tuple(known.get(each.hex, UNKNOWN) for each in asked), signer)


def _statuses(
    session: Session, authority: AuthorityRow, serials: set[str], now: datetime
) -> dict[str, Status]:
    """By serial number. What was given out counts from the intent on, signed or not (ARCHITECTURE 4).

    Nothing is forgotten, so an expired certificate keeps its answer, with an archive cutoff of the authority's beginning.
    """
    same = (col(RevocationRow.authority_id) == col(CertificateRow.authority_id)) & (
        col(RevocationRow.serial) == col(CertificateRow.serial)
    )
    given_out = (
        select(CertificateRow.serial, CertificateRow.not_after, RevocationRow)
        .join(RevocationRow, same, isouter=True)
        .where(CertificateRow.authority_id == authority.id, col(CertificateRow.serial).in_(sorted(serials)))
    )
    found = {}
    for serial, not_after, revocation in session.exec(given_out):
        cutoff = authority.not_before if not_after < now else None
        found[serial] = (
            Status("good", archive_cutoff=cutoff)
            if revocation is None
            else Status("revoked", revocation.revoked_at, revocation.reason, cutoff)
        )
    return found


@lru_cache(maxsize=1024)
def issuer_hashes(certificate: bytes, public_key: bytes, algorithm: str) -> tuple[bytes, bytes]:
    """(issuerNameHash, issuerKeyHash) of what an authority issues (RFC 6960 4.1.1)."""
    subject = x509.load_der_x509_certificate(certificate).subject.public_bytes()
    return (
        hashlib.new(algorithm, subject, usedforsecurity=False).digest(),
        hashlib.new(algorithm, key_bits(public_key), usedforsecurity=False).digest(),
    )


def key_bits(public_key: bytes) -> bytes:
    """The content of a SubjectPublicKeyInfo's BIT STRING, without its count of unused bits."""
    _, start, _ = der.header(public_key, 0, len(public_key))
    _, bits = der.split(public_key[start:])
    _, start, _ = der.header(bits, 0, len(bits))
    return bits[start + 1 :]


@lru_cache(maxsize=1024)
def signer_key(public_key: bytes) -> ec.EllipticCurvePublicKey:
    """A signer's public key, loaded."""
    key = load_der_public_key(public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)  # signers have no others
    return key
