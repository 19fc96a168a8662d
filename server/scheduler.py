"""The scheduler process: looks for due work, runs it, keeps the door's certificate fresh, and answers the operator."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from apscheduler.schedulers.background import BackgroundScheduler

from foundation.store import Claim, Job, LostClaim
from server.admin.protocol import CommandFailed, Progress
from server.logs import Log

if TYPE_CHECKING:
    from server.assembly import Assembly

# How long a claim holds. It must outlast the longest piece of work, or another process does the same work again (and
# the slower one's write is refused); after a crash it is how long the work waits.
LEASE = timedelta(seconds=60)
# Pieces of one kind that run at once. Each kind has threads of its own: slow DNS must not hold up renewals.
AT_ONCE = 4
# Seconds between tries of a failing piece of work: doubling, from the first to the last.
FIRST_RETRY, LAST_RETRY = 30, 6 * 3600


def run_claim(assembly: "Assembly", job: Job, claim: Claim) -> str:
    """Runs one piece of due work to its end; → "done", or what went wrong (it is then due again later)."""
    journal = assembly.log
    try:
        job.run(claim)
    except LostClaim:
        return "taken over by another process"
    except (
        Exception
    ) as error:  # whatever a job raises, the ticker must go on, and the row must not stay claimed
        journal.exception(
            "job failed", error, kind=claim.kind, subject=claim.subject, attempts=claim.attempts
        )
        wait = min(FIRST_RETRY * 2 ** min(claim.attempts, 20), LAST_RETRY)
        try:
            assembly.store.fail_claim(
                claim, f"{type(error).__name__}: {error}", assembly.clock.now() + timedelta(seconds=wait)
            )
        except Exception as second:  # the lease will run out instead
            journal.exception("could not give back a claim", second, kind=claim.kind, subject=claim.subject)
        return f"failed: {error}"
    return "done"


def answer_safely(
    answer: Callable[[str, dict[str, Any], Progress], dict[str, Any]], journal: Log
) -> Callable[[str, dict[str, Any], Progress], dict[str, Any]]:
    """`answer`, with any fault of ours turned into a `CommandFailed` that says where to look."""

    def safe(command: str, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
        try:
            return answer(command, arguments, progress)
        except CommandFailed:
            raise
        except Exception as error:  # a command's fault must reach the operator, not end the scheduler
            journal.exception("command failed", error, command=command)
            raise CommandFailed(
                f"{command} failed: {type(error).__name__}: {error} (the server's log has more)"
            ) from error

    return safe


class Ticker:
    """APScheduler calls `look` for each kind of job and the housekeeping at their intervals; threads do the work."""

    def __init__(self, assembly: "Assembly") -> None:
        self._assembly = assembly
        self._journal = assembly.log
        self._pools = {job.kind: ThreadPoolExecutor(AT_ONCE, job.kind) for job in assembly.jobs}
        self._running = dict.fromkeys(self._pools, 0)  # guarded by _lock
        self._lock = threading.Lock()
        # Intervals are measured by APScheduler's own wall clock: what is due is decided by the service's.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for job in assembly.jobs:
            self.every(job.every, partial(self.look, job))

    def every(self, interval: timedelta, what: Callable[[], object]) -> None:
        """Calls `what` at the interval, from the start on; what it raises is logged."""

        def safely() -> None:
            try:
                what()
            except (
                Exception
            ) as error:  # the database or the core may be away for a moment: the next tick tries again
                self._journal.exception("tick failed", error)

        self._scheduler.add_job(safely, "interval", seconds=interval.total_seconds())

    def start(self) -> None:
        self._scheduler.start()

    def look(self, job: Job) -> None:
        """Claims as many due pieces of this kind as there are free threads, and starts them."""
        now = self._assembly.clock.now()
        soonest = self._assembly.store.next_due(
            [job.kind]
        )  # a read: most looks find nothing, and take no lock
        if soonest is None or soonest > now:
            return
        with self._lock:
            free = AT_ONCE - self._running[job.kind]
        if free <= 0:
            return
        for claim in self._assembly.store.claim_due(job.kind, now, LEASE, free):
            with self._lock:
                self._running[job.kind] += 1
            self._pools[job.kind].submit(run_claim, self._assembly, job, claim).add_done_callback(
                partial(self._ended, job.kind)
            )

    def stop(self) -> None:
        """No new work; waits for what runs (the supervisor bounds the wait)."""
        self._scheduler.shutdown(wait=False)
        for pool in self._pools.values():
            pool.shutdown(wait=True, cancel_futures=False)

    def _ended(self, kind: str, future: "Future[str]") -> None:
        with self._lock:
            self._running[kind] -= 1
        if not future.cancelled() and future.exception() is None and future.result() != "done":
            self._journal.warning("job did not finish", kind=kind, outcome=future.result())
