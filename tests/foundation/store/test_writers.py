"""SQLite's one writer: grouped commits, taken in turn by processes, and no caller left waiting for ever."""

import signal
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlmodel import Session, func, select

from foundation.store import Store, StoreUnavailable, writers
from tests.foundation.store.processes import finish, start
from tests.foundation.store.rows import HERE, Note, note

THREADS = 16


def _count(store: Store) -> int:
    with store.unit(HERE).read() as session:
        return session.exec(select(func.count()).select_from(Note)).one()


def hold(store: Store, gate: threading.Event) -> threading.Thread:
    """A write that is at work, alone in its batch, until the gate opens."""
    begun = threading.Event()

    def body(_session: Session) -> None:
        begun.set()
        gate.wait(10)

    holder = threading.Thread(target=store.unit(HERE).write, args=(body,))
    holder.start()
    assert begun.wait(10)
    return holder


def test_waiting_writes_share_a_commit(store: Store) -> None:
    commits: list[object] = []
    event.listen(store._write_engine, "commit", commits.append)
    gate = threading.Event()
    first = hold(store, gate)

    def write(number: int) -> None:
        store.unit(HERE).write(lambda session: session.add(note(HERE, f"n{number}")))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    while store._database.writer._queue.qsize() < THREADS:  # type: ignore[attr-defined]  # SQLite's writer
        time.sleep(0.001)
    gate.set()
    for thread in (first, *threads):
        thread.join()
    assert _count(store) == THREADS
    assert len(commits) <= 2


def test_one_failure_in_a_batch_is_its_own_callers_alone(store: Store) -> None:
    gate = threading.Event()
    first = hold(store, gate)
    failures: list[str] = []

    def write(number: int) -> None:
        def body(session: Session) -> None:
            session.add(note(HERE, f"n{number}"))
            session.flush()
            if number % 2:
                raise LookupError(str(number))

        try:
            store.unit(HERE).write(body)
        except LookupError as error:
            failures.append(str(error))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    gate.set()
    for thread in (first, *threads):
        thread.join()
    assert sorted(failures) == ["1", "3", "5"]
    assert _count(store) == 3


@pytest.mark.chaos
def test_two_processes_of_sixteen_threads_lose_nothing(any_store: Store, any_store_url: str) -> None:
    any_store.unit(HERE).write(lambda session: session.add(note(HERE, "total")))
    each = 20 if any_store.dialect == "sqlite" else 2  # one hot row: PostgreSQL repeats, SQLite queues
    processes = [start("insert_many", any_store_url, name, THREADS, each) for name in ("p", "q")]
    printed = [finish(process) for process in processes]
    with any_store.unit(HERE).read() as session:
        total = session.get(Note, (HERE.account, HERE.region, "total"))
    assert total is not None
    assert total.count == 2 * THREADS * each
    assert _count(any_store) == 2 * THREADS * each + 1
    if any_store.dialect == "sqlite":
        for line in printed:
            commits = int(line.split()[0])
            assert commits < THREADS * each / 3, "writes that wait together are committed together"


@pytest.mark.chaos
def test_a_killed_writer_leaves_nothing_half_done_and_nobody_waiting(store: Store, tmp_path: Path) -> None:
    holder = start("hold_the_writer", f"sqlite:///{tmp_path}/keystead.db")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    mine = threading.Thread(
        target=store.unit(HERE).write, args=(lambda session: session.add(note(HERE, "mine")),)
    )
    mine.start()
    time.sleep(0.2)
    assert mine.is_alive()
    holder.send_signal(signal.SIGKILL)
    begun = time.monotonic()
    mine.join(5)
    assert time.monotonic() - begun < 1
    finish(holder, -signal.SIGKILL)
    with store.unit(HERE).read() as session:
        assert session.exec(select(Note.name)).all() == ["mine"]


@pytest.mark.chaos
def test_a_caller_gives_up_on_a_writer_that_is_held_too_long(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_WAIT_SECONDS", 0.3)
    holder = start("hold_the_writer", f"sqlite:///{tmp_path}/keystead.db")
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreUnavailable, match="nothing was written"):
        store.unit(HERE).write(lambda session: session.add(note(HERE, "late")))
    assert store.deployment() is None  # reads go on
    holder.stdin.write("\n")
    finish(holder)
    store.unit(HERE).write(lambda session: session.add(note(HERE, "next")))
    with store.unit(HERE).read() as session:
        assert sorted(session.exec(select(Note.name))) == ["held", "next"]


def test_a_closed_store_finishes_what_waits_and_takes_no_more(store: Store) -> None:
    store.unit(HERE).write(lambda session: session.add(note()))
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.unit(HERE).write(lambda session: session.add(note(HERE, "b")))


def test_rows_of_forgotten_events_go_even_when_no_write_comes(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "_IDLE_SECONDS", 0.01)
    store.unit(HERE, b"event", "id-1").write(lambda session: session.add(note()))
    store.forget(["id-1"])
    store.unit(HERE).write(lambda session: session.add(note(HERE, "b")))
    store.unit(HERE, b"event", "id-2").write(lambda session: session.add(note(HERE, "c")))
    store.forget(["id-2"])
    deadline = time.monotonic() + 5
    while len(store._forgotten):
        assert time.monotonic() < deadline
        time.sleep(0.01)
