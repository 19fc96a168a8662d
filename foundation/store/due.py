"""Work that is due: rows that one process at a time claims, with a number that fences off whoever comes late."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlmodel import Session, col

from foundation.store.counters import raise_counter
from foundation.store.errors import LostClaim
from foundation.store.prepared import Add
from foundation.store.sessions import rows_of, scope_of
from foundation.store.tables import Due
from foundation.store.tenancy import Scope

_FENCES: Final = "due.fence"
_LONGEST_ERROR: Final = 500
_UNCLAIMED: Final = {"claimed_until": None, "fence": 0, "attempts": 0, "last_error": ""}
_PUT_ONCE: Final = Add(Due, ("kind", "subject", "due_at", *_UNCLAIMED), unless_there=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do one due piece of work, until the lease ends and another claims it."""

    scope: Scope
    kind: str
    subject: str
    fence: int
    due_at: datetime
    attempts: int  # earlier tries since it last succeeded

    def finish(self, session: Session, next_due: datetime | None = None) -> None:
        """Inside the write that carries the work's result: done, or due again at `next_due`.

        A time that `schedule` set while the work ran stands. Raises LostClaim when the claim is no longer this
        holder's, so that a holder who was paused beyond its lease writes nothing.
        """
        if scope_of(session) != self.scope:
            raise LostClaim(f"{self.kind} is another tenant's work")
        row = _held(_find(session, self.kind, self.subject), self)
        if row.due_at != self.due_at:
            next_due = row.due_at if next_due is None else min(row.due_at, next_due)
        if next_due is None:
            session.delete(row)
        else:
            row.due_at, row.claimed_until, row.attempts, row.last_error = next_due, None, 0, ""
            session.add(row)
        session.flush()


@dataclass(frozen=True, slots=True)
class Job:
    """A kind of due work, how often to look for it, and what does one piece of it."""

    kind: str
    every: timedelta
    run: Callable[[Claim], None]


def schedule(
    session: Session, kind: str, subject: str, due_at: datetime, *, only_earlier: bool = False
) -> None:
    """Make the work due at that moment, replacing the time it had (with `only_earlier`: unless that is sooner)."""
    row = _find(session, kind, subject)
    if row is None:
        scope = scope_of(session)
        row = Due(account=scope.account, region=scope.region, kind=kind, subject=subject, due_at=due_at)
    elif not (only_earlier and row.due_at <= due_at):
        row.due_at = due_at
    session.add(row)
    session.flush()


def schedule_once(session: Session, kind: str, subject: str, due_at: datetime) -> None:
    """Make the work due at that moment unless it is due already, at whatever time: what a hot path can afford."""
    values = {"kind": kind, "subject": subject, "due_at": due_at, **_UNCLAIMED}
    rows_of(session).run(_PUT_ONCE, values)


def cancel(session: Session, kind: str, subject: str) -> None:
    """Forget the work; who holds a claim on it has lost it."""
    row = _find(session, kind, subject)
    if row is not None:
        session.delete(row)
        session.flush()


def claim_due(
    connection: Connection, kind: str, now: datetime, *, wall: datetime, lease: timedelta, limit: int
) -> list[Claim]:
    """Claim up to `limit` pieces that are due and unclaimed, soonest first, over all tenants."""
    free = or_(col(Due.claimed_until).is_(None), col(Due.claimed_until) <= wall)
    ripe = (
        select(Due.__table__)  # type: ignore[attr-defined]  # SQLModel gives every table class a __table__
        .where(col(Due.kind) == kind, col(Due.due_at) <= now, free)
        .order_by(col(Due.due_at), col(Due.account), col(Due.region), col(Due.subject))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(ripe).all()
    if not rows:
        return []
    fence = _take_fences(connection, len(rows))
    claims = []
    for number, row in enumerate(rows, start=fence):
        swap = (
            update(Due)
            .where(_is(row.account, row.region, row.kind, row.subject), col(Due.fence) == row.fence)
            .values(fence=number, claimed_until=wall + lease, attempts=row.attempts + 1)
        )
        if connection.execute(swap).rowcount == 1:
            scope = Scope(row.account, row.region)
            claims.append(Claim(scope, row.kind, row.subject, number, row.due_at, row.attempts))
    return claims


def fail_claim(connection: Connection, claim: Claim, error: str, retry_at: datetime) -> None:
    """Give the claim back after a failure, due again at `retry_at`. Raises LostClaim."""
    release = (
        update(Due)
        .where(
            _is(claim.scope.account, claim.scope.region, claim.kind, claim.subject),
            col(Due.fence) == claim.fence,
        )
        .where(col(Due.claimed_until).is_not(None))
        .values(claimed_until=None, due_at=retry_at, last_error=error.replace("\x00", "")[:_LONGEST_ERROR])
    )
    if connection.execute(release).rowcount != 1:
        raise LostClaim(f"{claim.kind} {claim.subject} is no longer this holder's")


def next_due(connection: Connection, kinds: tuple[str, ...] | None) -> datetime | None:
    """The soonest moment at which any work (of these kinds) is or was due, claimed or not."""
    soonest = select(func.min(Due.due_at))
    if kinds is not None:
        soonest = soonest.where(col(Due.kind).in_(kinds))
    return connection.execute(soonest).scalar_one()


def _take_fences(connection: Connection, count: int) -> int:
    """The first of `count` numbers that no claim has had before."""
    return raise_counter(connection, _FENCES, count) - count + 1


def _is(account: str, region: str, kind: str, subject: str) -> ColumnElement[bool]:
    return (
        (col(Due.account) == account)
        & (col(Due.region) == region)
        & (col(Due.kind) == kind)
        & (col(Due.subject) == subject)
    )


def _find(session: Session, kind: str, subject: str) -> Due | None:
    scope = scope_of(session)
    return session.get(Due, (scope.account, scope.region, kind, subject))


def _held(row: Due | None, claim: Claim) -> Due:
    if row is None or row.fence != claim.fence or row.claimed_until is None:
        raise LostClaim(f"{claim.kind} {claim.subject} is no longer this holder's")
    return row
