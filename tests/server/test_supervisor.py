"""Places are always filled: real processes are killed, stopped and replaced under a real supervisor."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest


class Supervised:
    """A supervisor in a process of its own, and what it keeps."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.supervised", str(directory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()

    def pids(self, name: str) -> list[int]:
        """The living processes of a place, oldest first."""
        found = [
            int(path.suffix[1:]) for path in self.directory.glob(f"{name}.*") if path.suffix[1:].isdigit()
        ]
        return sorted(pid for pid in found if Path(f"/proc/{pid}").exists())

    def renewed(self, name: str, old: int) -> bool:
        """Whether another process than `old` is alone in the place."""
        pids = self.pids(name)
        return len(pids) == 1 and pids != [old]

    def wait_for(self, condition: Callable[[], bool], within: float) -> float:
        """Seconds until the condition held."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < within, f"not within {within} s"
            time.sleep(0.01)
        return time.monotonic() - start

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    one = Supervised(tmp_path)
    yield one
    one.end()


def test_what_is_done_once_comes_before_the_rest_and_is_not_done_again(supervised: Supervised) -> None:
    assert supervised.first_line == "READY\n"
    done = (supervised.directory / "done").stat()
    assert all(done.st_mtime_ns <= path.stat().st_mtime_ns for path in supervised.directory.glob("one.*"))


def test_a_killed_process_is_replaced_at_once_and_a_second_time_soon_after(supervised: Supervised) -> None:
    for _ in range(2):
        [old] = supervised.pids("one")
        os.kill(old, signal.SIGKILL)
        supervised.wait_for(partial(supervised.renewed, "one", old), 2)
    assert len(supervised.pids("two")) == 1


def test_a_stopped_process_is_ended_and_replaced_within_two_seconds(supervised: Supervised) -> None:
    [old] = supervised.pids("two")
    os.kill(old, signal.SIGSTOP)
    supervised.wait_for(partial(supervised.renewed, "two", old), 2)


def test_no_child_outlives_its_supervisor(supervised: Supervised) -> None:
    children = supervised.pids("one") + supervised.pids("two")
    supervised.process.kill()
    supervised.process.wait()
    for pid in children:
        supervised.wait_for(partial(gone, pid), 2)


def test_hangup_replaces_a_process_that_leaves_by_itself(supervised: Supervised) -> None:
    [old] = supervised.pids("one")
    supervised.process.send_signal(signal.SIGHUP)
    supervised.wait_for((supervised.directory / f"one.{old}.left").exists, 5)
    supervised.wait_for(partial(supervised.renewed, "one", old), 2)
    assert len(supervised.pids("two")) == 1


def test_a_request_to_end_reaches_every_process_and_then_the_supervisor_ends_well(
    supervised: Supervised,
) -> None:
    [one], [two] = supervised.pids("one"), supervised.pids("two")
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.process.wait(5) == 0
    assert (supervised.directory / f"one.{one}.left").exists()
    assert (supervised.directory / f"two.{two}.left").exists()
