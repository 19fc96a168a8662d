"""One supervised place: the process in it, the signs of life it gives, and when the next one takes over."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from server.forking import Spawned

# Seconds before the n-th start in a row after a death; the last one repeats for ever. A place that stood for
# `STEADY` seconds begins at the first again.
RESTART_AFTER = (0.0, 0.1, 0.5, 2.0)
STEADY = 3.0

# Seconds of silence that are borne from a process, by its state in proc_pid_stat(5). A stopped one (T, t) cannot come
# back by itself. One that waits for the disk (D) cannot be helped by a kill, and a kill would lose what it has in hand.
PATIENCE = {"T": 1.2, "t": 1.2, "D": 10.0}
PATIENCE_OTHERWISE = 2.0
# Until its first beat a process is still importing and opening things: only a stopped one is given up.
GRACE = 20.0
# Seconds between a predecessor's last connection and its end: for handshakes and requests that are still on the wire.
LINGER = 1.0
# Seconds that a process may take to finish the calls in flight once it was asked to end.
DRAIN = 10.0


class Process:
    """A running child: watched through its pidfd, so that a recycled pid can never be killed by mistake."""

    def __init__(self, spawned: Spawned, now: float) -> None:
        self.pid = spawned.pid
        self.pidfd = os.pidfd_open(spawned.pid)
        self.heartbeat = spawned.heartbeat
        self._buried = spawned.buried
        self.started = now
        self.heard = now
        self.alive = False
        self.leave_at: float | None = None
        self.leave_by: float | None = None
        self.killed = False

    def listen(self, now: float) -> bool:
        """Takes the beats that have come; the first one means that it is at work. False: its end of the pipe is closed."""
        beats = os.read(self.heartbeat, 4096)
        if beats:
            self.alive, self.heard = True, now
        return bool(beats)

    def overdue(self, now: float) -> bool:
        """Whether it has been silent, or has been leaving, for longer than is borne (and is not killed already)."""
        if self.killed:
            return False
        if self.leave_by is not None:
            return now >= self.leave_by
        silence = now - self.heard
        if silence < min(PATIENCE.values()):
            return False
        state = _state(self.pid)
        return silence >= (PATIENCE.get(state, PATIENCE_OTHERWISE if self.alive else GRACE))

    def forgive(self, seconds: float) -> None:
        """The machine stood still for the supervisor too: that time was nobody's silence."""
        self.heard += seconds

    def relieve(self, now: float) -> None:
        """SIGHUP: a successor takes the connections from here on. `leave_at` is when to ask it to leave."""
        self.leave_at = now + LINGER
        self.send(signal.SIGHUP)

    def ask_to_leave(self, now: float, within: float = DRAIN) -> None:
        """SIGTERM; it may take `within` seconds to finish the calls it has in hand."""
        self.leave_at, self.leave_by = None, now + within
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        self.killed = True
        self.send(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def bury(self) -> int:
        """Reaps it after its end; returns its exit status, negative for a signal."""
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.pidfd)
        os.close(self.heartbeat)
        self._buried(status)
        return status


@dataclass(slots=True, eq=False)
class Place:
    """What must always be filled: by `process`, or soon (`start_at`) by a new one that `spawn` makes.

    `leaving` are predecessors that still finish calls in flight; `successor` is a newcomer that is not at work yet.
    A place that is filled `once` is done when its process ends with status 0.
    """

    name: str
    spawn: Callable[[], Spawned]
    once: bool = False
    process: Process | None = None
    successor: Process | None = None
    leaving: list[Process] = field(default_factory=list)
    start_at: float | None = None
    replace_at: float | None = None
    deaths: int = 0
    done: bool = False

    def start(self, now: float) -> Process:
        self.start_at = None
        self.process = Process(self.spawn(), now)
        return self.process

    def replace(self, now: float) -> Process:
        """Starts a successor beside the process at work, which leaves once the successor's heart beats."""
        self.replace_at = None
        if self.successor is not None:  # it read what has changed again since
            self._see_off(self.successor, now)
        self.successor = Process(self.spawn(), now)
        return self.successor

    def hand_over(self, now: float) -> None:
        """The successor is at work: it takes the place, and the old process finishes what it has, and leaves."""
        if self.process is not None:
            self._see_off(self.process, now)
        self.process, self.successor, self.start_at = self.successor, None, None

    def lost(self, process: Process, status: int, now: float) -> None:
        """`process` has ended with `status`. Plans the next start where it was the one at work, or to be so."""
        if process in self.leaving:
            self.leaving.remove(process)
        elif process is self.successor:
            self.successor, self.replace_at = None, now + self._delay(process, now)
        else:
            self.process = None
            self.done = self.once and status == 0
            self.start_at = None if self.done else now + self._delay(process, now)

    def filled(self) -> bool:
        return self.done or (self.process is not None and self.process.alive and not self.once)

    def processes(self) -> list[Process]:
        return [p for p in (self.process, self.successor, *self.leaving) if p is not None]

    def _see_off(self, process: Process, now: float) -> None:
        process.relieve(now)
        self.leaving.append(process)

    def _delay(self, process: Process, now: float) -> float:
        if now - process.started >= STEADY:
            self.deaths = 0
        self.deaths += 1
        return RESTART_AFTER[min(self.deaths, len(RESTART_AFTER)) - 1]


def _state(pid: int) -> str:
    """The state letter of proc_pid_stat(5); "?" for a process that has just gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("latin-1")
    except OSError:
        return "?"
    return text[text.rindex(")") + 2]
