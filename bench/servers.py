"""What is measured: a real `keystead serve`, and a hello through the same HTTP worker as the floor."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

COMMAND = Path(sys.executable).with_name("keystead")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def first_answer(url: str, since: float, patience: float = 30.0) -> float:
    """Seconds from `since` (perf_counter) to the first answer of `url`."""
    while time.perf_counter() - since < patience:
        try:
            with urlopen(url, timeout=2) as answer:
                answer.read()
            return time.perf_counter() - since
        except (URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise TimeoutError(f"{url} did not answer in {patience:g} s")


@contextmanager
def running(command: list[str], log: Path) -> Iterator[int]:
    """A process group for the time of the block; its pid."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def keystead(*words: str) -> dict[str, str]:
    """Runs a command with --env and gives its KEY=value lines."""
    done = subprocess.run([COMMAND, *words], check=True, capture_output=True, text=True, timeout=60)
    return dict(re.findall(r"^([A-Z_]+)=(.*)$", done.stdout, re.MULTILINE))


def idle_pss(supervisor: int) -> dict[str, float]:
    """Proportional set size of each process of the service, in MB, by pid and command."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            status = (folder / "stat").read_text()
            group = int(status.rpartition(")")[2].split()[2])
            session = int(status.rpartition(")")[2].split()[3])
            if supervisor not in (int(folder.name), group, session):
                continue
            rollup = (folder / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        size = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        found[folder.name] = int(size.group(1)) / 1024 if size else 0.0
    return found
