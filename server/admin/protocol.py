"""What travels over DIR/admin.sock: one JSON line asks; lines of progress and one result or failure answer."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

# A request names a command and its arguments, a CRL of a megabyte among them; it may have sixteen times as much.
LINE_BYTES = 1024 * 1024

Progress = Callable[[str], None]


class CommandFailed(Exception):
    """A command that could not be done: what happened and what to do next. `status` is the CLI's exit code."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


# Exit codes of the command line.
OK, FAILED, USAGE, NOTHING_THERE = 0, 1, 2, 3


def request(command: str, arguments: Mapping[str, Any]) -> bytes:
    return _line({"command": command, "arguments": dict(arguments)})


def progress(text: str) -> bytes:
    return _line({"progress": text})


def result(value: Mapping[str, Any]) -> bytes:
    return _line({"result": dict(value)})


def failure(error: CommandFailed) -> bytes:
    return _line({"error": error.message, "status": error.status})


def lines(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """The JSON objects that arrive, one a line, until the other side closes. Raises `CommandFailed` for anything else."""
    with connection.makefile("rb") as stream:
        while line := stream.readline(LINE_BYTES * 16):
            try:
                value = json.loads(line)
            except ValueError as error:
                raise CommandFailed("a line on the admin socket is not JSON") from error
            if not isinstance(value, dict):
                raise CommandFailed("a line on the admin socket is not a JSON object")
            yield value


@contextmanager
def closing(connection: socket.socket) -> Iterator[socket.socket]:
    """Closes the connection afterwards, and says so to the other side even where a fork holds a copy of it."""
    try:
        yield connection
    finally:
        with suppress(OSError):  # the other side has gone already
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"
