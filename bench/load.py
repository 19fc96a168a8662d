"""One load: wrk (Debian's) with 16 connections on loopback, bounded in time, its figures parsed."""

import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = 16

SCRIPT = """
wrk.method = "{method}"
wrk.body = {body}
{headers}
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(99.0), summary.errors.status, summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout))
end
"""


class LoadFailed(Exception):
    """The load met errors, so its figures say nothing."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A request that may be sent any number of times."""

    url: str
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """per_second: answered requests. p99: milliseconds."""

    per_second: float
    p99: float


def fire(shot: Shot, seconds: float) -> Figures:
    """Sends the shot over 16 connections for `seconds`. Raises LoadFailed when anything but success came back."""
    headers = "\n".join(f"wrk.headers[{_lua(name)}] = {_lua(value)}" for name, value in shot.headers.items())
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "shot.lua"
        script.write_text(SCRIPT.format(method=shot.method, body=_lua(shot.body), headers=headers))
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{seconds:g}s",
                "--timeout",
                "20s",
                "-s",
                str(script),
                shot.url,
            ],
            capture_output=True,
            text=True,
            timeout=seconds + 40,
            check=True,
        )
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise LoadFailed(done.stdout + done.stderr)
    requests, microseconds, p99, refused, broken = map(int, found.groups())
    if refused or broken or not requests:
        raise LoadFailed(f"{shot.url}: {refused} refused, {broken} broken of {requests}")
    return Figures(requests / (microseconds / 1e6), p99 / 1000)


def _lua(text: str) -> str:
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'
