"""Delegated OCSP signers (RFC 6960 4.2.2.2): made when an authority is first asked about, succeeded at half of their life.

A signer's key is P-256 whatever its authority's is: every OCSP client verifies that, and none yet verifies ML-DSA. The
core lets it sign nothing but OCSP responses. Nobody can revoke a signer (id-pkix-ocsp-nocheck), so it lives briefly.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from sqlmodel import Session, col, select

from ca.authorities import found
from ca.issue import Issuance, Wanted
from ca.ocsp.tables import SignerRow
from ca.profiles import PROFILES
from ca.revocation_settings import read_settings
from ca.states import AUTHORITY_STATES, state_at
from ca.tables import AuthorityRow
from foundation.store import Claim, Unit, schedule
from kms.hsm import Asker, CoreClient, KeyLabel

OCSP_JOB: Final = "ca.ocsp"
SPEC: Final = "EC_prime256v1"
VALID_FOR: Final = timedelta(days=14)
_ORGANISATION: Final = frozenset(
    {
        NameOID.COUNTRY_NAME,
        NameOID.STATE_OR_PROVINCE_NAME,
        NameOID.LOCALITY_NAME,
        NameOID.ORGANIZATION_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.DOMAIN_COMPONENT,
    }
)


class Signers:
    """The signers of the unit's authorities."""

    def __init__(
        self, unit: Unit, core: CoreClient, asker: Asker, issuance: Issuance, now: Callable[[], datetime]
    ) -> None:
        self._unit = unit
        self._core = core
        self._asker = asker
        self._issuance = issuance
        self._now = now

    def current(self, authority_id: str) -> SignerRow:
        """The newest signer with a certificate that runs, made if there is none. Callers at once make one.

        Raises what `Issuance.issue` does.
        """
        newest = self._newest(authority_id)
        if newest is None or (newest.not_after is not None and newest.not_after <= self._now()):
            newest = self._begin(authority_id, 1 if newest is None else newest.number + 1)
        return self._certified(newest)

    def renew(self, claim: Claim) -> None:
        """The job "ca.ocsp": the next signer of the authority that the claim names, and when another is due.

        The work of an authority that answers no longer ends; a question begins it anew.
        """
        with self._unit.read() as session:
            authority = found(session, claim.subject)
        if not answers(authority, self._now()):
            self._unit.write(claim.finish)
            return
        newest = self._newest(claim.subject)
        if newest is None or (newest.not_after is not None and _due(newest, authority) <= self._now()):
            newest = self._begin(claim.subject, 1 if newest is None else newest.number + 1)
        newest = self._certified(newest)
        self._unit.write(lambda session: self._succeeded(session, newest, authority, claim))

    def _newest(self, authority_id: str) -> SignerRow | None:
        with self._unit.read() as session:
            mine = select(SignerRow).where(SignerRow.authority_id == authority_id)
            return session.exec(mine.order_by(col(SignerRow.number).desc()).limit(1)).one_or_none()

    def _begin(self, authority_id: str, number: int) -> SignerRow:
        """Make the key and commit the signer without a certificate; if another did meanwhile, return that one."""
        scope = self._unit.scope
        row = SignerRow(
            account=scope.account,
            region=scope.region,
            authority_id=authority_id,
            number=number,
            key_token=b"",
            public_key=b"",
            certificate=None,
            not_before=None,
            not_after=None,
            created_at=self._now(),
        )
        key = self._core.generate_key(signer_label(row), self._asker)
        values = row.model_dump() | {"key_token": key.token, "public_key": key.public_key}
        place = (scope.account, scope.region, authority_id, number)

        def body(session: Session) -> SignerRow:
            first: SignerRow | None = session.get(SignerRow, place)
            if first is None:
                found(session, authority_id)
                first = SignerRow(**values)
                session.add(first)
            return first

        return self._unit.write(body)

    def _certified(self, signer: SignerRow) -> SignerRow:
        if signer.certificate is not None:
            return signer
        with self._unit.read() as session:
            authority = found(session, signer.authority_id)
        issued, issuer = self._issuance.issue(
            Wanted(
                authority_id=signer.authority_id,
                profile=PROFILES["ocsp-signer"],
                subject=_subject(authority, signer.number),
                names=(),
                public_key=signer.public_key,
                valid_for=VALID_FOR,
                not_before=None,
                ends_with_issuer=True,
                claim=f"ocsp/{signer.authority_id}/{signer.number}",
            )
        )
        key = (signer.account, signer.region, signer.authority_id, signer.number)

        def body(session: Session) -> SignerRow:
            row: SignerRow = session.get_one(SignerRow, key)
            row.certificate = issued.certificate
            row.not_before, row.not_after = issued.not_before, issued.not_after
            session.add(row)
            schedule(session, OCSP_JOB, signer.authority_id, _due(row, issuer), only_earlier=True)
            return row

        return self._unit.write(body)

    def _succeeded(self, session: Session, newest: SignerRow, authority: AuthorityRow, claim: Claim) -> None:
        """Forget signers whose last answers have run out, and say when the next is due."""
        old = select(SignerRow).where(
            SignerRow.authority_id == newest.authority_id, col(SignerRow.not_after) <= self._now()
        )
        for row in session.exec(old):
            session.delete(row)
        claim.finish(session, _due(newest, authority))


def answers(authority: AuthorityRow, now: datetime) -> bool:
    """Whether the responder speaks for the authority: OCSP is on, and its state allows it."""
    state = state_at(authority.status, authority.not_after, now)
    return read_settings(authority.revocation).ocsp and "ocsp" in AUTHORITY_STATES[state]


def _due(signer: SignerRow, authority: AuthorityRow) -> datetime:
    """When a successor is due: at half of the signer's life, or at its end where that is its authority's too."""
    assert signer.not_before is not None  # it has a certificate
    assert signer.not_after is not None
    if authority.not_after is not None and signer.not_after >= authority.not_after:
        return signer.not_after + timedelta(seconds=1)
    return signer.not_before + (signer.not_after - signer.not_before) / 2


def signer_label(signer: SignerRow) -> KeyLabel:
    """The name that the core binds the signer's key to."""
    return KeyLabel("ocsp", signer.account, signer.region, signer.authority_id, signer.number, SPEC)


def _subject(authority: AuthorityRow, number: int) -> x509.Name:
    """Within the authority's organisation, so that directory name constraints that hold it hold its signers."""
    organisation = [rdn for rdn in x509.Name.from_bytes(authority.subject) if rdn.oid in _ORGANISATION]
    return x509.Name([*organisation, x509.NameAttribute(NameOID.COMMON_NAME, f"OCSP responder {number}")])
