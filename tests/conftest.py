"""What every test stands on: no test outside e2e, chaos and postgres may open a network socket."""

import socket
from collections.abc import Iterator

import pytest

pytest_plugins = ("tests.support.core", "tests.support.store")

REACHES_OUT = {"e2e", "chaos", "postgres"}


class NetworkInUnitTest(RuntimeError):
    """A unit test opened a network socket: pass a transport instead, or mark the test `e2e`."""


@pytest.fixture(autouse=True)
def _socket_guard(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if any(request.node.get_closest_marker(mark) for mark in REACHES_OUT):
        yield
        return
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        if self.family != socket.AF_UNIX:
            raise NetworkInUnitTest(f"connect to {address!r}")
        real(self, address)  # type: ignore[arg-type]  # whatever the caller gave is the kernel's to judge

    monkeypatch.setattr(socket.socket, "connect", connect)
    yield
