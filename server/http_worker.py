"""One HTTP worker: a single granian worker, built in this process on a listening socket that it inherited (ADR 2)."""

import asyncio
import importlib
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian.http import HTTP1Settings, HTTP2Settings

from server.listeners import BACKLOG, stop_taking
from server.receiving import Turns, close_the_silent, received

# What granian's own server builds its workers from. Its stubs describe other signatures than the compiled module of
# this (pinned) version has, so these two come without types.
_granian: Any = importlib.import_module("granian._granian")
_new_cbscheduler: Any = importlib.import_module("granian._futures")._new_cbscheduler  # noqa: SLF001  # ADR 2

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

# SECURITY 2.9: 64 kB of headers, 30 s to receive them. hyper reads bodies through the same buffer, in pieces.
HEADER_BYTES = 65536
HEADER_SECONDS = 30
# Connections that one worker holds at once; more wait in the listening socket's backlog. Each may have a thread that
# waits for its body (server/receiving.py); such threads are made when they are needed, and end when idle.
CONNECTIONS = 512


@dataclass(frozen=True, slots=True)
class Door:
    """Where a worker answers: a listening socket, and for HTTPS the PEM files of its certificate chain and key."""

    listener: int
    certificate: Path | None = None
    key: Path | None = None

    def tls(self) -> tuple[bool, str | None, str | None, None, str, None, list[str], bool]:
        """granian's own order: enabled, certificate, key, passphrase, least version, client CA, CRLs, verify clients."""
        if self.certificate is None or self.key is None:
            return (False, None, None, None, "tls1.2", None, [], False)
        return (True, str(self.certificate), str(self.key), None, "tls1.2", None, [], False)


def serve(application: Application, door: Door, threads: int, serving: Callable[[], None]) -> None:
    """Answers until SIGTERM, up to `threads` calls at once; finishes those in flight, and returns.

    From SIGHUP on it takes no new connection, and goes on with those that it has. Calls `serving` once connects are accepted.

    To be called in the main thread of a process of its own: granian's threads do not survive a fork.
    """
    stop, stopped = _granian.WorkerSignal(), threading.Event()
    stop.add_cb(stopped.set)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGHUP, lambda *_: stop_taking(door.listener))
    loop = asyncio.new_event_loop()  # granian asks for one and, for WSGI, only keeps it
    worker = _granian.WSGIWorker(
        1,  # worker id, in granian's logs
        (None, _granian.SocketHolder(door.listener, False, BACKLOG)),
        None,  # metrics channel
        1,  # Rust threads: they parse and hand over, and never wait
        1,  # Rust blocking threads
        CONNECTIONS,  # threads
        30,  # seconds until an idle Python thread ends
        CONNECTIONS,
        "auto",  # HTTP/1 and HTTP/2
        HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000, max_buffer_size=HEADER_BYTES),
        HTTP2Settings(max_headers_size=HEADER_BYTES, max_concurrent_streams=100),
        None,  # static files
        *door.tls(),
        (None, None),  # metrics
    )
    turns = Turns(threads)
    close_the_silent(turns)
    scheduler = _new_cbscheduler(loop, _answering(application, turns), impl_asyncio=False)
    worker.serve_mtr(scheduler, loop, stop)
    serving()
    stopped.wait()


def _answering(application: Application, turns: Turns) -> Callable[[Any, dict[str, Any]], int]:
    """granian's calling convention around a WSGI application (PEP 3333).

    granian's own wrapper copies os.environ into every request's environ: slow, and none of an application's business.
    """

    def answer(protocol: Any, scope: dict[str, Any]) -> int:
        status, headers = 500, list[tuple[str, str]]()

        def start_response(line: str, given: list[tuple[str, str]], _error: object = None) -> None:
            nonlocal status, headers
            status, headers = int(line[:3]), given

        environ = _ENVIRON | scope
        environ["wsgi.input"] = received(environ)
        with turns.one():
            pieces = application(environ, start_response)
            try:
                body = b"".join(pieces)
            finally:
                if close := getattr(pieces, "close", None):
                    close()
        protocol.response_bytes(status, headers, body)
        return status

    return answer


_ENVIRON: dict[str, Any] = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "keystead",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}
