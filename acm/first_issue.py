"""acm.issue: the first certificate of an ARN, once its names are proven or a private CA was asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from acm.catalogue import domains_of, find
from acm.errors import ResourceNotFound
from acm.issuing import Issuing, Refused
from acm.states import Happening, Status, after
from acm.tables import Certificate
from foundation.store import Claim, Unit, cancel, schedule

FRESH = timedelta(minutes=10)  # proofs older than this (a crash, a stopped host) are made again first


class FirstIssue:
    """Issues what is pending; repeating it after a crash gives the same certificate."""

    def __init__(self, unit: Unit, issuing: Issuing, now: Callable[[], datetime]) -> None:
        self._unit = unit
        self._issuing = issuing
        self._now = now

    def run(self, claim: Claim) -> None:
        """The job: issue and finish the claim in the same commit."""
        started = self._now()
        with self._unit.read() as session:
            certificate = find(session, claim.subject)
            pending = certificate is not None and certificate.status == Status.PENDING_VALIDATION
            stands = certificate is not None and pending and _proofs_stand(session, certificate, started)
        if certificate is None or not pending:
            self._unit.write(claim.finish)
        elif not stands:
            self._unit.write(lambda session: _hand_back(session, claim, started))
        else:
            self._issue(certificate, claim.finish)

    def complete(self, certificate_id: str) -> None:
        """Issue within the call that asked. The due row that would have rescued it goes with the result."""
        with self._unit.read() as session:
            certificate = find(session, certificate_id)
        if certificate is not None and certificate.status == Status.PENDING_VALIDATION:
            self._issue(certificate, lambda session: cancel(session, "acm.issue", certificate_id))

    def _issue(self, certificate: Certificate, finish: Callable[[Session], None]) -> None:
        try:
            issued = self._issuing.issue(certificate)
        except ResourceNotFound:
            return  # deleted meanwhile, and its due work with it
        except Refused as no:
            reason, detail = no.reason, no.detail
            self._unit.write(lambda session: _refuse(session, certificate.id, finish, reason, detail))
            return

        def body(session: Session) -> None:
            finish(session)
            row = find(session, certificate.id)
            if row is not None and row.status == Status.PENDING_VALIDATION:
                self._issuing.settle(session, row, issued)

        self._unit.write(body)


def _proofs_stand(session: Session, certificate: Certificate, now: datetime) -> bool:
    """Whether acm.validate has just seen every name proven; private certificates need no proof."""
    if certificate.validation_method is None:
        return True
    if certificate.sweep_at is None:
        return False
    moments = [domain.proved_at for domain in domains_of(session, [certificate.id])]
    known = [moment for moment in moments if moment is not None]
    whole = len(known) == len(moments) and min(known) >= certificate.sweep_at
    return whole and now - max(known) <= FRESH


def _hand_back(session: Session, claim: Claim, now: datetime) -> None:
    claim.finish(session)
    row = find(session, claim.subject)
    if row is not None:
        row.sweep_at = None
        session.add(row)
        schedule(session, "acm.validate", row.id, now)


def _refuse(
    session: Session, certificate_id: str, finish: Callable[[Session], None], reason: str, detail: str
) -> None:
    finish(session)
    row = find(session, certificate_id)
    if row is not None and row.status == Status.PENDING_VALIDATION:
        row.status = after(row.status, Happening.REFUSE)
        row.failure_reason, row.failure_detail = reason, detail
        session.add(row)
