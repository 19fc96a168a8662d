"""A real `keystead serve` for end-to-end tests: started, spoken to, killed and started again on the same directory."""

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEYSTEAD = (sys.executable, "-m", "server.cli")


def free_port() -> int:
    """A TCP port on loopback that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keystead(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    ran = subprocess.run([*KEYSTEAD, *arguments], capture_output=True, text=True, timeout=120, check=False)
    if check and ran.returncode != 0:
        raise AssertionError(f"keystead {' '.join(arguments)}: {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran


def pairs(output: str) -> dict[str, str]:
    """KEY=value lines."""
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


@dataclass
class Served:
    """One data directory and, once started, the process group that serves it."""

    data: Path
    flags: Sequence[str] = ()
    tls: bool = False
    prefix: Sequence[str] = ()
    port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)
    process: subprocess.Popen[str] | None = None
    first: dict[str, str] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, within: float = 30.0) -> float:
        """Starts it and waits for its ready line; seconds that took."""
        begun = time.monotonic()
        log = (self.data.parent / f"{self.data.name}.log").open("a")
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        if self.tls:
            listen += ["--tls-listen", f"127.0.0.1:{self.tls_port}"]
        self.process = subprocess.Popen(
            [*self.prefix, *KEYSTEAD, "serve", "--data", str(self.data), *listen, *self.flags],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        log.close()
        assert self.process.stdout is not None
        hurry = threading.Timer(within, self.process.kill)  # which ends the loop below
        hurry.start()
        try:
            for line in self.process.stdout:
                self.printed.append(line)
                self.first |= pairs(line)
                if line.startswith("keystead: ready"):
                    return time.monotonic() - begun
        finally:
            hurry.cancel()
        self.process.stdout.close()
        raise AssertionError(f"serve was not ready in {within} s: {self.process.wait()}\n{self.log()}")

    def log(self) -> str:
        """What it has written to standard error, of all starts."""
        return (self.data.parent / f"{self.data.name}.log").read_text()

    def kill_all(self) -> None:
        """kill -9 of the whole process group, and the end of every one of its processes."""
        assert self.process is not None
        pids = [self.process.pid, *descendants(self.process.pid)]
        os.killpg(self.process.pid, signal.SIGKILL)
        self._ended()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 5)

    def stop(self) -> int:
        """SIGTERM, and its exit code; fails when one of its processes outlives it."""
        assert self.process is not None
        pids = descendants(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        status = self._ended()
        wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 5)
        return status

    def end(self) -> None:
        """At the end of a test, whatever its state."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.kill_all()
        elif self.process.stdout is not None:
            self.process.stdout.close()

    def _ended(self) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        status = self.process.wait(20)
        self.process.stdout.close()
        return status

    def places(self) -> dict[str, int]:
        """Who is at work now: place → pid, from the supervisor's log."""
        found: dict[str, int] = {}
        for line in self.log().splitlines():
            if line.startswith("{") and (told := json.loads(line)).get("event") == "started":
                found[told["place"]] = told["pid"]
        return found

    def get(self, path: str, *, timeout: float = 5.0) -> tuple[int, bytes]:
        """One GET over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get_tls(self, path: str, *, timeout: float = 5.0) -> tuple[int, bytes, bytes]:
        """One GET over HTTPS, verified by `keystead roots`; also the certificate that was shown, DER."""
        context = ssl.create_default_context(cafile=str(self.data / "roots" / "door.pem"))
        connection = http.client.HTTPSConnection("localhost", self.tls_port, timeout=timeout, context=context)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            assert isinstance(connection.sock, ssl.SSLSocket)
            shown = connection.sock.getpeercert(binary_form=True)
            return answer.status, answer.read(), shown or b""
        finally:
            connection.close()

    def api(
        self, method: str, path: str, token: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, Any]:
        """One call of /v1; (status, JSON)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def command(self, *arguments: str) -> dict[str, str]:
        """A command on this directory, with --env; its KEY=value lines."""
        return pairs(keystead(*arguments, "--data", str(self.data), "--env").stdout)


def descendants(pid: int) -> list[int]:
    """Children, their children and so on."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [deeper for child in children for deeper in descendants(child)]


def wait_for(condition: Callable[[], bool], within: float) -> float:
    """Seconds until the condition held."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < within, f"not within {within} s"
        time.sleep(0.01)
    return time.monotonic() - start


def pss_kilobytes(pid: int) -> int:
    """A process's share of memory, proportional to what it shares."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)
    assert found is not None
    return int(found[1])


class ServedDns:
    """A real `keystead dns` on a free loopback port."""

    def __init__(self, *zones: str) -> None:
        named = [word for zone in zones for word in ("--zone", zone)]
        self.process = subprocess.Popen(
            [*KEYSTEAD, "dns", "--listen", "127.0.0.1:0", *named], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        said = re.search(r"answering on (\S+):(\d+)", self.process.stdout.readline())
        assert said is not None
        self.address = (said[1], int(said[2]))

    @property
    def text(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    def end(self) -> None:
        assert self.process.stdout is not None
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(10) == 0
        self.process.stdout.close()
