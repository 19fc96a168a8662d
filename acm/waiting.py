"""acm.validate: a request waits until every one of its names is proven, or its time is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from acm.catalogue import domains_of, find
from acm.domain_records import records_of
from acm.ports import Prover
from acm.proving import Finding, Round
from acm.settings import AcmSettings
from acm.states import DomainStatus, Happening, Status, after
from acm.tables import Certificate, CertificateDomain, DomainRecord
from foundation.store import Claim, Unit, schedule

SOONEST = timedelta(seconds=2)
LATEST = timedelta(minutes=5)


@dataclass(slots=True)
class _Case:
    """What a round works on: rows read, and what the lookups found."""

    certificate: Certificate
    domains: Sequence[CertificateDomain]
    records: dict[str, DomainRecord]
    started: datetime
    found: dict[int, Finding] = field(default_factory=dict)
    sweep_at: datetime | None = None

    def standing(self, domain: CertificateDomain) -> str:
        finding = self.found.get(domain.position)
        return domain.status if finding is None else finding.status

    def proved_at(self, domain: CertificateDomain) -> datetime | None:
        finding = self.found.get(domain.position)
        if finding is None:
            return domain.proved_at
        return finding.at if finding.status == DomainStatus.SUCCESS else None

    def stale(self, since: datetime) -> list[CertificateDomain]:
        """Names whose proof is older than `since`, or missing."""
        moments = ((domain, self.proved_at(domain)) for domain in self.domains)
        return [domain for domain, moment in moments if moment is None or moment < since]


class Waiting:
    """Runs one round for one request."""

    def __init__(
        self, unit: Unit, prover: Prover, now: Callable[[], datetime], settings: AcmSettings
    ) -> None:
        self._unit = unit
        self._prover = prover
        self._now = now
        self._settings = settings

    def run(self, claim: Claim) -> None:
        """Look up what is unproven; once nothing is, look again at what was proven earlier; then hand over.

        Statuses, the next round's due time and the end of this claim are one commit.
        """
        case = self._read(claim.subject)
        if case is not None and case.started < self._deadline(case.certificate):
            self._look_up(case)

        def body(session: Session) -> None:
            certificate = find(session, claim.subject)
            if case is None or certificate is None or certificate.status != Status.PENDING_VALIDATION:
                claim.finish(session)
                return
            claim.finish(session, self._settle(session, certificate, case))

        self._unit.write(body)

    def _read(self, certificate_id: str) -> _Case | None:
        with self._unit.read() as session:
            certificate = find(session, certificate_id)
            if certificate is None or certificate.status != Status.PENDING_VALIDATION:
                return None
            domains = domains_of(session, [certificate_id])
            records = records_of(session, (domain.record_domain for domain in domains))
            return _Case(certificate, domains, records, self._now())

    def _look_up(self, case: _Case) -> None:
        lookups = Round(self._prover, self._now)
        unproven = [domain for domain in case.domains if domain.status != DomainStatus.SUCCESS]
        case.found.update(lookups.examine(unproven, case.records))
        if any(case.standing(domain) != DomainStatus.SUCCESS for domain in case.domains):
            return
        # Every name has been proven at some time: what counts at issuance is that all of it still stands.
        case.sweep_at = case.certificate.sweep_at or case.started
        case.found.update(lookups.examine(case.stale(case.sweep_at), case.records))
        if any(case.standing(domain) != DomainStatus.SUCCESS for domain in case.domains):
            case.sweep_at = None

    def _settle(self, session: Session, certificate: Certificate, case: _Case) -> datetime | None:
        """Write down what was found; return when the next round is due."""
        for domain in domains_of(session, [certificate.id]):
            if (finding := case.found.get(domain.position)) is not None:
                _note(domain, finding)
                session.add(domain)
        certificate.sweep_at = case.sweep_at
        session.add(certificate)
        forbidden = next((f for f in case.found.values() if f.status == DomainStatus.FAILED), None)
        if forbidden is not None:
            certificate.status = after(certificate.status, Happening.REFUSE)
            certificate.failure_reason = "CAA_ERROR"
            certificate.failure_detail = forbidden.detail
            return None
        deadline = self._deadline(certificate)
        if case.started >= deadline:
            certificate.status = after(certificate.status, Happening.TIME_OUT)
            return None
        if case.sweep_at is not None:
            if case.stale(case.sweep_at):
                return case.started  # the time of one round was too short
            schedule(session, "acm.issue", certificate.id, case.started)
            return None
        if any(domain.checked_at is None and domain.position not in case.found for domain in case.domains):
            return case.started  # some names have never been looked up: go on with them at once
        return min(next_check(certificate.created_at, self._now()), deadline)

    def _deadline(self, certificate: Certificate) -> datetime:
        return certificate.created_at + self._settings.validation_timeout


def next_check(created_at: datetime, now: datetime) -> datetime:
    """A quarter of the request's age from now, at least 2 s, at most 5 min."""
    return now + min(max((now - created_at) / 4, SOONEST), LATEST)


def _note(domain: CertificateDomain, finding: Finding) -> None:
    domain.status = finding.status
    domain.detail = finding.detail
    domain.checked_at = finding.at
    domain.proved_at = finding.at if finding.status == DomainStatus.SUCCESS else None
