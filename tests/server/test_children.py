"""When a place is filled again, and how long silence is borne."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from server.children import GRACE, LINGER, PATIENCE, PATIENCE_OTHERWISE, RESTART_AFTER, STEADY, Place, Process
from server.forking import Spawned


def sleeper() -> Spawned:
    """A child that only sleeps, and gives no sign of life by itself."""
    reading, writing = os.pipe2(os.O_NONBLOCK)
    child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
    os.close(writing)
    child.returncode = 0  # `Process` reaps it, not subprocess
    return Spawned(child.pid, reading)


@pytest.fixture
def place() -> Iterator[Place]:
    one = Place("one", sleeper)
    yield one
    for process in one.processes():
        process.kill()
        process.bury()


def die(place: Place, process: Process, now: float) -> None:
    process.kill()
    place.lost(process, process.bury(), now)


def test_deaths_in_a_row_wait_longer_each_time_and_never_for_ever(place: Place) -> None:
    delays = []
    for _ in range(len(RESTART_AFTER) + 2):
        die(place, place.start(0.0), 0.0)
        assert place.start_at is not None
        delays.append(place.start_at)
    assert tuple(delays) == (*RESTART_AFTER, RESTART_AFTER[-1], RESTART_AFTER[-1])


def test_a_place_that_stood_for_a_while_starts_again_at_once(place: Place) -> None:
    for _ in range(3):
        die(place, place.start(0.0), 0.0)
    die(place, place.start(0.0), STEADY)
    assert place.start_at == STEADY + RESTART_AFTER[0]


def test_a_successor_takes_over_only_once_its_heart_beats(place: Place) -> None:
    old = place.start(0.0)
    new = place.replace(1.0)
    assert place.process is old
    place.hand_over(2.0)
    assert place.process is new
    assert place.leaving == [old]
    assert old.leave_at == 2.0 + LINGER


def test_a_successor_that_dies_young_is_followed_by_another_and_the_old_one_stays(place: Place) -> None:
    old = place.start(0.0)
    die(place, place.replace(1.0), 1.5)
    assert place.process is old
    assert place.replace_at == 1.5 + RESTART_AFTER[0]
    assert place.start_at is None


@pytest.mark.parametrize(
    ("state", "patience"), [*PATIENCE.items(), ("S", PATIENCE_OTHERWISE), ("R", PATIENCE_OTHERWISE)]
)
def test_silence_is_borne_by_the_state_of_the_process(
    place: Place, monkeypatch: pytest.MonkeyPatch, state: str, patience: float
) -> None:
    process = place.start(0.0)
    process.alive = True
    monkeypatch.setattr("server.children._state", lambda _: state)
    assert not process.overdue(patience - 0.01)
    assert process.overdue(patience)


def test_a_process_that_is_still_starting_has_time_unless_it_is_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = place.start(0.0)
    assert not process.overdue(GRACE - 0.1)
    assert process.overdue(GRACE)
    monkeypatch.setattr("server.children._state", lambda _: "T")
    assert process.overdue(PATIENCE["T"])


def test_time_that_the_machine_stood_still_is_nobodys_silence(place: Place) -> None:
    process = place.start(0.0)
    process.alive = True
    process.forgive(30.0)
    assert not process.overdue(30.0 + PATIENCE_OTHERWISE - 0.1)
