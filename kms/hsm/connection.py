"""One stream to the core: connect by way of a directory descriptor, say hello, exchange one frame for one."""

import os
import socket
import struct
import time
from pathlib import Path

from kms.hsm import errors, frames
from kms.hsm.labels import NOBODY, Role

CHUNK = 64 * 1024


class Disconnected(Exception):
    """The stream broke, in a way that a new one may mend."""


class Connection:
    """A connected, greeted stream. Not thread-safe: its owner is one thread. After an error, close it."""

    def __init__(self, path: Path, role: Role, until: float) -> None:
        self.pid = os.getpid()
        self._longest = frames.longest(role)
        self._buffer = bytearray()
        self._timeout = 0.0  # seconds, as the kernel was last told
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._set_timeout(until)
            self._connect(path)
            hello = frames.Ask(0, int(until * 1e9), NOBODY, frames.Hello(frames.PROTOCOL, role))
            answer = self.exchange(hello, until)
        except BaseException:
            self._socket.close()
            raise
        if isinstance(answer.body, frames.Refusal):
            self._socket.close()
            if answer.body.code == errors.KeyRefused.__name__:
                raise errors.KeyRefused(answer.body.message)
            raise errors.CoreBusy(answer.body.message)

    def close(self) -> None:
        self._socket.close()

    def __del__(self) -> None:  # with its thread's locals
        self._socket.close()

    def exchange(self, ask: frames.Ask, until: float) -> frames.Answer:
        """Send and wait for the answer of that number. Raises Disconnected, or CoreUnavailable past `until`."""
        try:
            packed = frames.pack(ask, self._longest)
        except frames.FrameError as too_long:
            raise errors.KeyRefused(str(too_long)) from too_long
        try:
            self._set_timeout(until)
            self._socket.sendall(packed)
            while True:
                for payload in frames.take_frames(self._buffer, 1):
                    answer = frames.read_answer(payload)
                    if answer.number == ask.number:
                        return answer
                self._set_timeout(until)
                received = self._socket.recv(CHUNK)
                if not received:
                    raise Disconnected("it closed the connection")
                self._buffer += received
        except BlockingIOError as expired:  # SO_RCVTIMEO and SO_SNDTIMEO report so
            raise errors.CoreUnavailable("the key core did not answer in time") from expired
        except (OSError, frames.FrameError) as broken:
            raise Disconnected(str(broken)) from broken

    def _connect(self, path: Path) -> None:
        try:
            directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as missing:
            raise errors.CoreUnavailable(f"no key core at {path}: {missing.strerror}") from missing
        try:  # sun_path holds 107 bytes; a descriptor's name in /proc is always shorter
            self._socket.connect(f"/proc/self/fd/{directory}/{path.name}")
        except BlockingIOError as expired:
            raise errors.CoreUnavailable("the key core's queue of connections is full") from expired
        except OSError as refused:
            raise errors.CoreUnavailable(f"no key core at {path}: {refused.strerror}") from refused
        finally:
            os.close(directory)

    def _set_timeout(self, until: float) -> None:
        """Let the kernel keep the time: a blocking socket with SO_RCVTIMEO costs no poll() per call."""
        left = until - time.monotonic()
        if left <= 0:
            raise errors.CoreUnavailable("the key core did not answer in time")
        if left > self._timeout * 1.01 or left < self._timeout * 0.9:
            self._timeout = left
            value = struct.pack(
                "ll", int(left), max(1, int(left % 1 * 1_000_000))
            )  # all zero would mean never
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, value)
