"""A child's sign of life: one byte on a pipe every quarter second, and the end of the child when nobody listens."""

import os
import threading
import time

from server.hardening import ORPHANED

EVERY = 0.25  # seconds


def beat_for_ever(pipe: int) -> None:
    """Starts the thread that writes to `pipe` (the non-blocking write end; the supervisor holds the only read end).

    A full pipe means that the supervisor is stopped, and is borne; a broken one means that it is gone, and ends the
    process on the spot: no orphan may go on serving, whatever it has in hand.
    """
    threading.Thread(target=_beat, args=(pipe,), name="heartbeat", daemon=True).start()


def _beat(pipe: int) -> None:
    while True:
        try:
            os.write(pipe, b".")
        except BlockingIOError:
            pass
        except BrokenPipeError:
            os._exit(ORPHANED)
        time.sleep(EVERY)
