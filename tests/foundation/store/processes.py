"""What the tests' other processes do with a store: `python -m tests.foundation.store.processes ROLE URL ARGUMENTS`."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from sqlalchemy import event
from sqlmodel import Session

from foundation.store import Claim, LostClaim, Store, StoreUnavailable
from tests.foundation.store.rows import HERE, Note, note
from tests.support.store import wall


def start(role: str, url: str, *arguments: object, under: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """The process, its output piped; `under` is a program that runs it."""
    command = (
        *under,
        sys.executable,
        "-m",
        "tests.foundation.store.processes",
        role,
        url,
        *map(str, arguments),
    )
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], expected: int = 0) -> str:
    """What it printed, once it has ended as expected."""
    printed, complaint = process.communicate(timeout=90)
    assert process.returncode == expected, complaint
    return printed


def insert_many(store: Store, prefix: str, threads: str, each: str) -> None:
    """Insert from many threads, raising one shared counter too; print the commits that it took."""
    commits: list[object] = []
    event.listen(store._write_engine, "commit", commits.append)

    def one(thread: int) -> None:
        for number in range(int(each)):

            def write(session: Session, number: int = number) -> None:
                session.add(note(HERE, f"{prefix}-{thread}-{number}"))
                total = session.get(Note, (HERE.account, HERE.region, "total"))
                assert total is not None
                total.count += 1

            store.unit(HERE).write(write)

    begun = time.monotonic()
    with ThreadPoolExecutor(int(threads)) as pool:
        for _ in pool.map(one, range(int(threads))):
            pass
    print(len(commits), time.monotonic() - begun)


def hold_the_writer(store: Store) -> None:
    """Say so from inside a write, and stay there until told to go on."""

    def write(session: Session) -> None:
        session.add(note(HERE, "held"))
        session.flush()
        print("held", flush=True)
        sys.stdin.readline()

    store.unit(HERE).write(write)


def do_due_work(store: Store, kind: str, lease_ms: str, pause_ms: str) -> None:
    """Claim and do all due work of the kind; each piece counts its note up. Print what was done and what was lost."""
    done = lost = 0
    while claims := store.claim_due(kind, wall(), timedelta(milliseconds=int(lease_ms)), 7):
        for claim in claims:
            time.sleep(int(pause_ms) / 1000)
            try:
                _do(store, claim)
            except LostClaim:
                lost += 1
            else:
                done += 1
    print(done, lost)


def _do(store: Store, claim: Claim) -> None:
    def write(session: Session) -> None:
        row = session.get(Note, (HERE.account, HERE.region, claim.subject))
        assert row is not None
        row.count += 1
        claim.finish(session)

    store.unit(claim.scope).write(write)


def claim_and_stop(store: Store, kind: str) -> None:
    """Claim one piece, stop as SIGSTOP stops, and write late."""
    [claim] = store.claim_due(kind, wall(), timedelta(milliseconds=200), 1)
    print("claimed", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    try:
        _do(store, claim)
    except LostClaim:
        print("refused")
    else:
        print("written")


def migrate_and_die(store: Store, statements: str) -> None:
    """Migrate, killed before the given number of statements has run."""
    left = int(statements)

    def count(*_anything: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(store._write_engine, "before_cursor_execute", count)
    store.migrate()
    print("migrated")


def migrate(store: Store) -> None:
    store.migrate()
    store.assert_schema()


def _add(row: Note, session: Session) -> None:
    session.add(row)


def write_until_refused(store: Store, count: str) -> None:
    """Print what each write came to, and then whether what was acknowledged is there."""
    acknowledged = []
    for number in range(int(count)):
        row = note(HERE, f"n{number}", body=b"x" * 4000)
        try:
            store.unit(HERE).write(partial(_add, row))
        except StoreUnavailable as error:
            print("fatal" if error.fatal else "unavailable", error, flush=True)
        else:
            acknowledged.append(f"n{number}")
            print("written", flush=True)
    with store.unit(HERE).read() as session:
        for name in acknowledged:
            assert session.get(Note, (HERE.account, HERE.region, name)) is not None
    print("all acknowledged rows are there")


def write_once(store: Store) -> None:
    """One write, between two marks that a system call trace can find."""
    store.unit(HERE).write(lambda session: session.add(note(HERE, "first")))
    os.write(2, b"MARK-ASKED\n")
    store.unit(HERE).write(lambda session: session.add(note(HERE, "second")))
    os.write(2, b"MARK-ANSWERED\n")


ROLES = {
    role.__name__: role
    for role in (
        insert_many,
        hold_the_writer,
        do_due_work,
        claim_and_stop,
        migrate_and_die,
        migrate,
        write_until_refused,
        write_once,
    )
}

if __name__ == "__main__":
    opened = Store.open(sys.argv[2], wall=wall)
    ROLES[sys.argv[1]](opened, *sys.argv[3:])
    opened.close()
