"""The scheduler's hand on the transparency log: it goes on every second, and a fork is an alarm, once."""

from typing import TYPE_CHECKING

from kms.hsm import KeyRefused

if TYPE_CHECKING:
    from server.assembly import Assembly


class LogKeeper:
    """Calls `MerkleLog.advance`; what else goes wrong there is the ticker's to log."""

    def __init__(self, assembly: "Assembly") -> None:
        self._assembly = assembly
        self._alarmed = False

    def __call__(self) -> None:
        try:
            self._assembly.merkle_log.advance()
        except KeyRefused as refused:
            if not self._alarmed:  # it will not go away by itself: once is enough
                self._assembly.log.critical("ALARM", what=f"the log gets no checkpoint: {refused}")
            self._alarmed = True
        else:
            self._alarmed = False
