"""acm.renew and acm.expire: a certificate is renewed while its names still stand, and ends when they do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session

from acm.catalogue import domains_of, find
from acm.domain_records import records_of
from acm.errors import ResourceNotFound
from acm.issuing import Issuing, Refused, note_renewal
from acm.ports import Prover
from acm.proving import Finding, Round
from acm.settings import AcmSettings
from acm.states import DomainStatus, Happening, RenewalStatus, Status, after
from acm.tables import Certificate, CertificateDomain
from foundation.store import Claim, Unit, cancel

RETRY = timedelta(days=1)
_UNFINISHED = {RenewalStatus.PENDING_AUTO_RENEWAL, RenewalStatus.PENDING_VALIDATION}


class Renewal:
    """Renews one certificate, or notes why not and comes again tomorrow."""

    def __init__(
        self,
        unit: Unit,
        prover: Prover,
        issuing: Issuing,
        now: Callable[[], datetime],
        settings: AcmSettings,
    ) -> None:
        self._unit = unit
        self._prover = prover
        self._issuing = issuing
        self._now = now
        self._settings = settings

    def run(self, claim: Claim) -> None:
        """Check every name anew, then issue under the same ARN; without proof, wait until expiry."""
        started = self._now()
        with self._unit.read() as session:
            certificate = find(session, claim.subject)
            domains = domains_of(session, [claim.subject])
        if certificate is None or not _renewable(certificate, started):
            self._unit.write(claim.finish)
            return
        if self._settings.renewal_eligible != "always":
            self._unit.write(lambda session: claim.finish(session, started + RETRY))
            return
        if certificate.validation_method is not None and not self._proven(
            claim, certificate, domains, started
        ):
            return
        self._issue(claim)

    def _proven(
        self,
        claim: Claim,
        certificate: Certificate,
        domains: Sequence[CertificateDomain],
        started: datetime,
    ) -> bool:
        """Whether every name was proven since this attempt began; if not, the claim is finished."""
        sweep_at = certificate.sweep_at or started
        stale = [domain for domain in domains if domain.proved_at is None or domain.proved_at < sweep_at]
        with self._unit.read() as session:
            records = records_of(session, (domain.record_domain for domain in stale))
        found = Round(self._prover, self._now).examine(stale, records)

        def body(session: Session) -> bool:
            row = find(session, claim.subject)
            if row is None or not _renewable(row, started):
                claim.finish(session)
                return False
            note_findings(session, row.id, found)
            failed = [found[place] for place in sorted(found) if found[place].status != DomainStatus.SUCCESS]
            left_over = len(found) < len(stale)
            row.sweep_at = None if failed else sweep_at
            session.add(row)
            if failed:
                _note_unproven(row, failed, self._now())
                claim.finish(session, started + RETRY)
            else:
                note_renewal(row, RenewalStatus.PENDING_AUTO_RENEWAL, self._now())
                if left_over:
                    claim.finish(session, started)
            return not failed and not left_over

        return self._unit.write(body)

    def _issue(self, claim: Claim) -> None:
        with self._unit.read() as session:
            certificate = find(session, claim.subject)
        if certificate is None:
            self._unit.write(claim.finish)
            return
        try:
            issued = self._issuing.issue(certificate)
        except ResourceNotFound:
            return  # deleted, and this claim with it
        except Refused as no:
            reason, detail = no.reason, no.detail
            self._unit.write(lambda session: self._note_refused(session, claim, reason, detail))
            return

        def body(session: Session) -> None:
            claim.finish(session)
            row = find(session, claim.subject)
            if row is not None and row.status == Status.ISSUED:
                self._issuing.settle(session, row, issued)

        self._unit.write(body)

    def _note_refused(self, session: Session, claim: Claim, reason: str, detail: str) -> None:
        now = self._now()
        row = find(session, claim.subject)
        claim.finish(session, now + RETRY if row is not None else None)
        if row is not None:
            row.sweep_at = None
            pending = RenewalStatus.PENDING_AUTO_RENEWAL
            note_renewal(row, pending, now, reason=reason, detail=detail)
            session.add(row)


def expire(unit: Unit, claim: Claim, now: Callable[[], datetime]) -> None:
    """acm.expire: the end of a certificate's life, and of the renewal that did not come about."""

    def body(session: Session) -> None:
        row = find(session, claim.subject)
        moment = now()
        if row is None or row.status != Status.ISSUED or row.not_after is None:
            claim.finish(session)
            return
        if row.not_after > moment:
            claim.finish(session, row.not_after)
            return
        row.status = after(row.status, Happening.EXPIRE)
        row.renew_at = None
        if row.renewal_status in _UNFINISHED:
            reason = row.renewal_reason or "DOMAIN_VALIDATION_DENIED"
            note_renewal(row, RenewalStatus.FAILED, moment, reason=reason, detail=row.renewal_detail)
            _fail_unproven(session, row.id)
        session.add(row)
        cancel(session, "acm.renew", row.id)
        claim.finish(session)

    unit.write(body)


def note_findings(session: Session, certificate_id: str, found: Mapping[int, Finding]) -> None:
    """Write what a renewal's lookups said; how the names were proven at first stays as it was."""
    for domain in domains_of(session, [certificate_id]):
        if (finding := found.get(domain.position)) is not None:
            domain.renewal_status = finding.status
            domain.renewal_detail = finding.detail
            domain.checked_at = finding.at
            if finding.status == DomainStatus.SUCCESS:
                domain.proved_at = finding.at
        elif domain.renewal_status is None:
            domain.renewal_status = DomainStatus.PENDING_VALIDATION
        session.add(domain)


def _note_unproven(row: Certificate, failed: Sequence[Finding], now: datetime) -> None:
    forbidden = next((finding for finding in failed if finding.status == DomainStatus.FAILED), None)
    worst = forbidden or failed[0]
    reason = "CAA_ERROR" if forbidden else None
    note_renewal(row, RenewalStatus.PENDING_VALIDATION, now, reason=reason, detail=worst.detail)


def _fail_unproven(session: Session, certificate_id: str) -> None:
    for domain in domains_of(session, [certificate_id]):
        if domain.renewal_status == DomainStatus.PENDING_VALIDATION:
            domain.renewal_status = DomainStatus.FAILED
            session.add(domain)


def _renewable(certificate: Certificate, now: datetime) -> bool:
    alive = certificate.not_after is not None and now < certificate.not_after
    return certificate.status == Status.ISSUED and alive
