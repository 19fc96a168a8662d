"""The CA's due work: CRLs, at half of their life and right after each revocation; OCSP signers; deleted authorities' ends."""

from collections.abc import Callable
from datetime import timedelta

from ca.custody import RELOCK_JOB
from ca.ending import END_JOB
from ca.finishing import FINISH_JOB
from ca.ocsp import OCSP_JOB
from ca.pca.audit_reports import AUDIT_JOB
from ca.service import CaService
from ca.shards import CRL_JOB
from foundation.store import Claim, Job, Leaps, Scope


def jobs(service: Callable[[Scope], CaService], leaps: Callable[[], Leaps]) -> tuple[Job, ...]:
    """The room's jobs. `service` makes a CaService for the scope whose work is due; `leaps`: time that nobody saw pass."""

    def publish(claim: Claim) -> None:
        service(claim.scope).republish(claim)

    def end(claim: Claim) -> None:
        service(claim.scope).end(claim, leaps())

    def renew_ocsp(claim: Claim) -> None:
        service(claim.scope).renew_ocsp(claim)

    def audit(claim: Claim) -> None:
        service(claim.scope).write_audit_report(claim)

    def finish(claim: Claim) -> None:
        service(claim.scope).finish(claim)

    def relock(claim: Claim) -> None:
        service(claim.scope).relock(claim)

    # Revoked to published within 60 s (SECURITY 2.10): a look every 10 s leaves time for retries.
    return (
        Job(CRL_JOB, every=timedelta(seconds=10), run=publish),
        Job(FINISH_JOB, every=timedelta(seconds=10), run=finish),
        Job(OCSP_JOB, every=timedelta(minutes=1), run=renew_ocsp),
        Job(AUDIT_JOB, every=timedelta(seconds=5), run=audit),
        Job(RELOCK_JOB, every=timedelta(seconds=5), run=relock),
        Job(END_JOB, every=timedelta(minutes=1), run=end),
    )
