"""DNS servers that misbehave, in memory and on sockets: one list of behaviours for unit and end-to-end tests."""

import contextlib
import heapq
import itertools
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from foundation.egress import EgressFailed, EgressTimeout, Endpoint
from validation import TsigKey
from validation.testdns import ZoneSpec
from validation.testdns.responder import Responder
from validation.testdns.zones import Zones

FOREVER = 3600.0


@dataclass(frozen=True)
class Reply:
    """Octets that a server sends, `after` seconds from the question. Over TCP, `raw` omits the length."""

    wire: bytes
    after: float = 0.0
    raw: bool = False


Behaviour = Callable[[bytes, bool], Iterable[Reply]]  # (question, udp) -> what is sent back


def honest(*records: str, zone: str = "example.test", keys: Sequence[TsigKey] = ()) -> Behaviour:
    """The test server itself, over these zone-file lines."""
    responder = Responder(Zones([ZoneSpec(zone, records=records)]), keys)

    def behave(wire: bytes, udp: bool) -> Iterator[Reply]:
        answer = responder.respond(wire, "127.0.0.1", udp=udp)
        if answer is not None:
            yield Reply(answer)

    return behave


def silent(_wire: bytes, _udp: bool) -> Iterator[Reply]:
    """Never answers."""
    return iter(())


def slow(inner: Behaviour, seconds: float) -> Behaviour:
    """Answers late."""
    return lambda wire, udp: [Reply(reply.wire, reply.after + seconds) for reply in inner(wire, udp)]


def code(rcode: dns.rcode.Rcode) -> Behaviour:
    """Answers with nothing but this code."""
    return crafted(lambda response: response.set_rcode(rcode))


def crafted(fill: Callable[[dns.message.Message], None]) -> Behaviour:
    """Answers with what `fill` makes of the empty response."""

    def behave(wire: bytes, udp: bool) -> Iterator[Reply]:
        response = dns.message.make_response(dns.message.from_wire(wire))
        fill(response)
        yield Reply(response.to_wire(max_size=65535))

    return behave


def holding(*lines: str) -> Behaviour:
    """Answers every question with these records, whatever it was; no zone's rules apply."""

    def fill(response: dns.message.Message) -> None:
        for line in lines:
            name, rtype, data = line.split(" ", 2)
            record = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rtype), data)
            response.answer.append(dns.rrset.from_rdata(dns.name.from_text(name), 0, record))

    built: dict[bytes, bytes] = {}  # a thousand records take a quarter of a second to write

    def behave(wire: bytes, udp: bool) -> Iterator[Reply]:
        question = wire[12 : wire.index(b"\x00", 12) + 5]
        if question.lower() not in built:
            built[question.lower()] = next(iter(crafted(fill)(wire, udp))).wire
        answer = built[question.lower()]
        yield Reply(wire[:2] + answer[2:12] + question + answer[12 + len(question) :])

    return behave


def over(udp: Behaviour, tcp: Behaviour) -> Behaviour:
    """One behaviour for each transport."""
    return lambda wire, is_udp: (udp if is_udp else tcp)(wire, is_udp)


def truncated(wire: bytes, _udp: bool) -> Iterator[Reply]:
    """TC set, nothing in it."""
    response = dns.message.make_response(dns.message.from_wire(wire))
    response.flags |= dns.flags.TC
    yield Reply(response.to_wire())


def altered(inner: Behaviour, change: Callable[[bytes], bytes]) -> Behaviour:
    """Sends other octets than the inner behaviour meant."""
    return lambda wire, udp: [Reply(change(reply.wire), reply.after) for reply in inner(wire, udp)]


def flooded(inner: Behaviour, noise: Callable[[bytes], bytes], count: int) -> Behaviour:
    """Sends `count` pieces of noise over UDP before the answer."""

    def behave(wire: bytes, udp: bool) -> Iterator[Reply]:
        answers = list(inner(wire, udp))
        if udp:
            yield from (Reply(noise(answers[0].wire if answers else wire)) for _ in range(count))
        yield from answers

    return behave


def wrong_id(wire: bytes) -> bytes:
    """The same message under another id."""
    return bytes([wire[0] ^ 0xFF, wire[1]]) + wire[2:]


def lower_case(wire: bytes) -> bytes:
    """The same answer from a server that does not keep the case of the question."""
    message = dns.message.from_wire(wire)
    question = message.question[0]
    lowered = dns.name.Name([label.lower() for label in question.name.labels])
    message.question = [dns.rrset.RRset(lowered, question.rdclass, question.rdtype)]
    return message.to_wire(max_size=65535)


def closing(_wire: bytes, _udp: bool) -> Iterator[Reply]:
    """Promises 300 octets over TCP, sends three, and closes."""
    yield Reply(b"\x01\x2cabc", raw=True)
    yield Reply(b"", raw=True)


class FakeClock:
    """A monotonic clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class MemoryWires:
    """`Wires` without a network: the behaviours answer, the clock jumps instead of waiting. None: nobody listens."""

    def __init__(self, servers: Mapping[Endpoint, Behaviour | None], clock: FakeClock) -> None:
        self.servers = servers
        self.clock = clock
        self.asked: list[tuple[Endpoint, str, bool]] = []

    def datagram(self, server: Endpoint) -> "MemoryChannel":
        return MemoryChannel(self, server, FOREVER, udp=True)

    def stream(self, server: Endpoint, seconds: float) -> "MemoryChannel":
        channel = MemoryChannel(self, server, seconds, udp=False)
        channel.behaviour()  # nobody listening shows at connect
        return channel


class MemoryChannel:
    """Both kinds of channel of `MemoryWires`."""

    def __init__(self, wires: MemoryWires, server: Endpoint, seconds: float, *, udp: bool) -> None:
        self._wires, self._server, self._udp = wires, server, udp
        self._deadline = wires.clock.now + seconds
        self._queue: list[tuple[float, int, Reply]] = []
        self._order = itertools.count()
        self._buffer = bytearray()

    def behaviour(self) -> Behaviour:
        found = self._wires.servers.get(self._server)
        if found is None:
            raise EgressFailed("connection refused")
        return found

    def send(self, payload: bytes) -> None:
        question = payload if self._udp else payload[2:]
        name = dns.message.from_wire(question, keyring=False).question[0].name
        self._wires.asked.append((self._server, name.to_text(omit_final_dot=True).lower(), self._udp))
        for reply in self.behaviour()(question, self._udp):
            heapq.heappush(self._queue, (self._wires.clock.now + reply.after, next(self._order), reply))

    def _next(self, until: float) -> Reply | None:
        if not self._queue or self._queue[0][0] > until:
            self._wires.clock.now = max(self._wires.clock.now, until)
            return None
        due, _, reply = heapq.heappop(self._queue)
        self._wires.clock.now = max(self._wires.clock.now, due)
        return reply

    def receive(self, seconds: float) -> bytes | None:
        assert seconds > 0
        reply = self._next(self._wires.clock.now + seconds)
        return None if reply is None else reply.wire

    def receive_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            reply = self._next(self._deadline)
            if reply is None:
                raise EgressTimeout("it took too long")
            if reply.raw and not reply.wire:
                raise EgressFailed("it closed the connection early")
            self._buffer += reply.wire if reply.raw else len(reply.wire).to_bytes(2, "big") + reply.wire
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def close(self) -> None:
        self._queue.clear()


class SocketServer:
    """A behaviour on real sockets, UDP and TCP on one loopback port, one thread. `questions` counts what came in."""

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._tcp = socket.create_server(("127.0.0.1", 0))
        self.address: Endpoint = self._tcp.getsockname()[:2]
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.bind(self.address)
        self._stop, self._stopper = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.questions = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopper.send(b"x")
        self._thread.join()
        for each in (self._tcp, self._udp, self._stop, self._stopper):
            each.close()

    def _serve(self) -> None:
        with contextlib.ExitStack() as clients:
            while True:
                ready = select.select([self._stop, self._tcp, self._udp], [], [])[0]
                if self._stop in ready:
                    return
                if self._udp in ready:
                    wire, peer = self._udp.recvfrom(65535)
                    self._answer(wire, True, partial(_send_to, self._udp, peer))
                if self._tcp in ready:
                    client = clients.enter_context(self._tcp.accept()[0])
                    if self._stream(client):
                        client.close()

    def _stream(self, client: socket.socket) -> bool:
        """Answer one question; whether the connection is to be closed."""
        client.settimeout(5)
        size = int.from_bytes(client.recv(2), "big")
        return self._answer(client.recv(size), False, client.sendall)

    def _answer(self, wire: bytes, udp: bool, send: Callable[[bytes], object]) -> bool:
        self.questions += 1
        begin = time.monotonic()
        for reply in self._behaviour(wire, udp):
            wait = begin + reply.after - time.monotonic()
            if wait > 0 and select.select([self._stop], [], [], min(wait, 2.0))[0]:
                return True
            if reply.raw and not reply.wire:
                return True
            with contextlib.suppress(OSError):  # the client may have had enough
                send(reply.wire if udp or reply.raw else len(reply.wire).to_bytes(2, "big") + reply.wire)
        return False


def _send_to(channel: socket.socket, peer: Endpoint, octets: bytes) -> None:
    channel.sendto(octets, peer)


def counting_entropy() -> Callable[[int], bytes]:
    """Chance that repeats from run to run, and never within one."""
    count = itertools.count(0x51A7)
    return lambda size: (next(count) * 0x9E3779B97F4A7C15 % (1 << (8 * size))).to_bytes(size, "big")


def free_port() -> int:
    """A port that is free for UDP and TCP now."""
    while True:
        with (
            socket.create_server(("127.0.0.1", 0)) as tcp,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        ):
            try:
                udp.bind(tcp.getsockname())
            except OSError:
                continue
            return int(tcp.getsockname()[1])
