"""The job "ca.end": an authority whose time to be restored is over goes, with its key token, for good.

The window counts time that keystead saw pass, as a KMS key's does (SECURITY 2.3): while an authority waits it is looked
at daily, and a look that comes much later than a day after the one before means that the clock leapt or that keystead
was down; a shorter leap is told from the machine's uptime (`foundation.store.Leaps`). What is missing is added to the window, and alarmed: a leaping clock ends nothing.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from ca.shards import close_shards
from ca.tables import AuthorityRow, ConfigurationRow, PermissionRow, ShareRow
from foundation.store import Claim, Leaps, Unit, schedule

END_JOB: Final = "ca.end"
EVERY: Final = timedelta(days=1)
LATE: Final = timedelta(hours=1)
"""By how much a look may be late before time counts as missing."""

log = logging.getLogger("keystead.ca")


def begin_waiting(
    session: Session, configuration: ConfigurationRow, now: datetime, window: timedelta
) -> None:
    """Let the authority's window begin now."""
    configuration.restorable_until, configuration.waited_until = now + window, now
    schedule(session, END_JOB, configuration.authority_id, min(now + window, now + EVERY))


def end(unit: Unit, claim: Claim, now: Callable[[], datetime], leaps: Leaps) -> None:
    """Look at the authority that the claim names: remove it if its window is over, unless it was restored meanwhile.

    What it issued stays on record, and its place: no certificate is ever made for the key of an authority that was.
    """

    def body(session: Session) -> timedelta:
        row = session.exec(select(AuthorityRow).where(AuthorityRow.id == claim.subject)).one_or_none()
        of = ConfigurationRow.authority_id == claim.subject
        configuration = session.exec(select(ConfigurationRow).where(of)).one_or_none()
        if row is None or configuration is None or row.status != "DELETED":
            claim.finish(session)
            return timedelta(0)
        moment = now()
        until, missing = _window(configuration, moment, leaps)
        if until > moment:
            configuration.restorable_until, configuration.waited_until = until, moment
            session.add(configuration)
            claim.finish(session, min(until, moment + EVERY))
            return missing
        permissions = session.exec(select(PermissionRow).where(PermissionRow.authority_id == claim.subject))
        shares = session.exec(select(ShareRow).where(col(ShareRow.authority_id) == claim.subject))
        for gone in (*permissions, *shares, configuration, row):
            session.delete(gone)
        close_shards(session, claim.subject)
        claim.finish(session)
        return timedelta(0)

    missing = unit.write(body)
    if missing:
        log.critical(
            "ALARM account %s: the deletion of private CA %s is postponed by %s that nobody saw pass",
            claim.scope.account,
            claim.subject,
            missing,
        )


def _window(configuration: ConfigurationRow, now: datetime, leaps: Leaps) -> tuple[datetime, timedelta]:
    """Until when it can be restored, and the time that nobody saw pass, which that counts in."""
    seen = configuration.waited_until or now
    gap = now - seen
    late = gap - EVERY if gap > EVERY + LATE else timedelta(0)
    missing = max(late, leaps.between(seen, now))
    return (configuration.restorable_until or now) + missing, missing
