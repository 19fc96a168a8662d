"""`python -m bench.cpu`: CPU per operation of each process. It tells more than rates do where others load the machine."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.__main__ import prepare
from bench.floors import HELLO
from bench.load import Shot, fire
from bench.servers import COMMAND, first_answer, free_port, running
from bench.shots import caller, key_uses, make_keys

TICK = os.sysconf("SC_CLK_TCK")
Spent = dict[str, float]


def main() -> None:
    """Prints microseconds of CPU per operation, by process, with the hello's as the measure of the machine."""
    options = argparse.ArgumentParser(prog="bench.cpu", description=__doc__)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("operations", nargs="*")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port, hello_port, data = free_port(), free_port(), Path(folder) / "data"
        url, hello_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{hello_port}/"
        serve = [str(COMMAND), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
        hello = [sys.executable, "-m", "bench.hello", str(hello_port), "16"]
        log = Path(folder) / "log"
        with running(serve, log) as supervisor, running(hello, log) as greeter:
            first_answer(f"{url}/healthz", time.perf_counter())
            first_answer(hello_url, time.perf_counter())
            access = prepare(data, url)
            loads = {"GetCallerIdentity": caller(access), **key_uses(access, make_keys(access))}
            measured(HELLO, Shot(hello_url), {greeter: "hello"}, chosen.seconds)
            for name, shot in loads.items():
                if not chosen.operations or name.partition(" ")[0] in chosen.operations:
                    measured(name, shot, children(supervisor), chosen.seconds)


def measured(name: str, shot: Shot, processes: dict[int, str], seconds: float) -> None:
    fire(shot, 1)
    before = spent(processes)
    figures = fire(shot, seconds)
    after = spent(processes)
    each = {who: (after[who] - before[who]) / (figures.per_second * seconds) * 1e6 for who in after}
    told = ", ".join(f"{who} {cost:.0f}" for who, cost in each.items())
    print(f"{name:30} {told}: in all {sum(each.values()):.0f} µs of CPU per operation")


def children(supervisor: int) -> dict[int, str]:
    """The long-lived processes and what they do. The core has its own program; the scheduler alone speaks to the operator."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(supervisor)], capture_output=True, text=True, check=True
    )
    pids = {
        int(pid): arguments
        for pid, _, arguments in (row.strip().partition(" ") for row in listed.stdout.splitlines())
    }
    return {pid: "core" if "kms.hsm" in arguments else _role(pid) for pid, arguments in pids.items()}


def _role(pid: int) -> str:
    threads = {(task / "comm").read_text().strip() for task in Path(f"/proc/{pid}/task").iterdir()}
    return "workers" if any(name.startswith("tokio") for name in threads) else "scheduler"


def spent(processes: dict[int, str]) -> Spent:
    """Seconds of CPU, user and system, so far: of all processes of one kind together."""
    found: Spent = {}
    for pid, who in processes.items():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        found[who] = found.get(who, 0.0) + (int(fields[11]) + int(fields[12])) / TICK
    return found


if __name__ == "__main__":
    main()
