"""Issuance in two commits: what will be signed is written down before it is signed (ARCHITECTURE 4).

    draft → lint → ticket   nothing stored yet: what breaks a rule leaves no trace and causes no signature
    intent                  commit: claim, serial number, to-be-signed bytes; from here on the serial counts as issued
    sign                    the core signs exactly those bytes, once per ticket
    result                  commit: the certificate

A resume finds the claim's intent, lints its bytes anew and signs the same bytes; since the signatures are deterministic it
makes the same certificate, and where they are not, the certificate that was kept first stands.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from sqlmodel import Session, select

from ca.draft import Draft, draw_up, redraw
from ca.errors import (
    AuthorityNotFound,
    BadKey,
    ClaimTaken,
    OrderRefused,
    SerialsExhausted,
)
from ca.profiles import Profile
from ca.signing import Signer
from ca.states import next_authority_state, next_certificate_state, state_at
from ca.tables import AuthorityRow, CertificateRow, PlaceRow
from ca.ticket import Ticket
from foundation.store import Duplicate, Unit

SERIAL_PREFIX = b"\x4b"  # not zero and below 0x80: the number is positive and its length does not vary
SERIAL_RANDOM_BYTES = 16  # 128 random bits; 17 octets of the 20 that RFC 5280 4.1.2.2 allows
DRAWS = 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to issue, by which authority of the unit's scope, under which claim."""

    authority_id: str
    profile: Profile
    subject: x509.Name
    names: tuple[str, ...]
    public_key: bytes
    valid_for: timedelta  # from now
    not_before: datetime | None
    claim: str
    ends_with_issuer: bool = False  # cut the validity at the issuer's end, where it is otherwise refused

    @property
    def digest(self) -> bytes:
        """What a claim stands for. The validity is left out: a resume may come after the setting changed."""
        parts = (
            self.authority_id.encode(),
            self.profile.name.encode(),
            self.subject.public_bytes(),
            self.public_key,
            *(name.encode() for name in self.names),
        )
        return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()


@dataclass(frozen=True, slots=True)
class RowsBeside:
    """`ca.orders.Beside` in this room's own terms: the result is a row."""

    intent: Callable[[Session], None]
    result: Callable[[Session, CertificateRow, AuthorityRow], None]


class Issuance:
    """Issues by authorities of one scope. Safe to call from any number of threads, processes and hosts at once."""

    def __init__(
        self,
        unit: Unit,
        signer: Signer,
        *,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        backdate: timedelta,
    ) -> None:
        self._unit = unit
        self._signer = signer
        self._now = now
        self._entropy = entropy
        self._backdate = backdate

    def issue(self, wanted: Wanted, beside: RowsBeside | None = None) -> tuple[CertificateRow, AuthorityRow]:
        """The one certificate of this claim, and who issued it: new, resumed, or as it was issued before.

        What is `beside` is written in the same two commits.
        Raises OrderRefused (LintFailure among them), ClaimTaken, AuthorityNotFound, AuthorityState, CertificateState,
        SerialsExhausted, and the store's and the core's errors, after which the same call may be made again.
        """
        authority, row = self._look_up(wanted)
        ticket = None
        for _ in range(DRAWS):
            if row is not None:
                break
            ticket = self._admit(wanted, authority)
            row = self._intend(wanted, ticket, beside)
        if row is None:
            raise SerialsExhausted(
                f"{DRAWS} serial numbers in a row were taken: the source of entropy repeats itself"
            )
        if row.certificate is not None:
            if beside is not None:
                self._unit.write(lambda session: beside.result(session, row, authority))
            return row, authority
        next_certificate_state(row.serial, row.status, "sign")  # an intent that was revoked stays unsigned
        assert row.tbs is not None
        if ticket is None or ticket.tbs != row.tbs:
            ticket = Ticket(redraw(row.tbs, authority.key_spec), _certificate_of(authority), wanted.profile)
        signed = self._signer.certificate(ticket, authority)
        return self._keep(wanted, signed, authority, beside), authority

    def _look_up(self, wanted: Wanted) -> tuple[AuthorityRow, CertificateRow | None]:
        with self._unit.read() as session:
            authority = _open_authority(session, wanted, self._now())
            row = _claimed(session, wanted)
            if row is None and not wanted.profile.ca:
                _refuse_ca_key(session, wanted.public_key)
            return authority, row

    def _admit(self, wanted: Wanted, authority: AuthorityRow) -> Ticket:
        issuer = _certificate_of(authority)
        now = self._now().replace(microsecond=0)
        try:
            not_before = now - self._backdate if wanted.not_before is None else wanted.not_before
            not_after = now + wanted.valid_for
            if issuer is not None:
                not_before = max(not_before, issuer.not_valid_before_utc)
            if issuer is not None and wanted.ends_with_issuer:
                not_after = min(not_after, issuer.not_valid_after_utc)
            certificate = draw_up(
                Draft(
                    profile=wanted.profile,
                    issuer=issuer,
                    signing_spec=authority.key_spec,
                    subject=wanted.subject,
                    names=wanted.names,
                    public_key=wanted.public_key,
                    serial=draw_serial(self._entropy),
                    not_before=not_before,
                    not_after=not_after,
                )
            )
        except (BadKey, ValueError, OverflowError) as error:
            raise OrderRefused(f"no certificate can say this: {error}") from error
        return Ticket(certificate, issuer, wanted.profile)

    def _intend(self, wanted: Wanted, ticket: Ticket, beside: RowsBeside | None) -> CertificateRow | None:
        """Commit the intent. Returns the row that holds the claim, ours or another's, or None to draw again."""

        def body(session: Session) -> CertificateRow:
            claimed = _claimed(session, wanted)
            if claimed is not None:
                return claimed
            authority = _open_authority(session, wanted, self._now())
            row = CertificateRow(
                account=authority.account,
                region=authority.region,
                authority_id=authority.id,
                serial=f"{ticket.certificate.serial_number:x}",
                claim=wanted.claim,
                order_digest=wanted.digest,
                profile=wanted.profile.name,
                status="INTENT",
                tbs=ticket.tbs,
                certificate=None,
                not_before=ticket.certificate.not_valid_before_utc,
                not_after=ticket.certificate.not_valid_after_utc,
                created_at=self._now(),
            )
            session.add(row)
            if beside is not None:
                beside.intent(session)
            return row

        try:
            return self._unit.write(body)
        except Duplicate as taken:
            if taken.table != CertificateRow.__tablename__:
                raise  # of the rows beside
            return (
                None  # the serial is taken, or (PostgreSQL) the claim was meanwhile: the next turn will see
            )

    def _keep(
        self, wanted: Wanted, certificate: bytes, authority: AuthorityRow, beside: RowsBeside | None
    ) -> CertificateRow:
        """Commit the result, unless another caller with the same claim did: then its certificate is returned."""

        def body(session: Session) -> CertificateRow:
            kept = session.exec(select(CertificateRow).where(CertificateRow.claim == wanted.claim)).one()
            kept.status = next_certificate_state(kept.serial, kept.status, "sign")
            if kept.certificate is None:
                kept.certificate, kept.tbs = certificate, None
            if beside is not None:
                beside.result(session, kept, authority)
            return kept

        return self._unit.write(body)


def draw_serial(entropy: Callable[[int], bytes]) -> int:
    """A serial number that nobody can foretell. That it is unused is for the primary key to say."""
    return int.from_bytes(SERIAL_PREFIX + entropy(SERIAL_RANDOM_BYTES), "big")


def _open_authority(session: Session, wanted: Wanted, now: datetime) -> AuthorityRow:
    """The authority, if it may issue now. A root's own certificate is issued while the root is being created."""
    authority = session.exec(select(AuthorityRow).where(AuthorityRow.id == wanted.authority_id)).one_or_none()
    if authority is None:
        raise AuthorityNotFound(f"no certificate authority {wanted.authority_id} in this account and Region")
    if not wanted.profile.self_signed:
        next_authority_state(authority.id, state_at(authority.status, authority.not_after, now), "issue")
    return authority


def _claimed(session: Session, wanted: Wanted) -> CertificateRow | None:
    row = session.exec(select(CertificateRow).where(CertificateRow.claim == wanted.claim)).one_or_none()
    if row is not None and row.order_digest != wanted.digest:
        raise ClaimTaken(
            f"the claim {wanted.claim!r} belongs to an order for another authority, key or set of names"
        )
    return row


def _refuse_ca_key(session: Session, public_key: bytes) -> None:
    """Raise OrderRefused when the key is that of any authority in this deployment (SECURITY 2.9)."""
    digest = hashlib.sha256(public_key).digest()
    if session.exec(select(PlaceRow.authority_id).where(PlaceRow.key_digest == digest)).first() is not None:
        raise OrderRefused("the public key belongs to a certificate authority")


def _certificate_of(authority: AuthorityRow) -> x509.Certificate | None:
    return None if authority.certificate is None else x509.load_der_x509_certificate(authority.certificate)
