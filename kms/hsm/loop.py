"""The core's loop: read every ready socket, do the crypto, append the records, ONE fdatasync, answer all.

Group commit falls out of it: while the disk works, requests gather, and the next turn takes them together.
Nothing is answered before its records are durable; a trail error leaves the loop, and so ends the core.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from foundation.trail.chain import ChainWriter
from kms.hsm import frames
from kms.hsm.errors import KeyRefused
from kms.hsm.labels import Peer, Role
from kms.hsm.peers import IN_FLIGHT, Gone, PeerConnection
from kms.hsm.routing import helper_for
from kms.hsm.service import KeyService, Outcome
from kms.hsm.usage import check_role
from kms.hsm.workshop import Bench, Errand, Job, Workshop

BEAT = 0.25  # seconds
CONNECTIONS = 1024
GATHER = 0.001  # seconds; the finest that epoll waits
FRAMES_A_TURN = 16  # of one connection, so that none starves the others
BUFFERED = 128 * 1024 * 1024  # bytes received and not yet done, of all peers together


@dataclass(frozen=True, slots=True)
class Wires:
    """What the supervisor hands over. listener: bound and listening. parent: its end of file ends the core.
    heartbeat: one byte every BEAT from the loop itself, so that a silent core is a stuck core."""

    listener: socket.socket
    parent: int
    heartbeat: int


class Loop:
    """One thread, one chain, one poll. `uids` says which users may take each role."""

    def __init__(
        self,
        wires: Wires,
        service: KeyService,
        chain: ChainWriter,
        workshop: Workshop,
        *,
        uids: Mapping[Role, frozenset[int]],
        status: frames.CoreStatus,
    ) -> None:
        self._wires = wires
        self._service = service
        self._chain = chain
        self._workshop = workshop
        self._uids = uids
        self._status = status
        self._started = time.monotonic()
        self._beaten = 0.0
        self._stopping = False
        self._peers: dict[int, PeerConnection] = {}
        self._benches: dict[int, Bench] = {}
        self._backlog: list[PeerConnection] = []
        self._replies: list[tuple[PeerConnection, frames.Answer]] = []
        self._answered = 0  # in the last turn that answered anyone
        self._poll = select.epoll()

    def run(self) -> None:
        """Until the parent is gone or SIGTERM comes. Raises ChainError when the trail cannot be written."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the supervisor to handle
        self._wires.listener.setblocking(False)
        os.set_blocking(self._wires.heartbeat, False)
        self._poll.register(self._wires.listener, select.EPOLLIN)
        self._poll.register(self._wires.parent, select.EPOLLIN)
        self._workshop.on_start = self._bench_started
        self._workshop.on_end = self._bench_ended
        self._workshop.start()
        while not self._stopping:
            self._beat()
            backlog, self._backlog = self._backlog, []
            for connection in backlog:
                self._take(connection)
            timeout = 0.0 if self._backlog else BEAT
            for fd, event in self._poll.poll(timeout):
                self._ready(fd, event)
            self._gather()
            self._drop(self._workshop.feed())
            self._chain.commit()
            self._answer()

    def _gather(self) -> None:
        """Before the disk is asked, wait a moment for as many as were answered together last time.

        Who was answered asks again soon: all of them then share one fdatasync, where else the first would take one for
        itself and the others wait for it. A caller who is alone, and the first after a pause, wait for nobody.
        """
        if not self._replies or len(self._replies) >= self._answered:
            return
        until = time.monotonic() + GATHER
        while len(self._replies) < self._answered:
            ready = self._poll.poll(GATHER)
            for fd, event in ready:
                self._ready(fd, event)
            if not ready or time.monotonic() >= until:
                return

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _ready(self, fd: int, event: int) -> None:
        connection = self._peers.get(fd)
        if connection is not None:
            try:
                if event & select.EPOLLOUT:
                    self._send(connection, b"")
                if event & ~select.EPOLLOUT and not connection.has_frame():
                    connection.receive()
                    self._bound(connection)
                    self._take(connection)
            except Gone:
                self._close(connection)
        elif fd in self._benches:
            self._finished(self._benches[fd])
        elif fd == self._wires.parent:
            self._stopping = True
        elif fd == self._wires.listener.fileno():
            self._accept()

    def _accept(self) -> None:
        try:
            stream, _ = self._wires.listener.accept()
        except OSError:
            return  # the peer gave up while it queued
        connection = PeerConnection(stream)
        if len(self._peers) >= CONNECTIONS:
            self._send_last(connection, "CoreBusy", "too many connections")
            return
        self._peers[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)

    def _bound(self, connection: PeerConnection) -> None:
        """A peer may buffer one long frame; all of them together may not fill the memory."""
        if connection.buffered > frames.SMALL and sum(p.buffered for p in self._peers.values()) > BUFFERED:
            raise Gone("too much is buffered")

    def _take(self, connection: PeerConnection) -> None:
        """Do the frames that came whole; what is beyond a turn's share waits for the next."""
        if connection.closed:
            return
        try:
            for payload in connection.frames(FRAMES_A_TURN):
                self._one(connection, payload)
        except Gone:
            self._close(connection)
            return
        if connection.has_frame():
            self._backlog.append(connection)

    def _one(self, connection: PeerConnection, payload: bytes) -> None:
        try:
            ask = frames.read_ask(payload)
        except frames.FrameError as malformed:
            refusal = frames.Refusal("KeyRefused", f"the request is malformed: {malformed}")
            self._reply(connection, frames.read_number(payload), refusal)
            return
        if isinstance(ask.body, frames.Hello):
            self._hello(connection, ask.number, ask.body)
        elif connection.peer is None:
            raise Gone("it did not say hello")
        elif ask.deadline_ns < time.monotonic_ns():
            self._reply(connection, ask.number, _EXPIRED)
        elif isinstance(ask.body, frames.Ping):
            self._reply(connection, ask.number, self._current())
        else:
            self._work(connection, connection.peer, ask, payload)

    def _work(self, connection: PeerConnection, peer: Peer, ask: frames.Ask, payload: bytes) -> None:
        place = helper_for(ask.body)
        if place:
            try:
                check_role(peer.role, ask.body)
            except KeyRefused:
                place = ""  # refused, and recorded as refused, without a helper's time
        if not place:
            outcome = self._service.perform(ask, peer)
            self._done(connection, ask.number, self._service.joined(ask.asker.event, outcome))
            return
        job = Job(payload, peer.role, peer.pid)
        errand = Errand(job, ask.number, ask.deadline_ns, connection, ask.asker.event)
        if connection.in_flight >= IN_FLIGHT or not self._workshop.offer(place, errand):
            self._reply(connection, ask.number, frames.Refusal("CoreBusy", f"the {place} queue is full"))
            return
        connection.in_flight += 1

    def _done(self, connection: PeerConnection, number: int, outcome: Outcome) -> None:
        for kind, body in outcome.records:
            self._chain.append(kind, body)
        self._reply(connection, number, outcome.answer)

    def _finished(self, bench: Bench) -> None:
        try:
            arrived = self._workshop.receive(bench)
        except EOFError:
            self._lost(bench)
            return
        if arrived is not None:
            errand, done = arrived
            outcome = self._service.joined(errand.event, Outcome(done.answer, tuple(done.records)))
            self._done(_owner(errand), errand.number, outcome)

    def _lost(self, bench: Bench) -> None:
        errand = self._workshop.lose(bench)
        if errand is not None:
            lost = frames.Refusal("CoreUnavailable", "the helper process of the core was lost")
            self._reply(_owner(errand), errand.number, lost)

    def _drop(self, expired: list[Errand]) -> None:
        for errand in expired:
            self._reply(_owner(errand), errand.number, _EXPIRED)

    def _hello(self, connection: PeerConnection, number: int, hello: frames.Hello) -> None:
        if hello.protocol != frames.PROTOCOL:
            self._send_last(connection, "KeyRefused", f"the core speaks protocol {frames.PROTOCOL}", number)
        elif connection.uid not in self._uids[hello.role]:
            self._send_last(connection, "KeyRefused", f"uid {connection.uid} is no {hello.role}", number)
        elif connection.peer is not None:
            raise Gone("a second hello")
        else:
            connection.peer = Peer(hello.role, connection.pid)
            self._reply(connection, number, self._current())

    def _current(self) -> frames.CoreStatus:
        head = self._chain.head
        return msgspec.structs.replace(
            self._status,
            uptime=time.monotonic() - self._started,
            sequence=head.sequence,
            head=head.hash,
            helpers=self._workshop.pids(),
        )

    def _reply(
        self,
        connection: PeerConnection,
        number: int,
        body: frames.Result | frames.Refusal | frames.CoreStatus,
    ) -> None:
        self._replies.append((connection, frames.Answer(number, body)))

    def _answer(self) -> None:
        replies, self._replies = self._replies, []
        if replies:
            self._answered = len(replies)
        for connection, answer in replies:
            if connection.closed:
                continue
            try:
                self._send(connection, frames.pack(answer))
            except Gone:
                self._close(connection)

    def _send(self, connection: PeerConnection, packed: bytes) -> None:
        waiting = connection.unsent > 0
        connection.send(packed)
        if waiting != (connection.unsent > 0):
            wanted = select.EPOLLIN | (select.EPOLLOUT if connection.unsent else 0)
            self._poll.modify(connection, wanted)

    def _send_last(self, connection: PeerConnection, code: str, message: str, number: int = 0) -> None:
        with contextlib.suppress(Gone):
            connection.send(frames.pack(frames.Answer(number, frames.Refusal(code, message))))
        self._close(connection)

    def _close(self, connection: PeerConnection) -> None:
        if not connection.closed:
            self._peers.pop(connection.fileno(), None)
            connection.close()  # which also takes it out of the poll

    def _bench_started(self, bench: Bench) -> None:
        assert bench.stream is not None
        self._benches[bench.stream.fileno()] = bench
        self._poll.register(bench.stream, select.EPOLLIN)

    def _bench_ended(self, bench: Bench) -> None:
        if bench.stream is not None:
            self._benches.pop(bench.stream.fileno(), None)
            self._poll.unregister(bench.stream)

    def _beat(self) -> None:
        now = time.monotonic()
        if now - self._beaten < BEAT:
            return
        self._beaten = now
        with contextlib.suppress(BlockingIOError):  # nobody reads at the moment: the pipe is full of beats
            os.write(self._wires.heartbeat, b".")
        for bench in self._workshop.overdue():
            self._lost(bench)
        self._workshop.start()


_EXPIRED = frames.Refusal("CoreUnavailable", "the deadline passed before the request was reached")


def _owner(errand: Errand) -> PeerConnection:
    assert isinstance(errand.owner, PeerConnection)
    errand.owner.in_flight -= 1
    return errand.owner
