"""The job `kms.scrub`: what was deleted leaves the database's log as well, also after a crash in between (SECURITY 2.3)."""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from foundation.store import Claim, schedule
from kms.keys.work import Work

SCRUB: Final = "kms.scrub"


def scrub_after(session: Session, key_id: str, now: datetime) -> None:
    """In the commit that deletes a token: the log that still has it is emptied next."""
    schedule(session, SCRUB, key_id, now)


class Scrubbing:
    """Empties the log. Raises StoreUnavailable while a reader needs it: the scheduler tries again."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, claim: Claim) -> None:
        self._work.store.truncate_log()
        self._work.store.unit(claim.scope).write(claim.finish)
