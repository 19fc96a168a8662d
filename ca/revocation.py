"""Revoking by serial number (RFC 5280 5.3); `ca.publishing` makes the lists that say so."""

import re
from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session, select

from ca import der
from ca.authorities import found
from ca.certificates import keep_compromised
from ca.errors import CertificateNotFound, CertificateState, NotPublished, OrderRefused
from ca.locations import COMPLETE
from ca.log.pending import log_revoked
from ca.revocation_settings import generation_of
from ca.shards import make_due
from ca.states import (
    COMPROMISES,
    REVOCATION_REASONS,
    next_authority_state,
    next_certificate_state,
    state_at,
)
from ca.tables import AuthorityRow, CertificateRow, CrlRow, RevocationRow
from foundation.store import Unit, bump

_SERIAL = re.compile("[0-9a-f]{2,40}")


class Revocation:
    """Revokes certificates of the scope's authorities, and shows their CRLs."""

    def __init__(self, unit: Unit, *, now: Callable[[], datetime]) -> None:
        self._unit = unit
        self._now = now

    def revoke(self, authority_id: str, serial: str, reason: str) -> None:
        """Revoke by lower-case hex serial; the CRL follows at the job's next look, within a minute.

        `reason` is a key of REVOCATION_REASONS. A serial whose certificate was never finished can be revoked too.
        Raises OrderRefused, AuthorityNotFound, AuthorityState, CertificateNotFound, CertificateState (revoked before,
        or a root's own).
        """
        if reason not in REVOCATION_REASONS:
            raise OrderRefused(
                f"{reason!r} is not a reason to revoke: use one of {', '.join(REVOCATION_REASONS)}"
            )
        if _SERIAL.fullmatch(serial) is None:
            raise CertificateNotFound("a serial number is 2 to 40 lower-case hexadecimal digits")

        def body(session: Session) -> None:
            now = self._now()
            authority = _permitted(session, authority_id, "revoke", now)
            row = session.get(CertificateRow, (authority.account, authority.region, authority.id, serial))
            if row is None:
                raise CertificateNotFound(f"authority {authority_id} has issued no serial number {serial}")
            if authority.kind == "ROOT" and authority.serial == serial:
                raise CertificateState(
                    "a root's own certificate cannot be revoked: it would revoke its own CRL"
                )
            row.status = next_certificate_state(serial, row.status, "revoke")
            authority.revocations += 1
            session.add_all((row, authority, _revocation(row, reason, now, authority.revocations)))
            log_revoked(session, authority.public_key, serial, reason)
            if reason in COMPROMISES:
                keep_compromised(session, row.tbs or der.to_be_signed(row.certificate or b""))
            make_due(session, authority, row.shard, now)
            bump(session, generation_of(authority.id))  # OCSP answers that say otherwise are kept no longer

        self._unit.write(body)

    def newest(self, authority_id: str) -> bytes:
        """The published complete CRL, DER. Raises NotPublished."""
        with self._unit.read() as session:
            mine = select(CrlRow).where(CrlRow.authority_id == authority_id, CrlRow.shard == COMPLETE)
            row = session.exec(mine).one_or_none()
        if row is None:
            raise NotPublished(f"authority {authority_id} has published no CRL")
        return row.crl


def _permitted(session: Session, authority_id: str, action: str, now: datetime) -> AuthorityRow:
    authority = found(session, authority_id)
    next_authority_state(authority.id, state_at(authority.status, authority.not_after, now), action)
    return authority


def _revocation(row: CertificateRow, reason: str, now: datetime, ordinal: int) -> RevocationRow:
    return RevocationRow(
        account=row.account,
        region=row.region,
        authority_id=row.authority_id,
        serial=row.serial,
        reason=reason,
        revoked_at=now,
        not_after=row.not_after,
        shard=row.shard,
        ordinal=ordinal,
    )
