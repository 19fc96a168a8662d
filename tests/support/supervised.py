"""A real supervisor over small children, for the tests of supervision: `python -m tests.support.supervised DIR [PORT]`.

Without a port: places `one` and `two`, which write `DIR/<name>.<pid>`, and `done`, filled once. With a port: two HTTP workers
and one that SIGHUP replaces. `/slow` takes a second. READY is printed once all are filled.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from server import forking, heartbeat, listeners
from server.children import Place
from server.http_worker import Door, serve
from server.logs import make_log
from server.supervisor import Supervisor


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answers with its pid, after reading the body."""
    length = len(environ["wsgi.input"].read())
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    if environ["PATH_INFO"] == "/stuck":
        time.sleep(60)
    start_response("200 OK", [("content-type", "text/plain")])
    return [f"{os.getpid()} {length}".encode()]


def _writes_its_name(directory: Path, name: str) -> Callable[[int], None]:
    def main(pipe: int) -> None:
        (directory / f"{name}.{os.getpid()}").touch()
        leave = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: leave.set())
        heartbeat.beat_for_ever(pipe)
        leave.wait()
        (directory / f"{name}.{os.getpid()}.left").touch()

    return main


def places(directory: Path) -> list[list[Place]]:
    """Two waves: what is done once, then two that stay."""

    def place(name: str) -> Place:
        return Place(name, lambda: forking.spawn(_writes_its_name(directory, name), ()))

    done = Place("done", lambda: forking.spawn(lambda _: (directory / "done").touch(), ()), once=True)
    return [[done], [place("one"), place("two")]]


def http(port: int) -> list[list[Place]]:
    """Two HTTP workers on one listening socket."""
    listener = listeners.tcp(("127.0.0.1", port))

    def main(pipe: int) -> None:
        serve(application, Door(listener.fileno()), 4, lambda: heartbeat.beat_for_ever(pipe))

    def spawn() -> forking.Spawned:
        return forking.spawn(main, {listener.fileno()})

    return [[], [Place("http-1", spawn), Place("http-2", spawn)]]


def run() -> None:
    """Until SIGTERM."""
    waves = http(int(sys.argv[2])) if len(sys.argv) > 2 else places(Path(sys.argv[1]))
    log = make_log("info", "supervisor", lambda: datetime.now(UTC))
    Supervisor(waves, on_hangup=waves[1][:1], ready=lambda: print("READY", flush=True), log=log).run()


if __name__ == "__main__":
    run()
