"""Engines whose every connection is proven to keep what it acknowledges."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import NullPool, QueuePool

from foundation.store.columns import check_value
from foundation.store.errors import StoreUnavailable, UnsafeDatabase

BEGIN_OPTION: Final = "keystead_begin"
"""Execution option: the statement that opens a SQLite transaction (default BEGIN)."""

_BUSY_MS: Final = 5_000
_PRAGMAS: Final = (
    ("busy_timeout", str(_BUSY_MS), _BUSY_MS),  # first, since the next may have to wait
    ("journal_mode", "WAL", "wal"),
    ("synchronous", "FULL", 2),  # an acknowledged commit has reached the disk (SECURITY 3, T2)
    ("foreign_keys", "ON", 1),
    ("secure_delete", "ON", 1),  # overwritten tokens are gone from the file (SECURITY 2.3)
    ("trusted_schema", "OFF", 0),
    ("journal_size_limit", str(64 * 2**20), 64 * 2**20),
)
_POSTGRES_SETTINGS: Final = (
    ("fsync", frozenset({"on"})),
    ("full_page_writes", frozenset({"on"})),
    ("synchronous_commit", frozenset({"on", "remote_apply"})),
    ("server_encoding", frozenset({"UTF8"})),
)


def database_url(url: str) -> URL:
    """The URL with the driver that keystead brings; raises UnsafeDatabase for any other database."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database not in {None, "", ":memory:"}:
        return parsed.set(drivername="sqlite+pysqlite")
    raise UnsafeDatabase(
        "the store lives in a SQLite file (sqlite:////path) or PostgreSQL (postgresql://...)"
    )


def sqlite_engine(path: Path, *, writer: bool) -> Engine:
    """An engine over one file, made 0600 when missing. Without `writer` no connection of it can write at all.

    The reader keeps a pool; the writer has one connection, used by one thread.
    """
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        hide_parameters=True,
        poolclass=NullPool if writer else QueuePool,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": _BUSY_MS / 1000},
        **({} if writer else {"pool_size": 32, "max_overflow": 32}),
    )

    @event.listens_for(engine, "do_connect")
    def _make_private(_dialect: Any, _record: Any, _arguments: Any, _keywords: Any) -> None:
        # A file that is there is not opened: closing any descriptor of it would drop the locks of all of this process's
        # connections (fcntl(2)), and whoever else closes the database then removes the write-ahead log under them.
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            pass
        except OSError as error:
            raise StoreUnavailable(f"the database file cannot be opened: {error}") from error

    @event.listens_for(engine, "connect")
    def _prove(connection: sqlite3.Connection, _record: Any) -> None:
        for name, wanted, _ in _PRAGMAS:
            connection.execute(f"PRAGMA {name} = {wanted}")
        prove_sqlite(connection)
        if not writer:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # sqlite3's own transaction control is off (isolation_level None): it would begin too late for a snapshot.
        connection.exec_driver_sql(connection.get_execution_options().get(BEGIN_OPTION, "BEGIN"))

    if writer:
        _shorten_savepoints(engine)
    _check_parameters(engine)
    return engine


def _shorten_savepoints(engine: Engine) -> None:
    """Give savepoints to the driver as they are: compiling three statements anew was a quarter of a write's cost."""

    def saying(statement: str) -> Callable[[Connection, str], None]:
        def run(connection: Connection, name: str) -> None:
            driver: Any = connection.connection.driver_connection
            driver.execute(f"{statement} {name}")

        return run

    dialect: Any = engine.dialect
    dialect.do_savepoint = saying("SAVEPOINT")
    dialect.do_release_savepoint = saying("RELEASE SAVEPOINT")
    dialect.do_rollback_to_savepoint = saying("ROLLBACK TO SAVEPOINT")


def prove_sqlite(connection: sqlite3.Connection) -> None:
    """Raise UnsafeDatabase unless each pragma reads back as it must."""
    for name, _, expected in _PRAGMAS:
        (actual,) = connection.execute(f"PRAGMA {name}").fetchone()
        if actual != expected:
            raise UnsafeDatabase(f"SQLite's {name} is {actual!r} where keystead needs {expected!r}")


def postgres_engine(url: URL) -> Engine:
    """An engine over a PostgreSQL database in REPEATABLE READ, the time zone UTC."""
    engine = create_engine(
        url,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        pool_size=16,
        max_overflow=32,
        connect_args={
            "options": "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        },
    )

    @event.listens_for(engine, "connect")
    def _prove(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for name, accepted in _POSTGRES_SETTINGS:
                cursor.execute(f"SHOW {name}")
                (actual,) = cursor.fetchone()
                if actual not in accepted:
                    raise UnsafeDatabase(
                        f"PostgreSQL's {name} is {actual} where keystead needs {' or '.join(sorted(accepted))}"
                    )
        connection.rollback()

    _check_parameters(engine)
    return engine


def _check_parameters(engine: Engine) -> None:
    @event.listens_for(engine, "before_cursor_execute")
    def _check(
        _connection: Any, _cursor: Any, _statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        for row in parameters if many else (parameters,):
            for value in row.values() if isinstance(row, dict) else row:
                check_value(value)
