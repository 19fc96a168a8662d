"""The job "ca.end": an authority whose time to be restored is over goes, with its key token, for good."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlmodel import Session, select

from ca.shards import close_shards
from ca.tables import AuthorityRow, ConfigurationRow, PermissionRow
from foundation.store import Claim, Unit

END_JOB: Final = "ca.end"


def end(unit: Unit, claim: Claim, now: Callable[[], datetime]) -> None:
    """Remove the authority that the claim names, unless it was restored meanwhile.

    What it issued stays on record, and its place: no certificate is ever made for the key of an authority that was.
    """

    def body(session: Session) -> None:
        row = session.exec(select(AuthorityRow).where(AuthorityRow.id == claim.subject)).one_or_none()
        of = ConfigurationRow.authority_id == claim.subject
        configuration = session.exec(select(ConfigurationRow).where(of)).one_or_none()
        if row is None or configuration is None or row.status != "DELETED":
            claim.finish(session)
            return
        until = configuration.restorable_until
        if until is not None and until > now():
            claim.finish(session, until)
            return
        theirs = select(PermissionRow).where(PermissionRow.authority_id == claim.subject)
        for gone in (*session.exec(theirs), configuration, row):
            session.delete(gone)
        close_shards(session, claim.subject)
        claim.finish(session)

    unit.write(body)
