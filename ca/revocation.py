"""Revoking, and the lists that say so (RFC 5280 5): numbers only rise, and each list covers what was revoked before it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from sqlmodel import Session, col, select

from ca.authorities import CRL_JOB, found
from ca.errors import CertificateNotFound, CertificateState, NotPublished, OrderRefused
from ca.revocation_settings import generation_of
from ca.signing import Signer
from ca.states import (
    AUTHORITY_STATES,
    REVOCATION_REASONS,
    next_authority_state,
    next_certificate_state,
    state_at,
)
from ca.tables import AuthorityRow, CertificateRow, CrlRow, RevocationRow
from foundation.store import Claim, Unit, bump, schedule

_SERIAL = re.compile("[0-9a-f]{2,40}")


@dataclass(frozen=True, slots=True)
class Edition:
    """One CRL about to be signed: its number is reserved, and its contents are those of one snapshot."""

    authority: AuthorityRow
    number: int
    covers: int  # how many revocations there had ever been
    revoked: list[RevocationRow]
    this_update: datetime
    next_update: datetime


class Revocation:
    """Revokes certificates of the scope's authorities and publishes their CRLs."""

    def __init__(
        self, unit: Unit, signer: Signer, *, now: Callable[[], datetime], crl_validity: timedelta
    ) -> None:
        self._unit = unit
        self._signer = signer
        self._now = now
        self._crl_validity = crl_validity

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
            schedule(session, CRL_JOB, authority.id, now, only_earlier=True)
            bump(session, generation_of(authority.id))  # OCSP answers that say otherwise are kept no longer

        self._unit.write(body)

    def publish(self, claim: Claim) -> None:
        """Sign and publish the CRL of the authority that the claim names; the next is due at half of this one's life.

        The claim is finished in the commit that publishes. The work of an authority that is expired or deleted ends.
        """
        edition = self._unit.write(lambda session: self._reserve(session, claim))
        if edition is None:
            return
        crl = self._signer.revocation_list(_builder(edition), edition.authority)
        self._unit.write(lambda session: self._keep(session, edition, crl, claim))

    def newest(self, authority_id: str) -> bytes:
        """The published CRL, DER. Raises NotPublished."""
        with self._unit.read() as session:
            row = session.exec(select(CrlRow).where(CrlRow.authority_id == authority_id)).one_or_none()
        if row is None:
            raise NotPublished(f"authority {authority_id} has published no CRL")
        return row.crl

    def _reserve(self, session: Session, claim: Claim) -> Edition | None:
        now, authority_id = self._now().replace(microsecond=0), claim.subject
        authority = found(session, authority_id)
        if "crl" not in AUTHORITY_STATES[state_at(authority.status, authority.not_after, now)]:
            claim.finish(session)
            return None
        authority.crl_number += 1
        session.add(authority)
        shown = session.exec(
            select(CrlRow.this_update).where(CrlRow.authority_id == authority_id)
        ).one_or_none()
        query = select(RevocationRow).where(RevocationRow.authority_id == authority_id)
        if shown is not None:  # an entry stays until one CRL after its certificate has run out (RFC 5280 3.3)
            query = query.where(col(RevocationRow.not_after) > shown)
        return Edition(
            authority=authority,
            number=authority.crl_number,
            covers=authority.revocations,
            revoked=list(
                session.exec(query.order_by(col(RevocationRow.revoked_at), col(RevocationRow.serial)))
            ),
            this_update=now,
            next_update=now + self._crl_validity,
        )

    def _keep(self, session: Session, edition: Edition, crl: bytes, claim: Claim) -> None:
        """Publish, unless a higher number is out already, and say when the next is due: at once after new revocations."""
        authority = found(session, edition.authority.id)
        row = session.get(CrlRow, (authority.account, authority.region, authority.id, 0))
        if row is None or row.number < edition.number:
            session.add(_published(row, edition, crl))
        current = authority.revocations == edition.covers
        due = edition.this_update + self._crl_validity / 2 if current else self._now()
        claim.finish(session, due)


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


def _published(row: CrlRow | None, edition: Edition, crl: bytes) -> CrlRow:
    if row is None:
        return CrlRow(
            account=edition.authority.account,
            region=edition.authority.region,
            authority_id=edition.authority.id,
            shard=0,
            number=edition.number,
            covers=edition.covers,
            this_update=edition.this_update,
            next_update=edition.next_update,
            crl=crl,
        )
    row.number, row.covers, row.crl = edition.number, edition.covers, crl
    row.this_update, row.next_update = edition.this_update, edition.next_update
    return row


def _builder(edition: Edition) -> x509.CertificateRevocationListBuilder:
    assert edition.authority.certificate is not None
    issuer = x509.load_der_x509_certificate(edition.authority.certificate)
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        x509.CertificateRevocationListBuilder(
            issuer_name=issuer.subject,
            last_update=edition.this_update,
            next_update=edition.next_update,
            revoked_certificates=[
                _entry(row) for row in edition.revoked
            ],  # one by one would copy the list each time
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False
        )
        .add_extension(x509.CRLNumber(edition.number), critical=False)
    )


def _entry(row: RevocationRow) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(int(row.serial, 16))
        .revocation_date(row.revoked_at.replace(microsecond=0))
    )
    if row.reason != "UNSPECIFIED":  # RFC 5280 5.3.1: leave the code out rather than say unspecified
        reason = x509.ReasonFlags(REVOCATION_REASONS[row.reason])
        builder = builder.add_extension(x509.CRLReason(reason), critical=False)
    return builder.build()
