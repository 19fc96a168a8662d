"""Receiving bodies: a sender who dawdles holds a thread that waits, never one that works (SECURITY 2.9).

granian hands a call over once its headers are there and gives the body as a stream that blocks. So there are as many
threads as connections; they wait for bodies side by side, and only as many as `threads` says run the application.
"""

import io
import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foundation.wire.limits import LARGEST_BODY

SILENT_SECONDS = 30.0
LOOK_SECONDS = 5.0

_ESTABLISHED = 1
_TCP_INFO_BYTES = 56  # up to tcpi_last_data_recv, milliseconds (linux/tcp.h)


class Turns:
    """At most `threads` calls run at once. Knows since when the longest of them runs."""

    def __init__(self, threads: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._slots = threading.BoundedSemaphore(threads)
        self._monotonic = monotonic
        self._running: dict[int, float] = {}  # by thread; single operations, atomic under the GIL

    @contextmanager
    def one(self) -> Iterator[None]:
        """Wait for a turn, and take it for the time of the block."""
        with self._slots:
            me = threading.get_ident()
            self._running[me] = self._monotonic()
            try:
                yield
            finally:
                del self._running[me]

    def longest(self) -> float:
        """Seconds that the longest running call has taken; 0 when none runs."""
        started = list(self._running.values())
        return self._monotonic() - min(started) if started else 0.0


def received(environ: dict[str, Any]) -> io.BytesIO:
    """The whole body, at most one octet over the largest that any operation takes: the door refuses what is longer.

    A body whose declared length is refused anyway is not waited for.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared and "HTTP_TRANSFER_ENCODING" not in environ:
        return io.BytesIO()
    if declared.isascii() and declared.isdigit() and int(declared) > LARGEST_BODY:
        return io.BytesIO()
    return io.BytesIO(environ["wsgi.input"].read(LARGEST_BODY + 1))


def close_the_silent(turns: Turns, *, seconds: float = SILENT_SECONDS, look: float = LOOK_SECONDS) -> None:
    """Start the watch that ends connections on which nothing was received for `seconds`.

    Such a connection is idle, or stuck in the middle of a request; nothing is lost by its end. While a call runs for
    longer than that, its own connection is silent too, and all are left alone until it is done.
    """

    def watch() -> None:
        while True:
            time.sleep(look)
            if turns.longest() < seconds:
                for descriptor in _silent(seconds):
                    _shut(descriptor)

    threading.Thread(target=watch, name="silence", daemon=True).start()


def _silent(seconds: float) -> Iterator[int]:
    for entry in Path("/proc/self/fd").iterdir():
        descriptor = int(entry.name)
        try:
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode) and _silence(descriptor) > seconds:
                yield descriptor
        except OSError:
            continue  # closed meanwhile, or no TCP connection


def _silence(descriptor: int) -> float:
    with _borrowed(descriptor) as connection:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    state, last_received = struct.unpack_from("B51xI", info)
    return last_received / 1000 if state == _ESTABLISHED else 0.0


def _shut(descriptor: int) -> None:
    try:
        with _borrowed(descriptor) as connection:
            connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass  # its end came by itself


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """The socket behind a descriptor that granian owns; it stays open."""
    connection = socket.socket(fileno=os.dup(descriptor))
    try:
        yield connection
    finally:
        connection.close()
