"""What KMS's jobs work with, given by server/assembly.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from foundation.store import Claim, Leaps, Store
from kms.hsm import Asker, CoreClient
from kms.keys.cache import KeyRows
from kms.keys.journal import Journal

PRINCIPAL = "kms.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Work:
    """The rooms below a job. `core` is a scheduler's: it may seal a token for another Region.

    `leaps` answers the time that nobody saw pass.
    """

    store: Store
    core: CoreClient
    rows: KeyRows
    journal: Journal
    now: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    leaps: Callable[[], Leaps]


def asker(claim: Claim) -> Asker:
    """Who the core's records name when nobody called."""
    return Asker(request_id=f"{claim.kind}/{claim.subject}", principal=PRINCIPAL)
