"""Senders who dawdle: they may hold connections, never the service (SECURITY 2.9, T24)."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.request import urlopen

import pytest

from bench.servers import first_answer, free_port

pytestmark = pytest.mark.e2e

HALF = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab"
SENDERS = 60
THREADS = 4


@contextmanager
def hello() -> Iterator[int]:
    """One real HTTP worker with four threads; its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port), str(THREADS)])
    try:
        first_answer(f"http://127.0.0.1:{port}/", time.perf_counter())
        yield port
    finally:
        process.terminate()
        assert process.wait(20) == 0


def half_sent(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(HALF)
    return connection


def test_sixty_half_sent_bodies_keep_nobody_else_waiting() -> None:
    with hello() as port:
        senders = [half_sent(port) for _ in range(SENDERS)]
        time.sleep(0.5)
        started = time.perf_counter()
        with urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.read() == b"hello\n"
        assert time.perf_counter() - started < 5
        for sender in senders:
            sender.close()


@pytest.mark.slow
def test_a_connection_that_stays_silent_is_ended() -> None:
    with hello() as port, closing(half_sent(port)) as sender:
        sender.settimeout(60)
        started = time.perf_counter()
        while sender.recv(4096):  # the answer to half a body, then the end
            pass
        assert 25 < time.perf_counter() - started < 45


def test_a_body_in_two_pieces_is_one_body() -> None:
    with hello() as port, closing(half_sent(port)) as sender:
        time.sleep(0.3)
        sender.sendall(b"c" * 98)
        sender.settimeout(10)
        assert sender.recv(4096).startswith(b"HTTP/1.1 200")
