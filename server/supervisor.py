"""The loop that keeps every place filled: it hears heartbeats, ends the silent, restarts the dead, and stops in order."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from server.children import DRAIN, Place, Process
from server.logs import Log

# The loop looks at everybody at least this often, in seconds.
LOOK_EVERY = 0.2
# How long the last wave (the core) may take to end; it has nobody to answer any more.
LAST_WORD = 3.0

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Supervisor:
    """Fills `waves` of places, one wave once the one before it is filled, and calls `ready` when all are.

    SIGTERM and SIGINT end the waves in reverse order, each process finishing the calls it has in hand (a second signal
    does not wait); SIGHUP replaces the process in each place of `on_hangup` without a gap.
    """

    def __init__(
        self,
        waves: Sequence[Sequence[Place]],
        on_hangup: Sequence[Place],
        ready: Callable[[], None],
        log: Log,
    ) -> None:
        self._waves = waves
        self._on_hangup = on_hangup
        self._ready = ready
        self._log = log
        self._selector = selectors.DefaultSelector()
        self._started = 0  # waves
        self._announced = False
        self._stops = 0  # SIGTERM and SIGINT heard

    def run(self) -> None:
        """Returns when everything has ended, after a signal. To be called in the main thread of the only process."""
        hearing, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        before = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        old_wakeup = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        self._selector.register(hearing, selectors.EVENT_READ, lambda: self._signals(hearing))
        try:
            while not self._stops:
                self._fill()
                self._turn()
            for wave in reversed(self._waves[: self._started]):
                self._end(wave, LAST_WORD if wave is self._waves[0] else DRAIN)
        finally:
            for place in self._places():
                for process in place.processes():
                    process.kill()
            signal.set_wakeup_fd(old_wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(hearing)
            os.close(waking)

    def _places(self) -> list[Place]:
        return [place for wave in self._waves[: self._started] for place in wave]

    def _fill(self) -> None:
        now = time.monotonic()
        if all(place.filled() for place in self._places()):
            if self._started < len(self._waves):
                self._started += 1
                for place in self._waves[self._started - 1]:
                    place.start_at = now
            elif not self._announced:
                self._announced = True
                self._ready()
        for place in self._places():
            if place.start_at is not None and now >= place.start_at:
                self._watch(place, place.start(now))
            if place.replace_at is not None and now >= place.replace_at:
                self._watch(place, place.replace(now))

    def _watch(self, place: Place, process: Process) -> None:
        self._log.info("started", place=place.name, pid=process.pid)
        self._selector.register(process.heartbeat, selectors.EVENT_READ, lambda: self._heard(place, process))
        self._selector.register(process.pidfd, selectors.EVENT_READ, lambda: self._ended(place, process))

    def _turn(self) -> None:
        """Waits for the next event or deadline, and deals with what has come."""
        before = time.monotonic()
        due = [t for p in self._places() for t in (p.start_at, p.replace_at) if t is not None]
        wait = max(0.0, min([LOOK_EVERY, *(moment - before for moment in due)]))
        for key, _ in self._selector.select(wait):
            key.data()
        now = time.monotonic()
        for place in self._places():
            for process in place.processes():
                process.forgive(max(0.0, now - before - wait - LOOK_EVERY))
                if process.leave_at is not None and now >= process.leave_at:
                    process.ask_to_leave(now)
                if process.overdue(now):
                    self._log.warning("killed a silent process", place=place.name, pid=process.pid)
                    process.kill()

    def _heard(self, place: Place, process: Process) -> None:
        first = not process.alive
        if not process.listen(time.monotonic()):
            with suppress(KeyError):  # closed by the child: its pidfd will tell
                self._selector.unregister(process.heartbeat)
        elif first and process is place.successor:
            place.hand_over(time.monotonic())

    def _ended(self, place: Place, process: Process) -> None:
        self._selector.unregister(process.pidfd)
        with suppress(KeyError):
            self._selector.unregister(process.heartbeat)
        status = process.bury()
        expected = process in place.leaving or self._stops or (place.once and status == 0)
        (self._log.info if expected else self._log.warning)(
            "ended", place=place.name, pid=process.pid, status=status
        )
        place.lost(process, status, time.monotonic())

    def _signals(self, pipe: int) -> None:
        for number in os.read(pipe, 64):
            if number in {signal.SIGTERM, signal.SIGINT}:
                self._stops += 1
            elif number == signal.SIGHUP:
                for place in self._on_hangup:
                    place.replace_at = time.monotonic()

    def _end(self, wave: Sequence[Place], within: float) -> None:
        now = time.monotonic()
        for place in wave:
            for process in place.processes():
                process.ask_to_leave(now, within)
        while any(place.processes() for place in wave):
            self._turn()
            for place in wave:
                place.start_at = place.replace_at = None
                if self._stops > 1:
                    for process in place.processes():
                        process.kill()
