"""The index holds each event of the chain once, whatever happens to who ships it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from foundation.trail import Recorder, Shipper, TrailIndex, chain
from foundation.trail.index import events
from tests.support.identity import administrator
from tests.support.trail import OpenLedger

SHIP_FOR_EVER = """
import sys, time
from pathlib import Path
from foundation.trail import Shipper, TrailIndex, shipper
shipper.BATCH = 20
made = Shipper(Path(sys.argv[1]), TrailIndex(Path(sys.argv[2])))
print("up", flush=True)
while True:
    made.ship()
    time.sleep(0.001)
"""


def record(recorder: Recorder, number: int) -> list[str]:
    """Record that many calls; list their event ids."""
    drafts = [recorder.draft_plain(administrator(), "ListCertificates", {"n": n}) for n in range(number)]
    for draft in drafts:
        recorder.record(recorder.succeeded_plain(draft))
    return [draft.event_id for draft in drafts]


def indexed(index: TrailIndex) -> list[str]:
    """List the index's event ids in the chain's order."""
    with index.read() as connection:
        return list(connection.execute(select(events.c.event_id).order_by(events.c.sequence)).scalars())


def test_everything_recorded_is_shipped_once_across_segments(
    recorder: Recorder, shipper: Shipper, index: TrailIndex, directory: Path
) -> None:
    first = record(recorder, 150)
    shipper.ship()
    second = record(recorder, 150)
    assert len(chain.segments(directory)) > 1
    shipper.ship()
    assert shipper.ship() == 0
    assert indexed(index) == first + second


def test_an_empty_trail_ships_nothing(tmp_path: Path, index: TrailIndex) -> None:
    assert Shipper(tmp_path / "nothing", index).ship() == 0


def test_an_event_that_stands_twice_in_the_chain_is_indexed_once(
    recorder: Recorder, ledger: OpenLedger, shipper: Shipper, index: TrailIndex
) -> None:
    (event_id,) = record(recorder, 1)
    ledger.seen.clear()  # a core that was restarted long ago has forgotten it
    draft = recorder.draft_plain(administrator(), "ListCertificates", {})
    ledger.append([draft.payload.replace(draft.event_id.encode(), event_id.encode())])
    shipper.ship()
    assert indexed(index) == [event_id]


def test_two_shippers_at_once_do_no_harm(
    recorder: Recorder, directory: Path, index: TrailIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = record(recorder, 200)
    monkeypatch.setattr("foundation.trail.shipper.BATCH", 7)
    threads = [threading.Thread(target=Shipper(directory, index).ship) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    Shipper(directory, index).ship()
    assert indexed(index) == ids


def test_a_shipper_killed_at_any_moment_goes_on_where_it_was(
    recorder: Recorder, directory: Path, index: TrailIndex, tmp_path: Path
) -> None:
    ids = []
    for round_number in range(3):
        ids += record(recorder, 60)
        process = subprocess.Popen(
            [sys.executable, "-c", SHIP_FOR_EVER, directory, tmp_path / "trail-index.db"],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.004 * (round_number + 1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    Shipper(directory, index).ship()
    assert indexed(index) == ids


def test_damage_is_reported_after_what_stands_before_it_is_shipped(
    recorder: Recorder, shipper: Shipper, index: TrailIndex, directory: Path
) -> None:
    ids = record(recorder, 5)
    path = chain.segment_path(directory, 0)
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([*lines[:4], lines[4].replace(b"ListC", b"ListD"), *lines[5:]]))
    with pytest.raises(chain.ChainBroken, match="record 4"):
        shipper.ship()
    assert indexed(index) == ids[:3]


def test_an_index_of_another_format_is_made_again(
    recorder: Recorder,
    shipper: Shipper,
    index: TrailIndex,
    directory: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = record(recorder, 3)
    shipper.ship()
    monkeypatch.setattr("foundation.trail.index.FORMAT", 99)
    reopened = TrailIndex(tmp_path / "trail-index.db")
    assert indexed(reopened) == []
    Shipper(directory, reopened).ship()
    assert indexed(reopened) == ids
    reopened.close()


def test_the_index_is_a_file_of_its_own_that_may_be_deleted(
    recorder: Recorder, directory: Path, tmp_path: Path
) -> None:
    ids = record(recorder, 3)
    for _ in range(2):
        path = tmp_path / "own-index.db"
        made = TrailIndex(path)
        Shipper(directory, made).ship()
        assert indexed(made) == ids
        made.close()
        for file in tmp_path.glob("own-index.db*"):
            file.unlink()


def test_a_running_shipper_is_less_than_two_seconds_behind(
    recorder: Recorder, shipper: Shipper, index: TrailIndex
) -> None:
    stop = threading.Event()
    errors: list[Exception] = []
    thread = threading.Thread(
        target=shipper.run, args=(stop,), kwargs={"every": 0.2, "on_error": errors.append}
    )
    thread.start()
    ids = record(recorder, 50)
    until = time.monotonic() + 2
    while len(indexed(index)) < len(ids) and time.monotonic() < until:
        time.sleep(0.05)
    stop.set()
    thread.join()
    assert indexed(index) == ids
    assert errors == []


def test_a_running_shipper_reports_and_goes_on(recorder: Recorder, shipper: Shipper, directory: Path) -> None:
    record(recorder, 2)
    path = chain.segment_path(directory, 0)
    path.write_bytes(path.read_bytes().replace(b"ListC", b"ListD", 1))
    stop = threading.Event()
    errors: list[Exception] = []

    def on_error(error: Exception) -> None:
        errors.append(error)
        if len(errors) == 2:
            stop.set()

    shipper.run(stop, every=0.01, on_error=on_error)
    assert [type(error) for error in errors] == [chain.ChainBroken, chain.ChainBroken]


def test_the_index_costs_one_row_a_call(recorder: Recorder, shipper: Shipper, index: TrailIndex) -> None:
    record(recorder, 10)
    shipper.ship()
    with index.read() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == 10
