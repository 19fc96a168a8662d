"""Asking the server that keeps a directory; light, so that a command answers in a fraction of a second."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from server.admin.protocol import CommandFailed, Progress, closing, lines, request
from server.listeners import short_path


class NobodyServes(Exception):
    """No process answers on the directory's admin socket."""


def ask(data: Path, command: str, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The command's result. Raises `NobodyServes`, or `CommandFailed` with what the server said.

    A server that is just starting answers once it can: the supervisor has bound the socket before all else.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(data / "admin.sock") as path:
            connection.connect(path)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
        connection.close()
        raise NobodyServes from error
    except PermissionError as error:
        connection.close()
        raise CommandFailed(
            f"{data} belongs to another user: run the command as the user that serves it"
        ) from error
    with closing(connection):
        try:
            with suppress(BrokenPipeError):  # refused before it was heard: the reason waits to be read
                connection.sendall(request(command, arguments))
            for answer in lines(connection):
                if "progress" in answer:
                    progress(answer["progress"])
                elif "result" in answer:
                    value: dict[str, Any] = answer["result"]
                    return value
                else:
                    raise CommandFailed(answer["error"], answer["status"])
        except ConnectionError:
            pass  # the same as an end without a result
    raise CommandFailed(
        "the server ended before it answered; what it had begun it goes on with: run the command again"
    )
