"""ACM's due work: validate, issue, publish, renew, expire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from acm.first_issue import FirstIssue
from acm.issuing import Issuing
from acm.ports import Prover, RecordPublisher
from acm.publishing import Publishing
from acm.renewal import Renewal, expire
from acm.settings import AcmSettings
from acm.waiting import Waiting
from ca import CaService
from foundation.store import Claim, Job, Store, Unit
from kms.hsm import Asker, CoreClient

PRINCIPAL = "acm.amazonaws.com"  # who the core's records name when nobody called


@dataclass(frozen=True, slots=True)
class JobContext:
    """What the jobs work with. `authority_for` makes the CA's service for a unit and an asker;
    `publisher` is None when no zone is configured."""

    store: Store
    authority_for: Callable[[Unit, Asker], CaService]
    core: CoreClient
    prover: Prover
    publisher: RecordPublisher | None
    now: Callable[[], datetime]
    settings: AcmSettings


def jobs(context: JobContext) -> tuple[Job, ...]:
    """The jobs, for the scheduler. Each finishes its claim in the commit that carries its result."""
    return (
        Job("acm.publish", timedelta(seconds=1), lambda claim: _publish(context, claim)),
        Job("acm.validate", timedelta(seconds=1), lambda claim: _validate(context, claim)),
        Job("acm.issue", timedelta(seconds=1), lambda claim: _issue(context, claim)),
        Job("acm.renew", timedelta(minutes=1), lambda claim: _renew(context, claim)),
        Job("acm.expire", timedelta(minutes=1), lambda claim: _expire(context, claim)),
    )


def _publish(context: JobContext, claim: Claim) -> None:
    unit = context.store.unit(claim.scope)
    if context.publisher is None:  # the zone was taken out of the settings since
        unit.write(claim.finish)
        return
    Publishing(unit, context.publisher, context.now).run(claim)


def _validate(context: JobContext, claim: Claim) -> None:
    Waiting(context.store.unit(claim.scope), context.prover, context.now, context.settings).run(claim)


def _issue(context: JobContext, claim: Claim) -> None:
    unit = context.store.unit(claim.scope)
    FirstIssue(unit, _issuing(context, unit, claim), context.now).run(claim)


def _renew(context: JobContext, claim: Claim) -> None:
    unit = context.store.unit(claim.scope)
    issuing = _issuing(context, unit, claim)
    Renewal(unit, context.prover, issuing, context.now, context.settings).run(claim)


def _expire(context: JobContext, claim: Claim) -> None:
    expire(context.store.unit(claim.scope), claim, context.now)


def _issuing(context: JobContext, unit: Unit, claim: Claim) -> Issuing:
    asker = Asker(request_id=f"{claim.kind}/{claim.subject}", principal=PRINCIPAL)
    ca = context.authority_for(unit, asker)
    return Issuing(unit, asker, core=context.core, ca=ca, now=context.now, settings=context.settings)
