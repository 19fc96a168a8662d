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
from functools import cached_property
from typing import NoReturn

from cryptography import x509
from sqlmodel import Session

from ca.certificates import (
    KeptCertificate,
    by_claim,
    is_an_authoritys,
    is_compromised,
    put_intent,
    put_result,
    stands,
)
from ca.draft import Draft, draw_up, redraw
from ca.errors import (
    AuthorityNotFound,
    BadKey,
    ClaimTaken,
    OrderRefused,
    SerialsExhausted,
)
from ca.known import KnownAuthorities, KnownAuthority
from ca.log.pending import log_issued
from ca.pointing import Pointing, as_drafted
from ca.profiles import Profile
from ca.signing import Signer
from ca.states import next_authority_state, next_certificate_state, state_at
from ca.tables import AuthorityRow, CertificateRow
from ca.ticket import Ticket
from foundation.store import Conflict, Duplicate, Unit, rows_of

SERIAL_PREFIX = b"\x4b"  # not zero and below 0x80: the number is positive and its length does not vary
SERIAL_RANDOM_BYTES = 16  # 128 random bits; 17 octets of the 20 that RFC 5280 4.1.2.2 allows
DRAWS = 8
_AUTHORITYS_KEY = "the public key belongs to a certificate authority"
_COMPROMISED_KEY = "the public key is compromised: a certificate of it was revoked for that reason"


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
    fresh: bool = False  # the claim was drawn just now: nothing is looked up under it first

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
    result: Callable[[Session, KeptCertificate, AuthorityRow], None]


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
        known: KnownAuthorities | None = None,
    ) -> None:
        self._unit = unit
        self._signer = signer
        self._now = now
        self._entropy = entropy
        self._backdate = backdate
        self.pointing = pointing
        self._known = known or KnownAuthorities()

    def issue(self, wanted: Wanted, beside: RowsBeside | None = None) -> tuple[KeptCertificate, AuthorityRow]:
        """The one certificate of this claim, and who issued it: new, resumed, or as it was issued before.

        What is `beside` is written in the same two commits.
        Raises OrderRefused (LintFailure among them), ClaimTaken, AuthorityNotFound, AuthorityState, CertificateState,
        SerialsExhausted, and the store's and the core's errors, after which the same call may be made again.
        """
        authority = self._known.find(self._unit, wanted.authority_id)
        self._check_open(wanted, authority.row.status, authority.row.not_after)
        kept = None if wanted.fresh else self._claimed(wanted)
        ticket = None
        for _ in range(DRAWS):
            if kept is not None:
                break
            ticket = self._admit(wanted, authority)
            kept = self._intend(wanted, authority.row, ticket, beside)
        if kept is None:
            raise SerialsExhausted(
                f"{DRAWS} serial numbers in a row were taken: the source of entropy repeats itself"
            )
        if kept.certificate is not None:
            if beside is not None:
                self._unit.write(lambda session: beside.result(session, kept, authority.row))
            return kept, authority.row
        next_certificate_state(kept.serial, kept.status, "sign")  # an intent that was revoked stays unsigned
        assert kept.tbs is not None
        if ticket is None or ticket.tbs != kept.tbs:
            draft = redraw(kept.tbs)
            ticket = _ticket(draft, authority, as_drafted(wanted.profile, draft))
        signed = self._signer.certificate(ticket, authority.row)
        return self._keep(kept, signed, authority.row, beside), authority.row

    def resume(
        self,
        kept: KeptCertificate,
        profile_of: Callable[[str, x509.Certificate], Profile],
        beside: RowsBeside | None = None,
    ) -> KeptCertificate:
        """Finish an intent by its own bytes, judged anew by the profile that `profile_of` finds for the draft.

        Raises as `issue` does.
        """
        authority = self._known.find(self._unit, kept.authority_id)
        next_certificate_state(kept.serial, kept.status, "sign")
        assert kept.tbs is not None
        draft = redraw(kept.tbs)
        profile = profile_of(kept.profile, draft)
        if not profile.self_signed:
            now = state_at(authority.row.status, authority.row.not_after, self._now())
            next_authority_state(authority.row.id, now, profile.action)
        signed = self._signer.certificate(_ticket(draft, authority, profile), authority.row)
        return self._keep(kept, signed, authority.row, beside)

    def _claimed(self, wanted: Wanted) -> KeptCertificate | None:
        """What was issued under the claim before. Raises ClaimTaken when that was something else."""
        with self._unit.rows() as rows:
            kept = by_claim(rows, self._unit.scope, wanted.claim)
        if kept is not None and kept.order_digest != wanted.digest:
            raise ClaimTaken(
                f"the claim {wanted.claim!r} belongs to an order for another authority, key or set of names"
            )
        return kept

    def _check_open(self, wanted: Wanted, status: str, not_after: datetime | None) -> None:
        """A root's own certificate is issued while the root is being created."""
        if not wanted.profile.self_signed:
            now = state_at(status, not_after, self._now())
            next_authority_state(wanted.authority_id, now, wanted.profile.action)

    def _admit(self, wanted: Wanted, authority: KnownAuthority) -> Ticket:
        if not wanted.profile.ca and wanted.public_key == authority.row.public_key:
            raise OrderRefused(_AUTHORITYS_KEY)
        issuer = None if wanted.profile.self_signed else authority.certificate
        now = self._now().replace(microsecond=0)
        serial = draw_serial(self._entropy)
        profile = wanted.profile
        if issuer is not None:
            shard = self.pointing.shard(authority.row, serial)
            profile = self.pointing.profile(profile, authority.row, shard)
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
                    signing_spec=authority.row.key_spec,
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
        return Ticket(certificate, issuer, profile, authority.above)

    def _intend(
        self, wanted: Wanted, authority: AuthorityRow, ticket: Ticket, beside: RowsBeside | None
    ) -> KeptCertificate | None:
        """Commit the intent. Returns the row that holds the claim, ours or another's, or None to draw again."""

        own = ticket.certificate
        intent = KeptCertificate(
            account=authority.account,
            region=authority.region,
            authority_id=authority.id,
            serial=f"{own.serial_number:x}",
            claim=wanted.claim,
            order_digest=wanted.digest,
            profile=wanted.profile.name,
            status="INTENT",
            tbs=ticket.tbs,
            certificate=None,
            not_before=own.not_valid_before_utc,
            not_after=own.not_valid_after_utc,
            created_at=self._now(),
            shard=self.pointing.shard(authority, own.serial_number),
        )
        key_digest = hashlib.sha256(wanted.public_key).digest()

        def body(session: Session) -> None:
            if not put_intent(session, intent, authority.status, key_digest, authority=wanted.profile.ca):
                self._refuse(session, wanted, authority, key_digest)
            log_issued(session, authority.public_key, intent.serial, ticket.tbs)
            if beside is not None:
                beside.intent(session)

        try:
            self._unit.write(body)
        except Duplicate as taken:
            if taken.table != CertificateRow.__tablename__:
                raise  # of the rows beside
            return self._claimed(wanted)  # or None: it was the serial that is taken
        return intent

    def _refuse(
        self, session: Session, wanted: Wanted, authority: AuthorityRow, key_digest: bytes
    ) -> NoReturn:
        """Say which of the looks did not hold: the authority moved on since it was read, or the key may not be certified."""
        now = stands(session, authority.id)
        if now is None:
            raise AuthorityNotFound(f"certificate authority {authority.id} is gone")
        self._check_open(wanted, *now)
        if not wanted.profile.ca and is_an_authoritys(session, key_digest):
            raise OrderRefused(_AUTHORITYS_KEY)
        if is_compromised(session, key_digest):
            raise OrderRefused(_COMPROMISED_KEY)
        raise Conflict(f"certificate authority {authority.id} changed meanwhile")

    def _keep(
        self, intent: KeptCertificate, certificate: bytes, authority: AuthorityRow, beside: RowsBeside | None
    ) -> KeptCertificate:
        """Commit the result, unless another caller with the same claim did: then its certificate is returned."""
        issued = intent.issued(certificate)

        def body(session: Session) -> KeptCertificate:
            kept = issued
            if not put_result(session, issued):
                other = by_claim(rows_of(session), intent.scope, intent.claim)
                assert other is not None  # rows of certificates are never removed
                next_certificate_state(other.serial, other.status, "sign")
                kept = other
            if beside is not None:
                beside.result(session, kept, authority)
            return kept

        return self._unit.write(body)


def draw_serial(entropy: Callable[[int], bytes]) -> int:
    """A serial number that nobody can foretell. That it is unused is for the primary key to say."""
    return int.from_bytes(SERIAL_PREFIX + entropy(SERIAL_RANDOM_BYTES), "big")


def _ticket(draft: x509.Certificate, authority: KnownAuthority, profile: Profile) -> Ticket:
    issuer = None if profile.self_signed else authority.certificate
    return Ticket(draft, issuer, profile, authority.above)
