"""Every connection is proven to keep what it acknowledges, and nothing else is taken for a database."""

import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from foundation.store import Store, UnsafeDatabase
from foundation.store.engine import prove_sqlite, sqlite_engine
from tests.foundation.store.rows import HERE, note
from tests.support.store import wall

PROMISED = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "secure_delete": 1,
    "trusted_schema": 0,
}


@pytest.mark.parametrize("writer", [True, False])
@pytest.mark.parametrize("name", PROMISED)
def test_every_sqlite_connection_is_durable_and_strict(tmp_path: Path, writer: bool, name: str) -> None:
    engine = sqlite_engine(tmp_path / "x.db", writer=writer)
    for _ in range(3):
        with engine.connect() as first, engine.connect() as second:
            for connection in (first, second):
                assert connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() == PROMISED[name]
    engine.dispose()


@pytest.mark.parametrize(
    ("name", "weak"),
    [("synchronous", "NORMAL"), ("synchronous", "OFF"), ("foreign_keys", "OFF"), ("secure_delete", "OFF")],
)
def test_a_weakened_connection_is_refused(tmp_path: Path, name: str, weak: str) -> None:
    engine = sqlite_engine(tmp_path / "x.db", writer=True)
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        prove_sqlite(raw)
        raw.execute(f"PRAGMA {name} = {weak}")
        with pytest.raises(UnsafeDatabase, match=name):
            prove_sqlite(raw)
    engine.dispose()


def test_a_file_that_cannot_have_a_wal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeDatabase, match="journal_mode"):
        prove_sqlite(sqlite3.connect(":memory:"))


def test_a_new_database_file_is_its_owners_alone(store: Store, tmp_path: Path) -> None:
    store.unit(HERE).write(lambda session: session.add(note()))
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_no_connection_of_the_readers_can_write(store: Store) -> None:
    with store._reader.connect() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("DELETE FROM outbox"))


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://host/db",
        "sqlite+aiosqlite:///x.db",
        "postgresql+pg8000://h/d",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UnsafeDatabase, match="SQLite file"):
        Store.open(url, wall=wall)


def test_opening_a_store_touches_nothing(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/x.db", wall=wall).close()
    Store.open("postgresql://nobody@/none?host=/nowhere", wall=wall).close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.postgres
@pytest.mark.parametrize("weak", ["off", "local", "remote_write"])
def test_a_postgres_that_acknowledges_early_is_refused(
    postgres_url: str, open_store: Callable[..., Store], weak: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f"ALTER DATABASE {name} SET synchronous_commit = {weak}")
    store = open_store(postgres_url, create=False)
    with pytest.raises(UnsafeDatabase, match="synchronous_commit"):
        store.deployment()


def test_errors_do_not_show_parameters(any_store: Store) -> None:
    engine = any_store._write_engine
    with engine.connect() as connection, pytest.raises(Exception, match="nowhere") as caught:
        connection.execute(text("INSERT INTO nowhere VALUES (:value)"), {"value": "s3cret"})
    assert "s3cret" not in str(caught.value)


def test_a_store_opened_before_a_fork_is_not_used_after_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_pid", -1)
    with pytest.raises(RuntimeError, match="before the fork"):
        store.unit(HERE)
    with pytest.raises(RuntimeError, match="before the fork"):
        store.generation("x")


def test_each_commit_that_changed_something_is_one_sqlite_commit(store: Store) -> None:
    commits: list[Any] = []
    event.listen(store._write_engine, "commit", commits.append)
    store.unit(HERE).write(lambda session: session.add(note()))
    assert len(commits) == 1


def test_whoever_else_closes_the_database_leaves_its_log_to_those_who_have_it_open(tmp_path: Path) -> None:
    """Who reads the file with sqlite3, and a process of ours that ends, must not cost an acknowledged write."""
    path = tmp_path / "x.db"
    engine = sqlite_engine(path, writer=True)
    with engine.connect() as first, engine.connect() as second:
        first.exec_driver_sql("CREATE TABLE kept (name TEXT)")
        first.commit()
        second.exec_driver_sql("SELECT * FROM kept")
        second.rollback()
        with engine.connect():  # one more of this process, when the others have their locks
            assert _elsewhere(path) == "[]"
            first.exec_driver_sql("INSERT INTO kept VALUES ('acknowledged')")
            first.commit()
            assert _elsewhere(path) == "[('acknowledged',)]"
    engine.dispose()


def _elsewhere(path: Path) -> str:
    """What another process reads, which then closes the database."""
    reading = (
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT * FROM kept').fetchall())"
    )
    ran = subprocess.run([sys.executable, "-c", reading, path], capture_output=True, text=True, check=True)
    return ran.stdout.strip()
