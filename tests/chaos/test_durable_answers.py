"""Between the arrival of a mutating call and its answer lies an fdatasync: of the database, and of the trail (T2)."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.served import Served, descendants, wait_for

pytestmark = [pytest.mark.chaos]

REPO = Path(__file__).parents[2]
# 1234 1700000000.123456 fdatasync(7</data/keystead.db-wal>) = 0 <0.000123>
CALL = re.compile(r"^(?P<pid>\d+) +(?P<at>\d+\.\d+) (?P<name>\w+)\((?P<arguments>.*)$")


@dataclass(frozen=True)
class SystemCall:
    """One line of strace's output."""

    at: float
    name: str
    arguments: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    subprocess.run(["bash", str(REPO / "tests/support/system.sh"), "strace"], check=True, capture_output=True)
    one = Served(tmp_path_factory.mktemp("durable") / "data")
    one.start()
    yield one
    one.end()


def traced(served: Served, calls: list[tuple[str, str, dict[str, object] | None]]) -> list[SystemCall]:
    """What all processes of the service asked of the kernel during the calls, in order."""
    assert served.process is not None
    token = served.command("token", "create")["TOKEN"]
    output = served.data.parent / "strace.out"
    pids = [served.process.pid, *descendants(served.process.pid)]
    tracer = subprocess.Popen(
        [
            "strace", "-f", "-ttt", "-y", "-s", "120", "-o", str(output),
            "-e", "trace=fdatasync,fsync,recvfrom,read,readv,writev,write,sendto,sendmsg",
            *(argument for pid in pids for argument in ("-p", str(pid))),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert tracer.stderr is not None
    wait_for(lambda: output.exists() and output.stat().st_size > 0, 10)
    time.sleep(0.5)
    for method, path, body in calls:
        status, answer = served.api(method, path, token, body)
        assert status < 300, answer
    time.sleep(0.3)
    tracer.send_signal(signal.SIGINT)
    tracer.communicate(timeout=20)
    found = [CALL.match(line) for line in output.read_text(errors="replace").splitlines()]
    return sorted(
        (SystemCall(float(one["at"]), one["name"], one["arguments"]) for one in found if one is not None),
        key=lambda one: one.at,
    )


def between(calls: list[SystemCall], request: str, answer: str) -> list[SystemCall]:
    """The calls from the arrival of a request to the writing of its answer."""
    arrived = next(
        i
        for i, one in enumerate(calls)
        if one.name in {"recvfrom", "read", "readv"} and request in one.arguments
    )
    answered = next(
        i
        for i, one in enumerate(calls)
        if i > arrived and one.name in {"writev", "write", "sendto", "sendmsg"} and answer in one.arguments
    )
    return calls[arrived:answered]


def synced(calls: list[SystemCall]) -> list[str]:
    """The files that were brought to the disk."""
    return [one.arguments for one in calls if one.name in {"fdatasync", "fsync"}]


@pytest.mark.timeout(120)
def test_a_mutating_call_is_on_the_disk_before_it_is_answered(served: Served) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may trace processes that hide their memory")
    body: dict[str, object] = {"names": ["durable.example.test"]}
    calls = between(
        traced(served, [("POST", "/v1/certificates", body)]), "POST /v1/certificates", "HTTP/1.1 201"
    )
    files = synced(calls)
    assert any("keystead.db-wal" in file for file in files), files
    assert any("/trail/" in file for file in files), files
