"""acm.publish: writing a domain's CNAME into a zone that the operator configured, until it is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from acm.domain_records import record_name, records_of
from acm.ports import RecordPublisher
from acm.states import Status
from acm.tables import Certificate, CertificateDomain
from foundation.store import Claim, Unit, schedule
from validation import ValidationFailed

LATEST = timedelta(minutes=5)


class Publishing:
    """Publishes one domain's record. It is done at a request only: a record that somebody removed later
    stays removed, for that is how the owner of a domain says that renewals are to end."""

    def __init__(self, unit: Unit, publisher: RecordPublisher, now: Callable[[], datetime]) -> None:
        self._unit = unit
        self._publisher = publisher
        self._now = now

    def run(self, claim: Claim) -> None:
        """Publish, write down how it went, and look at the waiting requests at once."""
        with self._unit.read() as session:
            record = records_of(session, [claim.subject]).get(claim.subject)
            waiting = _waiting_for(session, claim.subject)
        if record is None or not waiting:
            self._unit.write(claim.finish)
            return
        error = None
        try:
            self._publisher.publish(record_name(record), record.target)
        except ValidationFailed as failed:
            error = failed.detail
        self._unit.write(lambda session: self._note(session, claim, error))

    def _note(self, session: Session, claim: Claim, error: str | None) -> None:
        now = self._now()
        record = records_of(session, [claim.subject]).get(claim.subject)
        if record is not None:
            record.publish_error = error
            record.published_at = now if error is None else record.published_at
            session.add(record)
        waiting = _waiting_for(session, claim.subject)
        if error is None:
            claim.finish(session)
            for certificate in waiting:
                schedule(session, "acm.validate", certificate.id, now, only_earlier=True)
        else:
            oldest = min((certificate.created_at for certificate in waiting), default=now)
            claim.finish(session, now + min(max((now - oldest) / 4, timedelta(seconds=2)), LATEST))


def _waiting_for(session: Session, domain: str) -> list[Certificate]:
    """Pending requests with a name that this domain's record proves."""
    named = select(CertificateDomain.certificate_id).where(CertificateDomain.record_domain == domain)
    pending = select(Certificate).where(
        Certificate.status == Status.PENDING_VALIDATION, col(Certificate.id).in_(named)
    )
    return list(session.exec(pending))
