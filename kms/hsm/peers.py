"""The core's side of one connection: what came, what is to go, and the bounds on both."""

import socket
import struct

from kms.hsm import frames
from kms.hsm.labels import Peer

READ = 64 * 1024
OUT_LIMIT = 16 * 1024 * 1024
IN_FLIGHT = 64
HELLO_LIMIT = 4096


class Gone(Exception):
    """The peer closed, broke the protocol or a bound: the connection ends."""


class PeerConnection:
    """One accepted stream, non-blocking. `peer` is None until its hello was accepted."""

    def __init__(self, stream: socket.socket) -> None:
        credentials = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.pid, self.uid, _ = struct.unpack("3i", credentials)
        self.peer: Peer | None = None
        self.in_flight = 0
        self.closed = False
        self._stream = stream
        self._in = bytearray()
        self._out = bytearray()
        stream.setblocking(False)

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def buffered(self) -> int:
        return len(self._in)

    @property
    def unsent(self) -> int:
        return len(self._out)

    def receive(self) -> None:
        """Take what is there. Raises Gone at the end of the stream, or when a stranger sends more than a hello."""
        try:
            received = self._stream.recv(READ)
        except BlockingIOError:
            return
        except OSError as broken:
            raise Gone(str(broken)) from broken
        if not received:
            raise Gone("closed")
        self._in += received
        if self.peer is None and len(self._in) > HELLO_LIMIT:
            raise Gone("more than a hello before the hello")

    def frames(self, limit: int) -> list[bytes]:
        """Up to `limit` whole frames of what was received. Raises Gone for an oversize one."""
        try:
            most = frames.longest(None if self.peer is None else self.peer.role)
            return list(frames.take_frames(self._in, limit, most))
        except frames.FrameError as oversize:
            raise Gone(str(oversize)) from oversize

    def has_frame(self) -> bool:
        size = len(self._in)
        return size >= 4 and size - 4 >= int.from_bytes(self._in[:4], "big")

    def send(self, packed: bytes) -> None:
        """Send now what the socket takes, keep the rest. Raises Gone when the peer does not read its answers."""
        if self._out:
            self._out += packed
            packed = bytes(self._out)
        if len(packed) > OUT_LIMIT:
            raise Gone("it does not read its answers")
        try:
            sent = self._stream.send(packed)
        except BlockingIOError:
            sent = 0
        except OSError as broken:
            raise Gone(str(broken)) from broken
        if sent < len(packed):
            self._out = bytearray(packed[sent:])
        elif self._out:
            self._out.clear()

    def close(self) -> None:
        self.closed = True
        self._stream.close()
