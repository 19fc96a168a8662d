"""A PostgreSQL of the tests' own: Debian's server in a temporary directory, over a Unix socket."""

import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

SUPPORT = Path(__file__).parent
MEMORY = Path("/dev/shm")
BINARIES = "/usr/lib/postgresql/15/bin"
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


class PostgresServer:
    """Started when made; `stop` ends it. fsync is on, as keystead demands."""

    def __init__(self) -> None:
        if not Path(BINARIES, "initdb").exists():
            subprocess.run(["bash", str(SUPPORT / "system.sh"), "postgresql"], check=True)
        # Short: the socket's path must stay under 107 bytes. In memory where there is room: the tests ask what
        # keystead does with a server that keeps its promises, not whether this one does.
        roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 2**30
        self._root = tempfile.mkdtemp(prefix="ksp-", dir=MEMORY if roomy else None)
        self._user = "postgres" if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._root, self._user, self._user)
        self.data = f"{self._root}/data"
        self._run(
            "initdb",
            "-D",
            self.data,
            "-A",
            "trust",
            "-U",
            "keystead",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                f"{BINARIES}/postgres",
                *("-D", self.data, "-k", self._root, "-c", "listen_addresses="),
                *("-c", "max_connections=300", "-c", "shared_buffers=64MB", "-c", "logging_collector=off"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one prctl call, before any test's threads
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.address("postgres")).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def address(self, database: str) -> str:
        return f"postgresql://keystead@/{database}?host={self._root}"

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT: at once, as `pg_ctl -m immediate`; SIGINT: `fast`."""
        self._process.send_signal(how)
        self._process.wait(30)

    def fresh(self, template: str = "template1") -> str:
        """The URL of a new database."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.address(name)

    def drop(self, address: str) -> None:
        """Remove a database that `fresh` made, whoever is still connected to it."""
        name = sql.Identifier(address.partition("@/")[2].partition("?")[0])
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self._root)

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [f"{BINARIES}/{program}", *arguments],
            check=False,
            capture_output=True,
            user=self._user,
            group=self._user,
            extra_groups=None if self._user is None else [],
            cwd="/",
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr.decode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A fresh, empty PostgreSQL database, gone after the test."""
    address = postgres_server.fresh()
    yield address
    postgres_server.drop(address)
