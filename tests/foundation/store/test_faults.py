"""A disk or server that fails is one clear error, and what was acknowledged stays."""

import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import Session, select

from foundation.store import Duplicate, Store, StoreUnavailable
from tests.foundation.store.processes import finish, start
from tests.foundation.store.rows import HERE, Note, note
from tests.support.postgres import SUPPORT, PostgresServer


@pytest.fixture(scope="session")
def strace() -> str:
    if shutil.which("strace") is None:
        subprocess.run(["bash", str(SUPPORT / "system.sh"), "strace"], check=True)
    return "strace"


def put(store: Store, name: str) -> None:
    store.unit(HERE).write(lambda session: session.add(note(HERE, name)))


@pytest.mark.chaos
def test_an_fdatasync_lies_between_the_question_and_the_answer(
    store: Store, tmp_path: Path, strace: str
) -> None:
    traced = start(
        "write_once",
        f"sqlite:///{tmp_path}/keystead.db",
        under=(strace, "-f", "-e", "trace=fdatasync,fsync,write"),
    )
    _, trace = traced.communicate(timeout=60)
    assert traced.returncode == 0
    between = trace.partition('"MARK-ASKED')[2].partition('"MARK-ANSWERED')[0]
    assert re.search(r"f(data)?sync(\(\d+\)| resumed>\)) += 0", between)


@pytest.mark.chaos
def test_a_full_disk_is_one_clear_error_and_heals_without_a_restart(
    store: Store, tmp_path: Path, strace: str
) -> None:
    full = ("-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(tmp_path / "keystead.db-wal"))
    inject = ("-e", "inject=pwrite64:error=ENOSPC:when=5..9")
    printed = finish(
        start("write_until_refused", f"sqlite:///{tmp_path}/keystead.db", 12, under=(strace, *full, *inject))
    )
    lines = printed.splitlines()
    assert "unavailable the disk is full" in lines
    assert set(lines[:12]) == {"written", "unavailable the disk is full"}
    assert lines[11:] == ["written", "all acknowledged rows are there"]


@pytest.mark.chaos
def test_a_failed_sync_ends_all_writing_by_this_process(store: Store, tmp_path: Path, strace: str) -> None:
    inject = ("-e", "inject=fdatasync,fsync:error=EIO:when=3")
    options = ("-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(tmp_path / "keystead.db-wal"))
    printed = finish(
        start(
            "write_until_refused", f"sqlite:///{tmp_path}/keystead.db", 6, under=(strace, *options, *inject)
        )
    )
    lines = printed.splitlines()
    failed = lines.index("fatal reading or writing the disk failed")
    assert set(lines[:failed]) <= {"written"}
    assert set(lines[failed:6]) == {"fatal reading or writing the disk failed"}
    assert lines[6] == "all acknowledged rows are there"
    put(store, "another process goes on")


def test_a_directory_that_is_gone_is_one_clear_error(
    tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    store = open_store(f"sqlite:///{tmp_path}/none/keystead.db", create=False)
    for use in (lambda: put(store, "a"), store.deployment, lambda: store.generation("x")):
        with pytest.raises(StoreUnavailable):
            use()


def test_a_file_that_is_no_database_is_one_clear_error(
    tmp_path: Path, open_store: Callable[..., Store]
) -> None:
    path = tmp_path / "keystead.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    store = open_store(f"sqlite:///{path}", create=False)
    with pytest.raises(StoreUnavailable, match="not a database") as caught:
        store.deployment()
    assert caught.value.fatal


@pytest.mark.postgres
class TestPostgresServer:
    """A server of its own, since it is stopped."""

    @pytest.fixture
    def server(self) -> PostgresServer:
        return PostgresServer()

    def test_a_restart_costs_no_acknowledged_write_and_no_error_after_it(
        self, server: PostgresServer, open_store: Callable[..., Store]
    ) -> None:
        store = open_store(server.fresh())
        put(store, "before")
        server.stop(signal.SIGQUIT)
        for use in (lambda: put(store, "during"), store.deployment):
            with pytest.raises(StoreUnavailable, match="PostgreSQL server"):
                use()
        server.start()
        put(store, "after")  # the pool's connections are dead; the write is tried again on a new one
        with store.unit(HERE).read() as session:
            assert sorted(session.exec(select(Note.name))) == ["after", "before"]
        store.close()
        server.remove()


def test_an_index_on_an_expression_names_itself_too(store: Store) -> None:
    from sqlalchemy import text

    with store._write_engine.begin() as connection:
        connection.execute(
            text("CREATE UNIQUE INDEX ix_test_note_lower ON test_note (account, lower(topic))")
        )

    def body(session: Session) -> None:
        session.add(note(HERE, "a", topic="T"))
        session.add(note(HERE, "b", topic="t"))

    with pytest.raises(Duplicate) as caught:
        store.unit(HERE).write(body)
    assert caught.value.constraint == "ix_test_note_lower"
