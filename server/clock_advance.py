"""Moving the test clock: to each next due moment in turn, running what is due to its end, until the target is reached.

The target is a due row of its own, so that a crash on the way ends nothing: the next scheduler goes on.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import Session

from foundation.store import SYSTEM, Claim, ClockRefused, Job, LostClaim, StoreError, schedule
from server.admin.protocol import CommandFailed, Progress
from server.scheduler import AT_ONCE, LEASE, run_claim

if TYPE_CHECKING:
    from server.assembly import Assembly

KIND = "clock.advance"

# Seconds between looks at work that another process (or the ticker) holds.
LOOK_AGAIN = 0.05


def advance(assembly: "Assembly", by: timedelta, progress: Progress) -> datetime:
    """Moves the service's clock forward by `by` and returns its new time.

    Raises `CommandFailed` on a deployment without a test clock.
    """
    deployment = assembly.store.deployment()
    if deployment is None or not deployment.test_clock:
        raise CommandFailed(
            "this deployment runs on the real clock. Only one that was made with `keystead serve --test-clock` on an "
            "empty directory can move its time"
        )
    now = assembly.clock.now()
    try:
        target = now + by
    except OverflowError as error:
        raise CommandFailed("the clock ends with the year 9999") from error

    def remember(session: Session) -> None:
        schedule(session, KIND, target.isoformat(), now)

    assembly.store.unit(SYSTEM).write(remember)
    resume(assembly, progress)
    return assembly.clock.now()


def resume(assembly: "Assembly", progress: Progress) -> None:
    """Goes on to every target that is remembered; does nothing where there is none."""
    for claim in assembly.store.claim_due(KIND, assembly.clock.now(), timedelta(0), limit=100):
        step_to(assembly, datetime.fromisoformat(claim.subject), progress)
        _forget(assembly, claim)


def step_to(assembly: "Assembly", target: datetime, progress: Progress) -> None:
    """The loop itself. Two of them at once are harmless: the clock moves forward only, and claims are exclusive."""
    kinds = [job.kind for job in assembly.jobs]
    while True:
        _run_what_is_due(assembly, progress)
        soonest = assembly.store.next_due(kinds)
        if soonest is None or soonest >= target:
            break
        _move_to(assembly, soonest)
    _move_to(assembly, target)
    _run_what_is_due(assembly, progress)


def _run_what_is_due(assembly: "Assembly", progress: Progress) -> None:
    """Until nothing is due any more: neither free nor in the hands of another process."""
    kinds = [job.kind for job in assembly.jobs]
    with ThreadPoolExecutor(AT_ONCE, "advance") as pool:
        while True:
            now = assembly.clock.now()
            soonest = assembly.store.next_due(kinds)
            if soonest is None or soonest > now:
                return
            work = [(job, claim) for job in assembly.jobs for claim in _claims(assembly, job, now)]
            outcomes = pool.map(lambda pair: run_claim(assembly, *pair), work)
            for (_, claim), outcome in zip(work, outcomes, strict=True):
                progress(f"{claim.due_at:%Y-%m-%d %H:%M:%S}  {claim.kind:<14} {claim.subject}  {outcome}")
            if not work:
                time.sleep(LOOK_AGAIN)


def _claims(assembly: "Assembly", job: Job, now: datetime) -> list[Claim]:
    return assembly.store.claim_due(job.kind, now, LEASE, AT_ONCE)


def _move_to(assembly: "Assembly", moment: datetime) -> None:
    ahead = (moment - assembly.clock.wall()) // timedelta(microseconds=1)
    deployment = assembly.store.deployment()
    if deployment is not None and ahead > deployment.clock_offset_us:
        try:
            assembly.store.set_clock_offset(ahead)
        except ClockRefused:
            current = assembly.store.deployment()
            if current is None or current.clock_offset_us < ahead:
                raise  # else another process has moved it further meanwhile
    while assembly.clock.now() < moment:  # the clock follows its row within the generation's quarter second
        time.sleep(LOOK_AGAIN / 10)


def _forget(assembly: "Assembly", claim: Claim) -> None:
    try:
        assembly.store.unit(claim.scope).write(claim.finish)
    except LostClaim:
        return  # another process reached the same target
    except StoreError as error:
        raise CommandFailed(f"the clock is there, but its target could not be forgotten: {error}") from error
