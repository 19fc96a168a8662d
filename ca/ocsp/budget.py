"""How often strangers may have something signed: a token bucket, of one process and volatile."""

import threading
from collections.abc import Callable
from typing import Final

PER_SECOND: Final = 50.0
AT_ONCE: Final = 500.0


class Budget:
    """Each signature that no cache can answer takes one; 50 a second come back, and 500 may be saved up.

    Every use of a key is a record in the trail, so without a bound anybody could fill the disk (SECURITY 2.8).
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._left = AT_ONCE  # these two are guarded by _lock
        self._at = monotonic()

    def take(self) -> bool:
        """Whether there was one left."""
        with self._lock:
            now = self._monotonic()
            self._left = min(AT_ONCE, self._left + (now - self._at) * PER_SECOND)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
