"""A worker's counted refusals reach the trail once a minute and at its end, also where no further call comes."""

import threading
import time

from foundation.trail.refusals import Refusals
from kms.hsm import CoreError
from server.logs import Log

LOOK_SECONDS = 15.0


def tell_for_ever(refusals: Refusals, log: Log, *, look: float = LOOK_SECONDS) -> None:
    """Start the thread that records what is due."""

    def watch() -> None:
        while True:
            time.sleep(look)
            tell(refusals, log, at_once=False)

    threading.Thread(target=watch, name="refusals", daemon=True).start()


def tell(refusals: Refusals, log: Log, *, at_once: bool) -> None:
    """Record what was counted; what the core could not take now stays counted."""
    try:
        if at_once:
            refusals.flush()
        else:
            refusals.flush_due()
    except CoreError as error:
        log.warning("refused calls are counted, not yet recorded", error=str(error))
