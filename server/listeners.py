"""Sockets that outlive the processes that answer on them: the supervisor binds them, its children inherit them."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Connects queue here while a worker or the core is replaced (a second or two).
BACKLOG = 1024


class CannotListen(Exception):
    """An address that cannot be bound; the message says which and why."""


def tcp(address: tuple[str, int]) -> socket.socket:
    """A bound, listening, non-blocking TCP socket. Raises `CannotListen`."""
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(f"{host} is no address to listen on: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    listener.setblocking(False)
    return listener


def unix(path: Path) -> socket.socket:
    """A listening AF_UNIX socket at `path`, mode 0600 from its first moment; a stale file of a dead process is replaced.

    Only for the holder of the serve lock. Raises `CannotListen`.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    path.unlink(missing_ok=True)
    before = os.umask(0o177)
    try:
        with short_path(path) as short:
            listener.bind(short)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return listener


def stop_taking(listener: int) -> None:
    """Connects to the socket behind the descriptor `listener` go to the other processes that share it, from now on.

    A process that merely stops drops what it has accepted but not read a request from. So that it can serve these
    first, each of its descriptors of that socket is replaced by one of a socket that nobody knows.
    """
    mine = os.fstat(listener)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind("")  # unix(7), autobind
        deaf.listen(1)
        deaf.setblocking(False)
        for entry in list(Path("/proc/self/fd").iterdir()):
            with suppress(FileNotFoundError):  # the listing's own
                if os.path.samestat(entry.stat(), mine):
                    os.dup2(deaf.fileno(), int(entry.name), inheritable=False)


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for `path` that fits into a socket address, which holds 107 bytes (unix(7)): through its directory's fd."""
    directory = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{directory}/{path.name}"
    finally:
        os.close(directory)
