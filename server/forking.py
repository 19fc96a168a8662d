"""Making child processes: long-lived ones with a heartbeat, and short ones that do one thing apart and hand back JSON."""

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from server.hardening import die_with_parent


class Refused(Exception):
    """What the operator asked for cannot be done; the message says why and what to do. Crosses from child to parent."""


@dataclass(frozen=True, slots=True)
class Spawned:
    """A child just made: its pid, and the read end of its heartbeat pipe (non-blocking). `buried` is told its status."""

    pid: int
    heartbeat: int
    buried: Callable[[int], None] = lambda _status: None


def spawn(main: Callable[[int], None], keep: Iterable[int]) -> Spawned:
    """Forks a child that runs `main(heartbeat pipe)` and ends with it.

    Of the parent's descriptors it keeps the standard three and `keep`, so that no pipe's end is held where its closing
    would no longer be noticed. The caller has one thread and no open database.
    """
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    parent = os.getpid()
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        _run(lambda: main(writing), parent, {*keep, writing})
    os.close(writing)
    return Spawned(pid, reading)


class Aside:
    """A short-lived child that computes `function()` → JSON; `result` waits for it.

    What it reads, derives and allocates dies with it: the supervisor, whose memory every later child inherits, stays
    clean. Raises `Refused` from `result` where the function did; any other failure has printed its traceback.
    """

    def __init__(self, what: str, function: Callable[[], Any], keep: Iterable[int] = ()) -> None:
        self._what = what
        reading, writing = os.pipe2(os.O_CLOEXEC)
        parent = os.getpid()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _run(lambda: _answer(writing, function), parent, {*keep, writing})
        os.close(writing)
        self._answer = reading

    def result(self) -> Any:
        with os.fdopen(self._answer, "rb") as pipe:
            text = pipe.read()
        os.waitpid(self.pid, 0)
        if not text:
            raise Refused(f"{self._what} failed; its error is printed above")
        answer = json.loads(text)
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["result"]


def _answer(pipe: int, function: Callable[[], Any]) -> None:
    try:
        answer = {"result": function()}
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    with os.fdopen(pipe, "wb") as stream:
        stream.write(json.dumps(answer).encode())


def _run(main: Callable[[], None], parent: int, keep: set[int]) -> NoReturn:
    status = 1
    try:
        die_with_parent(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        # The terminal sends these to the whole group; the supervisor hears them and ends its children in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _close_all_but(keep | {0, 1, 2})
        main()
        status = 0
    finally:
        try:
            if status:
                os.write(2, traceback.format_exc().encode())
            sys.stdout.flush()
        finally:
            os._exit(
                status
            )  # whatever happens: the parent's frames and exit handlers are not the child's to run


def _close_all_but(keep: set[int]) -> None:
    for number in {int(entry.name) for entry in Path("/proc/self/fd").iterdir()} - keep:
        with contextlib.suppress(OSError):  # the listing's own descriptor is gone by now
            os.close(number)
