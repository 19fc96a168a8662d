"""Helper processes of the core: RSA signatures and key generation, which would stall its loop for milliseconds.

Forked from the core, they hold the same domain keys and do the whole request; the core records and answers it with a
later batch. A helper that dies or takes too long is replaced, and the request it had gets a retryable error.
"""

import os
import signal
import socket
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

import msgspec

from kms.hsm import frames, hardening
from kms.hsm.labels import Peer, Role
from kms.hsm.service import KeyService, Outcome

READ = 1024 * 1024
STUCK = 1.0  # seconds; a helper that does not even read must not hold up the loop for longer
_LONGEST_JOB = frames.LONG_FRAME + 1024
LIVED = 0.25  # seconds; a helper that dies younger waits for the next beat before it is replaced


class Job(msgspec.Struct, frozen=True, array_like=True):
    """One request on its way to a helper: the frame as it came, and whose it is."""

    payload: bytes
    role: Role
    pid: int


class Done(msgspec.Struct, frozen=True, array_like=True):
    """What the helper made of it."""

    answer: frames.Result | frames.Refusal
    records: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Errand:
    """A job and whom its answer is for; `owner` is the core's connection. event: see `Asker`."""

    job: Job
    number: int
    deadline_ns: int
    owner: object
    event: bytes = b""


@dataclass(slots=True)
class Bench:
    """One helper's place: its process, its queue, and the errand in its hands."""

    name: str
    queue_limit: int
    time_limit: float  # seconds for one job; beyond, the helper is killed
    pid: int = 0
    stream: socket.socket | None = None
    started: float = 0.0
    queue: deque[Errand] = field(default_factory=deque)
    errand: Errand | None = None
    since: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)


def benches() -> tuple[Bench, ...]:
    return (Bench("quick", 256, 2.0), Bench("slow", 50, 60.0))


class Workshop:
    """Starts, feeds and replaces the helpers. Single-threaded: the core's loop owns it."""

    def __init__(self, service: KeyService, places: tuple[Bench, ...] | None = None) -> None:
        self._service = service
        self.benches = {bench.name: bench for bench in places or benches()}
        self.on_start: Callable[[Bench], None] = lambda _: None
        self.on_end: Callable[[Bench], None] = lambda _: None

    def start(self) -> None:
        for bench in self.benches.values():
            if bench.stream is None:
                self._fork(bench)

    def pids(self) -> list[int]:
        return [bench.pid for bench in self.benches.values() if bench.stream is not None]

    def offer(self, name: str, errand: Errand) -> bool:
        """Queue it; False when the queue is full."""
        bench = self.benches[name]
        if len(bench.queue) >= bench.queue_limit:
            return False
        bench.queue.append(errand)
        return True

    def feed(self) -> list[Errand]:
        """Hand each idle helper its next job; the errands dropped because their deadline passed."""
        expired = []
        for bench in self.benches.values():
            while bench.stream is not None and bench.errand is None and bench.queue:
                errand = bench.queue.popleft()
                if errand.deadline_ns < time.monotonic_ns():
                    expired.append(errand)
                    continue
                bench.errand, bench.since = errand, time.monotonic()
                try:
                    send_frame(bench.stream, msgspec.msgpack.encode(errand.job))
                except OSError:
                    break  # it is dying: its end of file comes next, and the errand is answered there
        return expired

    def receive(self, bench: Bench) -> tuple[Errand, Done] | None:
        """What came from a helper: None while incomplete. Raises EOFError when it is dead (see `lose`)."""
        assert bench.stream is not None
        try:
            received = bench.stream.recv(READ)
        except ConnectionError as reset:
            raise EOFError(bench.name) from reset
        if not received:
            raise EOFError(bench.name)
        bench.buffer += received
        for payload in frames.take_frames(bench.buffer, 1):
            errand, bench.errand = bench.errand, None
            assert errand is not None
            return errand, msgspec.msgpack.decode(payload, type=Done)
        return None

    def lose(self, bench: Bench) -> Errand | None:
        """End a helper for good and start another; the errand it had, to be answered as retryable."""
        errand, bench.errand = bench.errand, None
        self.on_end(bench)
        if bench.stream is not None:
            bench.stream.close()
            bench.stream = None
        os.kill(bench.pid, signal.SIGKILL)
        os.waitpid(bench.pid, 0)
        bench.buffer.clear()
        if time.monotonic() - bench.started > LIVED:
            self._fork(bench)
        return errand

    def overdue(self) -> list[Bench]:
        """Helpers that have had one job for too long."""
        now = time.monotonic()
        return [b for b in self.benches.values() if b.errand is not None and now - b.since > b.time_limit]

    def _fork(self, bench: Bench) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(STUCK)
        core = os.getpid()
        pid = os.fork()
        if pid == 0:
            run_helper(theirs, core, self._service)
        theirs.close()
        bench.pid, bench.stream, bench.started = pid, ours, time.monotonic()
        self.on_start(bench)


def run_helper(stream: socket.socket, core: int, service: KeyService) -> NoReturn:
    """The life of a helper: nothing open but its stream, one job after another, ended with the core."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        kept = stream.fileno()
        os.closerange(3, kept)
        os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
        hardening.harden(core)
        hardening.lock_memory()
        buffer = bytearray()
        while received := stream.recv(READ):
            buffer += received
            for payload in frames.take_frames(buffer, 1, _LONGEST_JOB):
                job = msgspec.msgpack.decode(payload, type=Job)
                send_frame(stream, msgspec.msgpack.encode(work(service, job)))
        os._exit(0)
    finally:
        traceback.print_exc()
        os._exit(1)  # an error must not unwind into the core's frames, whose copy this process has


def work(service: KeyService, job: Job) -> Done:
    outcome: Outcome = service.perform(frames.read_ask(job.payload), Peer(job.role, job.pid))
    return Done(outcome.answer, list(outcome.records))


def send_frame(stream: socket.socket, payload: bytes) -> None:
    stream.sendall(len(payload).to_bytes(4, "big") + payload)
