"""Bringing the database to the schema that this program knows, under a lock, in one transaction."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, inspect, text

from foundation.store.errors import SchemaTooNew, SchemaTooOld
from foundation.store.locks import FileLock

if TYPE_CHECKING:  # Alembic takes a fifth of a second to import, and is needed only when the schema is behind
    from alembic.config import Config

HEAD: Final = "0015"
"""The newest revision under migrations/versions; a test holds it to the files."""

TABLE_MODULES: Final = (
    "foundation.store.tables",
    "foundation.identity.tables",
    "foundation.trail.tables",
    "ca.tables",
    "ca.lineage_tables",
    "ca.log.tables",
    "ca.ocsp.tables",
    "ca.pca.tables",
    "acm.tables",
    "kms.keys.tables",
)
"""Every module that declares tables of the main database. (The trail's index is a file of its own.)"""

_LOCK_SECONDS: Final = 60.0
_ADVISORY_LOCK: Final = 0x6B65797374656164  # "keystead"
_SCRIPTS: Final = str(Path(__file__).parent / "migrations")


def import_tables() -> None:
    """Load every room's tables into SQLModel.metadata."""
    for name in TABLE_MODULES:
        importlib.import_module(name)


def revision(connection: Connection) -> str | None:
    """The revision that the database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar_one_or_none()
    return found


def assert_current(connection: Connection) -> None:
    """Raises SchemaTooOld, SchemaTooNew."""
    found = revision(connection)
    if found == HEAD:
        return
    if found is None or found in _known():
        raise SchemaTooOld(
            f"the database is at schema {found or 'none'}, this keystead needs {HEAD}: start `serve` first"
        )
    raise SchemaTooNew(
        f"the database has schema {found}, which this keystead ({HEAD}) does not know: use a newer one"
    )


def migrate(engine: Engine, lock_path: Path | None) -> None:
    """Bring the database to HEAD. Killed at any moment, it leaves the schema it found, and can be repeated.

    `engine` opens its transactions for writing; `lock_path` is the lock file of a SQLite database.
    Raises SchemaTooNew, and StoreUnavailable when another keeps the lock for a minute.
    """
    with _locked(engine, lock_path), engine.connect() as connection:
        with connection.begin():
            found = revision(connection)
        if found == HEAD:
            return
        if found is not None and found not in _known():
            raise SchemaTooNew(f"the database has schema {found}, which this keystead ({HEAD}) does not know")
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command

    import_tables()
    command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None) -> "Config":
    """Alembic's settings: our scripts, and the connection that env.py runs them on."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", _SCRIPTS.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _known() -> frozenset[str]:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


@contextmanager
def _locked(engine: Engine, lock_path: Path | None) -> Iterator[None]:
    if lock_path is None:
        with engine.connect() as holder:
            holder.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
            holder.commit()
            try:
                yield
            finally:
                holder.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
                holder.commit()
        return
    lock = FileLock(lock_path)
    try:
        lock.acquire_within(_LOCK_SECONDS)
        yield
    finally:
        lock.close()
