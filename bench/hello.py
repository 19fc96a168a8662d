"""The floor: a hello through the same HTTP worker, threads and supervisor's listener. `python -m bench.hello PORT THREADS`."""

import sys
from collections.abc import Callable, Iterable
from typing import Any

from server import listeners
from server.http_worker import Door, serve


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [("content-type", "text/plain")])
    return [b"hello\n"]


if __name__ == "__main__":
    listener = listeners.tcp(("127.0.0.1", int(sys.argv[1])))
    serve(hello, Door(listener.fileno()), int(sys.argv[2]), lambda: None)
