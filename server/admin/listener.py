"""The server's side of DIR/admin.sock: who may ask, one thread per caller, one command per connection."""

import os
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from server.admin.protocol import CommandFailed, Progress, closing, failure, lines, progress, result

Answer = Callable[[str, dict[str, Any], Progress], dict[str, Any]]

# A caller who sends nothing is let go after this many seconds.
ASK_WITHIN = 10.0
# root can take the database itself.
ALWAYS_ALLOWED = frozenset({0})


def listen(listener: socket.socket, answer: Answer) -> None:
    """Starts the thread that answers callers on `listener`; `answer(command, arguments, progress)` may raise `CommandFailed`."""
    threading.Thread(target=_accept, args=(listener, answer), name="admin", daemon=True).start()


def _accept(listener: socket.socket, answer: Answer) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # out of descriptors for a moment, or closed for good
            if listener.fileno() < 0:
                return
            time.sleep(0.1)
            continue
        threading.Thread(target=_serve, args=(connection, answer), name="admin-call", daemon=True).start()


def _serve(connection: socket.socket, answer: Answer) -> None:
    connection.settimeout(ASK_WITHIN)
    with closing(connection), suppress(OSError):  # a caller who hangs up loses the answer, not the command
        try:
            _check_peer(connection)
            command, arguments = _asked(connection)
            value = answer(command, arguments, lambda text: _tell(connection, text))
            connection.sendall(result(value))
        except CommandFailed as error:
            connection.sendall(failure(error))


def _asked(connection: socket.socket) -> tuple[str, dict[str, Any]]:
    asked = next(lines(connection), {})
    command, arguments = asked.get("command"), asked.get("arguments")
    if not isinstance(command, str) or not isinstance(arguments, dict):
        raise CommandFailed("a request names a command and its arguments")
    return command, arguments


def _tell(connection: socket.socket, text: str) -> None:
    with suppress(OSError):  # the command goes on though its caller has gone
        connection.sendall(progress(text))


def _check_peer(connection: socket.socket) -> None:
    """Only the user that serves the directory, and root: the socket's mode says so too, this does not rely on it."""
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", packed)
    if uid != os.geteuid() and uid not in ALWAYS_ALLOWED:
        raise CommandFailed("only the user that runs the server may give it commands")
