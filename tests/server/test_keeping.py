"""One keeper to a directory, and sockets that are bound once."""

import os
import socket
import stat
from pathlib import Path

import pytest

from server import listeners
from server.serve_lock import AlreadyServed, ServeLock


def test_a_second_keeper_is_told_the_pid_of_the_first(tmp_path: Path) -> None:
    with ServeLock(tmp_path), pytest.raises(AlreadyServed) as refused:
        ServeLock(tmp_path)
    assert refused.value.pid == os.getpid()
    assert str(os.getpid()) in str(refused.value)


def test_a_released_directory_can_be_kept_again(tmp_path: Path) -> None:
    ServeLock(tmp_path).release()
    ServeLock(tmp_path).release()


def test_a_unix_socket_is_closed_to_others_and_replaces_a_dead_ones_file(tmp_path: Path) -> None:
    path = tmp_path / "admin.sock"
    listeners.unix(path).close()
    with listeners.unix(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as caller, listeners.short_path(path) as short:
            caller.connect(short)


def test_a_path_longer_than_a_socket_address_is_no_obstacle(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    with listeners.unix(deep / "core.sock") as listener:
        with socket.socket(socket.AF_UNIX) as caller, listeners.short_path(deep / "core.sock") as short:
            caller.connect(short)
        listener.accept()[0].close()


def test_an_address_that_is_taken_is_named(tmp_path: Path) -> None:
    with listeners.tcp(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(listeners.CannotListen, match=f"127.0.0.1:{port}"):
            listeners.tcp(("127.0.0.1", port))


def test_a_name_that_is_no_address_is_named() -> None:
    with pytest.raises(listeners.CannotListen, match=r"256\.1\.1\.1"):
        listeners.tcp(("256.1.1.1", 80))
