"""The sockets behind every outbound call, with deadlines that hold however slowly the other side drips."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from foundation.egress.errors import EgressFailed, EgressTimeout

Endpoint = tuple[str, int]  # (address, port)


class Datagram(Protocol):
    """One UDP conversation with one server. Not shared between threads."""

    def send(self, payload: bytes) -> None:
        """Send one datagram; raise EgressFailed when the host or port is known to be unreachable."""

    def receive(self, seconds: float) -> bytes | None:
        """The next datagram from that server only, None when `seconds` (> 0) pass; raise EgressFailed as `send`."""

    def close(self) -> None:
        """Give the port back."""


class Stream(Protocol):
    """One TCP connection. Not shared between threads; every call ends by the deadline of the connection."""

    def send(self, payload: bytes) -> None:
        """Send all of `payload`; raise EgressFailed."""

    def receive_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes; raise EgressFailed when the other side closes, EgressTimeout when it is too slow."""

    def close(self) -> None:
        """Close at once."""


class Wires(Protocol):
    """The transport as an argument: the DNS code is given this, tests give it one without a network."""

    def datagram(self, server: Endpoint) -> Datagram:
        """A UDP socket on a random port, connected to a server that the operator named."""

    def stream(self, server: Endpoint, seconds: float) -> Stream:
        """A TCP connection to a server that the operator named, all of it within `seconds`."""


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class UdpSocket:
    """Datagram over a connected socket: the kernel drops what other addresses send, and picks the port at random."""

    def __init__(self, server: Endpoint) -> None:
        """Connect to `server`; raise EgressFailed when there is no route."""
        self._socket = socket.socket(_family(server[0]), socket.SOCK_DGRAM)
        # Room for a flood of forgeries, which would otherwise push the answer out of the queue.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        try:
            self._socket.connect(server)
        except OSError as error:
            self._socket.close()
            raise _failed(error) from error

    def send(self, payload: bytes) -> None:
        """Send one datagram."""
        try:
            self._socket.send(payload)
        except OSError as error:
            raise _failed(error) from error

    def receive(self, seconds: float) -> bytes | None:
        """The next datagram, or None when the time is over."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(65535)
        except TimeoutError:
            return None
        except OSError as error:
            raise _failed(error) from error

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class TcpSocket:
    """Stream with one deadline for connecting, sending and receiving together."""

    def __init__(
        self, server: Endpoint, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Connect within `seconds`; raise EgressFailed."""
        self._monotonic = monotonic
        self._deadline = monotonic() + seconds
        self._socket = socket.socket(_family(server[0]), socket.SOCK_STREAM)
        try:
            self._socket.settimeout(self._left())
            self._socket.connect(server)
        except OSError as error:
            self._socket.close()
            raise _failed(error) from error

    def _left(self) -> float:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def send(self, payload: bytes) -> None:
        """Send all of `payload`."""
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(payload)
        except OSError as error:
            raise _failed(error) from error

    def receive_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        parts = bytearray()
        try:
            while len(parts) < size:
                self._socket.settimeout(self._left())
                part = self._socket.recv(size - len(parts))
                if not part:
                    raise EgressFailed("it closed the connection early")
                parts += part
        except OSError as error:
            raise _failed(error) from error
        return bytes(parts)

    def receive_all(self, limit: int) -> bytes:
        """What the other side sends until it closes; raise EgressFailed beyond `limit` bytes."""
        parts = bytearray()
        try:
            while len(parts) <= limit:
                self._socket.settimeout(self._left())
                part = self._socket.recv(limit + 1 - len(parts))
                if not part:
                    return bytes(parts)
                parts += part
        except OSError as error:
            raise _failed(error) from error
        raise EgressFailed("it sent more than expected")

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Go on in TLS, as the client; raise EgressFailed when the other side is not `host` to `context`."""
        try:
            self._socket.settimeout(self._left())
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except OSError as error:  # ssl.SSLError is one
            raise _failed(error) from error

    def close(self) -> None:
        """Close at once."""
        self._socket.close()

    def __enter__(self) -> Self:
        """Close at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()


def _failed(error: OSError) -> EgressFailed:
    """The failure with a short reason in words: nothing of what the other side sent."""
    if isinstance(error, TimeoutError):
        return EgressTimeout("it took too long")
    return EgressFailed((error.strerror or type(error).__name__).lower())
