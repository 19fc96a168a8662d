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
from functools import cached_property, lru_cache
from typing import Any, Final, cast

from cryptography import x509
from sqlalchemy import CursorResult, Select, bindparam, update
from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from ca import der
from ca.draft import Draft, draw_up, redraw
from ca.errors import (
    AuthorityNotFound,
    BadKey,
    ClaimTaken,
    OrderRefused,
    SerialsExhausted,
)
from ca.pointing import Pointing, as_drafted
from ca.profiles import Profile
from ca.signing import Signer
from ca.states import next_authority_state, next_certificate_state, state_at
from ca.tables import AuthorityRow, CertificateRow, PlaceRow
from ca.ticket import Ticket
from foundation.store import Duplicate, Unit

SERIAL_PREFIX = b"\x4b"  # not zero and below 0x80: the number is positive and its length does not vary
SERIAL_RANDOM_BYTES = 16  # 128 random bits; 17 octets of the 20 that RFC 5280 4.1.2.2 allows
DRAWS = 8

# Built once: putting a statement together costs more than running it.
_LOOK_UP: Final[Select[*tuple[Any, ...]]] = (
    sql_select(AuthorityRow, CertificateRow, col(PlaceRow.authority_id))
    .select_from(AuthorityRow)
    .outerjoin(CertificateRow, col(CertificateRow.claim) == bindparam("claim"))
    .outerjoin(PlaceRow, col(PlaceRow.key_digest) == bindparam("key_digest"))
    .where(col(AuthorityRow.id) == bindparam("authority"))
    .limit(1)
)
_STANDS: Final[Select[*tuple[Any, ...]]] = (
    sql_select(col(AuthorityRow.status), col(AuthorityRow.not_after), col(CertificateRow.serial))
    .select_from(AuthorityRow)
    .outerjoin(CertificateRow, col(CertificateRow.claim) == bindparam("claim"))
    .where(col(AuthorityRow.id) == bindparam("authority"))
)
_KEEP: Final = (
    update(CertificateRow)
    .where(
        col(CertificateRow.authority_id) == bindparam("authority"),
        col(CertificateRow.serial) == bindparam("number"),
        col(CertificateRow.status) == "INTENT",
    )
    .values(status="ISSUED", certificate=bindparam("signed"), tbs=None)
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True)
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
    not_after: datetime | None = None  # in place of `valid_for`
    ends_with_issuer: bool = False  # cut the validity at the issuer's end, where it is otherwise refused
    algorithm: str | None = None  # of `ca.algorithms`, in place of the usual one of the issuer's key

    @cached_property
    def digest(self) -> bytes:
        """What a claim stands for. The validity is left out: a resume may come after the setting changed."""
        parts = (
            self.authority_id.encode(),
            self.profile.name.encode(),
            self.subject.public_bytes(),
            self.public_key,
            *(name.encode() for name in self.names),
            *(() if self.algorithm is None else (self.algorithm.encode(),)),
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
        pointing: Pointing,
    ) -> None:
        self._unit = unit
        self._signer = signer
        self._now = now
        self._entropy = entropy
        self._backdate = backdate
        self.pointing = pointing

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
            row = self._intend(wanted, authority, ticket, beside)
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
            issuer = None if wanted.profile.self_signed else _certificate_of(authority)
            draft = redraw(row.tbs)
            ticket = Ticket(draft, issuer, as_drafted(wanted.profile, draft), _above(authority))
        signed = self._signer.certificate(ticket, authority)
        return self._keep(row, signed, authority, beside), authority

    def resume(
        self, row: CertificateRow, profile_of: Callable[[str, x509.Certificate], Profile], beside: RowsBeside
    ) -> CertificateRow:
        """Finish an intent by its own bytes, judged anew by the profile that `profile_of` finds for the draft.

        Raises as `issue` does.
        """
        with self._unit.read() as session:
            of = AuthorityRow.id == row.authority_id
            authority = session.exec(select(AuthorityRow).where(of)).one_or_none()
        if authority is None:
            raise AuthorityNotFound(f"certificate authority {row.authority_id} is gone")
        next_certificate_state(row.serial, row.status, "sign")
        assert row.tbs is not None
        draft = redraw(row.tbs)
        profile = profile_of(row.profile, draft)
        if not profile.self_signed:
            now = state_at(authority.status, authority.not_after, self._now())
            next_authority_state(authority.id, now, profile.action)
        issuer = None if profile.self_signed else _certificate_of(authority)
        signed = self._signer.certificate(Ticket(draft, issuer, profile, _above(authority)), authority)
        return self._keep(row, signed, authority, beside)

    def _look_up(self, wanted: Wanted) -> tuple[AuthorityRow, CertificateRow | None]:
        given = {
            "authority": wanted.authority_id,
            "claim": wanted.claim,
            "key_digest": hashlib.sha256(wanted.public_key).digest(),
        }
        with self._unit.read() as session:
            found = session.execute(_LOOK_UP, given).first()
        if found is None:
            raise AuthorityNotFound(
                f"no certificate authority {wanted.authority_id} in this account and Region"
            )
        authority, row, key_owner = found
        self._check_open(wanted, authority.status, authority.not_after)
        if row is not None:
            _check_digest(row, wanted)
        elif key_owner is not None and not wanted.profile.ca:  # of any in this deployment (SECURITY 2.9)
            raise OrderRefused("the public key belongs to a certificate authority")
        return authority, row

    def _check_open(self, wanted: Wanted, status: str, not_after: datetime | None) -> None:
        """A root's own certificate is issued while the root is being created."""
        if not wanted.profile.self_signed:
            now = state_at(status, not_after, self._now())
            next_authority_state(wanted.authority_id, now, wanted.profile.action)

    def _admit(self, wanted: Wanted, authority: AuthorityRow) -> Ticket:
        issuer = None if wanted.profile.self_signed else _certificate_of(authority)
        now = self._now().replace(microsecond=0)
        serial = draw_serial(self._entropy)
        profile = wanted.profile
        if issuer is not None:
            profile = self.pointing.profile(profile, authority, self.pointing.shard(authority, serial))
        try:
            not_before = now - self._backdate if wanted.not_before is None else wanted.not_before
            not_after = wanted.not_after or now + wanted.valid_for
            if issuer is not None:
                not_before = max(not_before, issuer.not_valid_before_utc)
            if issuer is not None and wanted.ends_with_issuer:
                not_after = min(not_after, issuer.not_valid_after_utc)
            certificate = draw_up(
                Draft(
                    profile=profile,
                    issuer=issuer,
                    signing_spec=authority.key_spec,
                    algorithm=wanted.algorithm,
                    subject=wanted.subject,
                    names=wanted.names,
                    public_key=wanted.public_key,
                    serial=serial,
                    not_before=not_before,
                    not_after=not_after,
                )
            )
        except (BadKey, ValueError, OverflowError) as error:
            raise OrderRefused(f"no certificate can say this: {error}") from error
        return Ticket(certificate, issuer, profile, _above(authority))

    def _intend(
        self, wanted: Wanted, authority: AuthorityRow, ticket: Ticket, beside: RowsBeside | None
    ) -> CertificateRow | None:
        """Commit the intent. Returns the row that holds the claim, ours or another's, or None to draw again."""

        def body(session: Session) -> CertificateRow:
            stands = session.execute(
                _STANDS, {"authority": authority.id, "claim": wanted.claim}
            ).one_or_none()
            if stands is None:
                raise AuthorityNotFound(f"certificate authority {authority.id} is gone")
            if stands.serial is not None:
                return _claimed(session, wanted)
            self._check_open(wanted, stands.status, stands.not_after)
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
                shard=self.pointing.shard(authority, ticket.certificate.serial_number),
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
        self, intent: CertificateRow, certificate: bytes, authority: AuthorityRow, beside: RowsBeside | None
    ) -> CertificateRow:
        """Commit the result, unless another caller with the same claim did: then its certificate is returned."""
        issued = CertificateRow(
            **{**intent.model_dump(), "status": "ISSUED", "certificate": certificate, "tbs": None}
        )
        given = {"authority": intent.authority_id, "number": intent.serial, "signed": certificate}

        def body(session: Session) -> CertificateRow:
            kept = issued
            if cast("CursorResult[Any]", session.execute(_KEEP, given)).rowcount != 1:
                kept = session.exec(select(CertificateRow).where(CertificateRow.claim == intent.claim)).one()
                next_certificate_state(kept.serial, kept.status, "sign")
            if beside is not None:
                beside.result(session, kept, authority)
            return kept

        return self._unit.write(body)


def draw_serial(entropy: Callable[[int], bytes]) -> int:
    """A serial number that nobody can foretell. That it is unused is for the primary key to say."""
    return int.from_bytes(SERIAL_PREFIX + entropy(SERIAL_RANDOM_BYTES), "big")


def _claimed(session: Session, wanted: Wanted) -> CertificateRow:
    row = session.exec(select(CertificateRow).where(CertificateRow.claim == wanted.claim)).one()
    _check_digest(row, wanted)
    return row


def _check_digest(row: CertificateRow, wanted: Wanted) -> None:
    if row.order_digest != wanted.digest:
        raise ClaimTaken(
            f"the claim {wanted.claim!r} belongs to an order for another authority, key or set of names"
        )


def _certificate_of(authority: AuthorityRow) -> x509.Certificate | None:
    return None if authority.certificate is None else parsed(authority.certificate)


def _above(authority: AuthorityRow) -> tuple[x509.Certificate, ...]:
    return tuple(parsed(each) for each in der.split(authority.chain or b""))


@lru_cache(maxsize=256)
def parsed(certificate: bytes) -> x509.Certificate:
    """An authority's certificate (DER): pyca keeps what it has parsed of it with the object."""
    return x509.load_der_x509_certificate(certificate)
