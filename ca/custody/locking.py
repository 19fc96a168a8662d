"""Offline authorities: a key that is locked, unlocked by an operator for a stated time, and locked again by itself.

What the core does is in `kms.hsm.locks`. To everybody else a locked authority is DISABLED, and cannot be enabled. Its CRLs
are signed before the door closes and live long, since the next ones need an operator too.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, select

from ca.authorities import found
from ca.custody.work import Work
from ca.errors import AuthorityState, OrderRefused
from ca.lineage_tables import LockRow, SuccessionRow
from ca.revocation_settings import read_settings
from ca.shards import CRL_JOB, open_shards, subject_of
from ca.signing import key_label
from ca.states import state_at
from ca.tables import AuthorityRow, ShardRow
from foundation.store import Claim, Unit, cancel, schedule

RELOCK_JOB: Final = "ca.relock"
CRL_DAYS: Final = range(1, 5001)  # as far as ACM PCA's ExpirationInDays goes
WINDOWS: Final = (timedelta(minutes=1), timedelta(hours=24))


@dataclass(frozen=True, slots=True)
class Errand(Claim):
    """A CRL that an operator's command publishes at once: nobody claimed it, and what follows is due as usual."""

    def finish(self, session: Session, next_due: datetime | None = None) -> None:
        if next_due is not None:
            schedule(session, self.kind, self.subject, next_due)


class Locking:
    """Locks and unlocks the authorities of one account and Region."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def lock(self, authority_id: str, crl_days: int) -> LockRow:
        """Sign its last CRLs, good for `crl_days`, and lock it. One that is unlocked for a while is locked again early.

        Raises OrderRefused, AuthorityNotFound, AuthorityState (locked already, or without a certificate).
        """
        if crl_days not in CRL_DAYS:
            raise OrderRefused(f"a CRL lives for {CRL_DAYS[0]} to {CRL_DAYS[-1]} days, not {crl_days}")
        row, lock = self._found(authority_id)
        if lock is not None and not _open(lock, self._work.wall()):
            raise AuthorityState(authority_id, "locked", "lock")
        self._check_lockable(row)
        self._publish_last(row, crl_days)
        token = lock.locked_token if lock is not None else self._locked(row)
        return self._work.unit.write(lambda session: self._close(session, authority_id, token, crl_days))

    def unlock(self, authority_id: str, window: timedelta) -> datetime:
        """Unlock it for that long, and publish its CRLs anew; when it will be locked again (wall clock).

        Raises OrderRefused, AuthorityNotFound, AuthorityState (not locked, or expired).
        """
        work = self._work
        if not WINDOWS[0] <= window <= WINDOWS[1]:
            raise OrderRefused("an authority is unlocked for one minute to 24 hours")
        row, lock = self._found(authority_id)
        if lock is None:
            raise AuthorityState(authority_id, row.status, "unlock (it was never locked)")
        until = work.wall().replace(microsecond=0) + window
        token = work.core.unlock(lock.locked_token, key_label(row), work.asker, until)

        def body(session: Session) -> None:
            row, lock = _both(session, authority_id)
            assert lock is not None
            row.key_token, lock.unlocked_until = token, until
            succeeded = session.exec(
                select(SuccessionRow).where(SuccessionRow.authority_id == authority_id)
            ).first()
            row.status = "DISABLED" if succeeded is not None else "ACTIVE"
            session.add_all((row, lock))
            open_shards(session, row, work.pointing, work.now())
            schedule(session, RELOCK_JOB, authority_id, work.now() + window)

        work.unit.write(body)
        return until

    def _found(self, authority_id: str) -> tuple[AuthorityRow, LockRow | None]:
        with self._work.unit.read() as session:
            return _both(session, authority_id)

    def _check_lockable(self, row: AuthorityRow) -> None:
        state = state_at(row.status, row.not_after, self._work.now())
        if state not in {"ACTIVE", "DISABLED"} or row.certificate is None:
            raise AuthorityState(row.id, state, "lock")

    def _locked(self, row: AuthorityRow) -> bytes:
        return self._work.core.lock(row.key_token, key_label(row), self._work.asker)

    def _publish_last(self, row: AuthorityRow, crl_days: int) -> None:
        work = self._work
        if not read_settings(row.revocation).crl:
            return

        def lengthen(session: Session) -> list[int]:
            current = found(session, row.id)
            kept = json.loads(current.revocation)
            kept["CrlConfiguration"]["ExpirationInDays"] = crl_days
            current.revocation = json.dumps(kept)
            session.add(current)
            open_shards(session, current, work.pointing, work.now())
            return list(session.exec(select(ShardRow.shard).where(ShardRow.authority_id == row.id)).all())

        for shard in work.unit.write(lengthen):
            work.publish(Errand(work.unit.scope, CRL_JOB, subject_of(row.id, shard), 0, work.now(), 0))

    def _close(self, session: Session, authority_id: str, token: bytes, crl_days: int) -> LockRow:
        row, lock = _both(session, authority_id)
        self._check_lockable(row)
        lock = lock or LockRow(
            account=row.account,
            region=row.region,
            authority_id=row.id,
            locked_token=token,
            crl_days=crl_days,
            locked_at=self._work.now(),
        )
        lock.crl_days, lock.locked_at = crl_days, self._work.now()
        close(session, row, lock)
        cancel(session, RELOCK_JOB, authority_id)
        return lock


def relock(unit: Unit, claim: Claim) -> None:
    """The job "ca.relock": the window of the authority that the claim names is over.

    The core refuses its key already; this makes its state say so, and overwrites the token of the window.
    """

    def body(session: Session) -> None:
        row = session.exec(select(AuthorityRow).where(AuthorityRow.id == claim.subject)).one_or_none()
        lock = session.exec(select(LockRow).where(LockRow.authority_id == claim.subject)).one_or_none()
        if row is not None and lock is not None:
            close(session, row, lock)
        claim.finish(session)

    unit.write(body)


def close(session: Session, row: AuthorityRow, lock: LockRow) -> None:
    """The rows of an authority that is locked from this commit on; nothing of its is due that it could not sign."""
    row.key_token, lock.unlocked_until = lock.locked_token, None
    if row.status == "ACTIVE":
        row.status = "DISABLED"
    session.add_all((row, lock))
    for shard in session.exec(select(ShardRow.shard).where(ShardRow.authority_id == row.id)).all():
        cancel(session, CRL_JOB, subject_of(row.id, shard))


def _both(session: Session, authority_id: str) -> tuple[AuthorityRow, LockRow | None]:
    lock = session.exec(select(LockRow).where(LockRow.authority_id == authority_id)).one_or_none()
    return found(session, authority_id), lock


def _open(lock: LockRow, wall: datetime) -> bool:
    return lock.unlocked_until is not None and wall < lock.unlocked_until
