"""The sockets of the test DNS server: UDP and TCP on one port, one thread, bounded connections."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from validation.testdns.responder import MAX_MESSAGE, Responder
from validation.testdns.zones import Zones, ZoneSpec
from validation.tsig import TsigKey

MAX_CONNECTIONS = 64
IDLE_SECONDS = 10.0
PORT_TRIES = 20


class ListenFailed(Exception):
    """The address cannot be listened on; the message says why."""


@dataclass
class _Connection:
    """One TCP client: what came in and is not yet a message, what must still go out."""

    socket: socket.socket
    peer: str
    deadline: float
    incoming: bytearray = field(default_factory=bytearray)
    outgoing: bytearray = field(default_factory=bytearray)


class DnsServer:
    """An authoritative server for tests and demonstrations. Records live in memory; updates die with it.

    `listen` is (address, port); port 0 takes a free one, which `address` then tells. One event loop serves
    everything: `serve()` runs it in this thread, `start()` in one of its own. `stop()` may come from any thread
    and from a signal handler.
    """

    def __init__(
        self, listen: tuple[str, int], zones: Sequence[ZoneSpec], keys: Sequence[TsigKey] = ()
    ) -> None:
        """Read the zones and take the port; raises BadZone, BadName and ListenFailed."""
        self._responder = Responder(Zones(zones), keys)
        self._udp, self._tcp = _listen(listen)
        self.address: tuple[str, int] = self._udp.getsockname()[:2]
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = socket.socketpair()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread = threading.Thread(target=self.serve, name="testdns", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End `serve`, and wait for the thread that `start` made. May be repeated."""
        with contextlib.suppress(OSError):  # closed: it has ended already
            self._waker.send(b"x")
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> Self:
        """Serve until the end of the block."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def serve(self) -> None:
        """Answer until `stop`, then close everything."""
        self._selector.register(self._udp, selectors.EVENT_READ, self._datagram)
        self._selector.register(self._tcp, selectors.EVENT_READ, self._accept)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        try:
            while True:
                for key, events in self._selector.select(1.0):
                    if key.fileobj is self._wake:
                        return
                    if isinstance(key.data, _Connection):
                        self._step(key.data, events)
                    else:
                        key.data()
                self._drop_idle()
        finally:
            self._close()

    def _datagram(self) -> None:
        try:
            wire, peer = self._udp.recvfrom(MAX_MESSAGE)
            answer = self._responder.respond(wire, peer[0], udp=True)
            if answer is not None:
                self._udp.sendto(answer, peer)
        except OSError:
            return  # the client is gone, or the queue is full: UDP promises nothing

    def _accept(self) -> None:
        try:
            client, peer = self._tcp.accept()
        except OSError:
            return
        if len(self._connections()) >= MAX_CONNECTIONS:
            client.close()
            return
        client.setblocking(False)
        connection = _Connection(client, peer[0], time.monotonic() + IDLE_SECONDS)
        self._selector.register(client, selectors.EVENT_READ, connection)

    def _connections(self) -> list[_Connection]:
        return [key.data for key in self._selector.get_map().values() if isinstance(key.data, _Connection)]

    def _step(self, connection: _Connection, events: int) -> None:
        """Read or write what one connection is ready for; a client that breaks the rules is dropped."""
        try:
            if events & selectors.EVENT_READ:
                received = connection.socket.recv(MAX_MESSAGE)
                if not received:
                    self._drop(connection)
                    return
                connection.incoming += received
                self._answer(connection)
            if connection.outgoing:
                del connection.outgoing[: connection.socket.send(connection.outgoing)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        # While an answer waits, nothing more is read: that bounds both buffers.
        waiting = selectors.EVENT_WRITE if connection.outgoing else selectors.EVENT_READ
        self._selector.modify(connection.socket, waiting, connection)

    def _answer(self, connection: _Connection) -> None:
        """Answer each whole message that came in (RFC 7766 section 8: two octets of length before each)."""
        buffer = connection.incoming
        while len(buffer) >= 2 and len(buffer) >= 2 + (size := int.from_bytes(buffer[:2], "big")):
            wire = bytes(buffer[2 : 2 + size])
            del buffer[: 2 + size]
            answer = self._responder.respond(wire, connection.peer, udp=False)
            if answer is not None:
                connection.outgoing += len(answer).to_bytes(2, "big") + answer
                connection.deadline = time.monotonic() + IDLE_SECONDS

    def _drop(self, connection: _Connection) -> None:
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _drop_idle(self) -> None:
        now = time.monotonic()
        for connection in self._connections():
            if connection.deadline < now:
                self._drop(connection)

    def _close(self) -> None:
        for connection in self._connections():
            self._drop(connection)
        self._selector.close()
        for each in (self._udp, self._tcp, self._wake, self._waker):
            each.close()


def _listen(listen: tuple[str, int]) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP sockets on one port. A free port of one kind may be taken in the other, so a few are tried."""
    host, port = listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failure: OSError | None = None
    for _ in range(1 if port else PORT_TRIES):
        tcp, udp = socket.socket(family, socket.SOCK_STREAM), socket.socket(family, socket.SOCK_DGRAM)
        try:
            tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tcp.bind((host, port))
            udp.bind((host, tcp.getsockname()[1]))
            tcp.listen(MAX_CONNECTIONS)
        except OSError as error:
            tcp.close()
            udp.close()
            failure = error
            continue
        tcp.setblocking(False)
        udp.setblocking(False)
        return udp, tcp
    assert failure is not None
    raise ListenFailed(
        f"cannot listen on {host} port {port}: {(failure.strerror or 'no reason given').lower()}"
    )


def run(
    listen: tuple[str, int],
    zones: Sequence[ZoneSpec],
    keys: Sequence[TsigKey] = (),
    ready: Callable[[DnsServer], None] = lambda _server: None,
) -> None:
    """Serve in this thread until `stop()` is called on the server that `ready` is given once it listens."""
    server = DnsServer(listen, zones, keys)
    ready(server)
    server.serve()
