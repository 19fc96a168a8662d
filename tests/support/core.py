"""A real key core for tests: its own process, on a trail directory of its own."""

import os
import selectors
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kms.hsm import CoreClient
from kms.hsm.boot import Boot
from kms.hsm.custody import Domain, Kek, UnsealSecret, new_kek
from kms.hsm.labels import Role
from kms.hsm.launch import CoreProcess, bind_core_socket, create_domain, launch_core

DEPLOYMENT = "00000000-0000-4000-8000-000000000001"
ANYONE: dict[Role, list[int]] = {role: [os.getuid()] for role in ("worker", "scheduler", "admin")}


@dataclass
class RunningCore:
    """A core that can be killed and started again, as the supervisor would; the listening socket stays open."""

    directory: Path
    kek: Kek
    domain: Domain
    listener: socket.socket
    process: CoreProcess
    deployment: str = DEPLOYMENT
    segment_bytes: int = 8 * 1024 * 1024

    @property
    def socket_path(self) -> Path:
        return self.directory / "core.sock"

    @property
    def trail(self) -> Path:
        return self.directory / "trail"

    @property
    def pid(self) -> int:
        return self.process.pid

    def client(self, role: Role = "scheduler", *, deadline: float = 5.0) -> CoreClient:
        """A client; the scheduler's role may ask for everything."""
        return CoreClient(self.socket_path, role, deadline=deadline)

    def restart(self) -> None:
        """Kill -9, then start another on the same trail and socket."""
        self.kill()
        self.process = launch_core(self.listener, self.boot())

    def kill(self) -> None:
        """Kill -9; calls wait in the socket's backlog until they time out."""
        self.process.process.kill()
        self.ended()

    def start_again(self) -> None:
        """After a death: another, once it serves."""
        self.process = launch_core(self.listener, self.boot())
        self.await_beat()

    def ended(self) -> int:
        """Wait for the end of the process; its exit code."""
        code = self.process.process.wait(10)
        self.process.close_pipes()
        return code

    def stop(self) -> None:
        """A clean end, as when the supervisor closes its pipe."""
        self.ended_by_pipe()
        self.listener.close()

    def ended_by_pipe(self) -> int:
        self.process.close_pipes()
        return self.process.process.wait(10)

    def boot(self) -> Boot:
        return Boot(
            self.deployment, self.kek.value, self.domain.sealed, self.domain.check, str(self.trail), ANYONE,
            self.segment_bytes,
        )  # fmt: skip

    def await_beat(self, seconds: float = 10.0) -> None:
        """Until the core says that it serves."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.heartbeat, selectors.EVENT_READ)
            assert selector.select(seconds), "the core gave no sign of life"
        assert os.read(self.process.heartbeat, 1), "the core ended at its start"


def start_core(directory: Path, *, segment_bytes: int = 8 * 1024 * 1024) -> RunningCore:
    """A new domain and a core that serves it. The caller stops it."""
    kek = new_kek(UnsealSecret(passphrase=False, value=os.urandom(32)), os.urandom)
    domain = create_domain(kek, DEPLOYMENT)
    listener = bind_core_socket(directory / "core.sock")
    boot = Boot(
        DEPLOYMENT, kek.value, domain.sealed, domain.check, str(directory / "trail"), ANYONE, segment_bytes
    )
    core = RunningCore(
        directory, kek, domain, listener, launch_core(listener, boot), segment_bytes=segment_bytes
    )
    core.await_beat()
    return core


@pytest.fixture(scope="session")
def running_core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCore]:
    """The session's core. Tests that kill or stop one start their own with `start_core`."""
    core = start_core(tmp_path_factory.mktemp("core"))
    yield core
    core.stop()


@pytest.fixture(scope="session")
def core(running_core: RunningCore) -> CoreClient:
    """A client of the session's core, in the role of the scheduler (which may ask for everything)."""
    return running_core.client()
