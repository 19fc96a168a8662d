"""Database drivers' errors, told apart once and turned into the store's own."""

import sqlite3
import sys
from typing import TYPE_CHECKING, Final

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import SQLModel

from foundation.store.errors import Conflict, Duplicate, StoreError, StoreUnavailable

if TYPE_CHECKING:
    import psycopg

_SQLITE_UNAVAILABLE: Final = {
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "another program holds the database's write lock",
    "SQLITE_LOCKED": "another program holds the database's write lock",
    "SQLITE_CANTOPEN": "the database file cannot be opened",
    "SQLITE_READONLY": "the database file cannot be written",
    "SQLITE_IOERR": "reading or writing the disk failed",
    "SQLITE_CORRUPT": "the database file is damaged",
    "SQLITE_NOTADB": "the file is not a database, or is damaged",
    "SQLITE_PERM": "the database file may not be accessed",
    "SQLITE_PROTOCOL": "another program holds the database's write lock",
    "SQLITE_NOMEM": "out of memory",
}
# After these, what this process believes about the file may be wrong (a failed fsync drops the dirty pages).
_SQLITE_FATAL: Final = frozenset(
    {"SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC", "SQLITE_CORRUPT", "SQLITE_NOTADB"}
)

# SQLSTATE classes (PostgreSQL manual, appendix A) in which the server, not the statement, is at fault.
_POSTGRES_UNAVAILABLE: Final = frozenset({"08", "53", "57", "58", "XX"})
_POSTGRES_CONFLICT: Final = frozenset({"40001", "40P01", "55P03", "23503"})


def unique_name(table: Table, columns: frozenset[str]) -> str:
    """Name of the table's uniqueness rule over exactly these columns; "" when there is none."""
    if frozenset(column.name for column in table.primary_key) == columns:
        return str(table.primary_key.name)
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint) and frozenset(constraint.columns.keys()) == columns:
            return str(constraint.name)
    for index in table.indexes:
        if index.unique and frozenset(index.columns.keys()) == columns:
            return str(index.name)
    return ""


def _duplicate_of_sqlite(message: str) -> Duplicate:
    """From "UNIQUE constraint failed: t.a, t.b" or "UNIQUE constraint failed: index 'name'"."""
    rule = message.partition(": ")[2]
    if rule.startswith("index '"):
        name = rule.removeprefix("index '").removesuffix("'")
        owners = [
            table.name
            for table in SQLModel.metadata.tables.values()
            for index in table.indexes
            if index.name == name
        ]
        return Duplicate(owners[0] if owners else "", name)
    pairs = [column.split(".", 1) for column in rule.split(", ")]
    table = SQLModel.metadata.tables.get(pairs[0][0])
    if table is None:  # a file that only borrows the engine's rules, as the trail's index does
        return Duplicate(pairs[0][0], "")
    return Duplicate(table.name, unique_name(table, frozenset(column for _, column in pairs)))


def _from_sqlite(error: sqlite3.Error) -> StoreError | None:
    name = getattr(error, "sqlite_errorname", "")
    if name in {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
        return _duplicate_of_sqlite(str(error))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return Conflict("a row that this write relied on is gone, or one that it removed is still relied on")
    primary = "_".join(name.split("_")[:2])
    if primary in _SQLITE_UNAVAILABLE:
        return StoreUnavailable(
            _SQLITE_UNAVAILABLE[primary], fatal=not _SQLITE_FATAL.isdisjoint({name, primary})
        )
    return None


def _from_postgres(error: "psycopg.Error", *, disconnected: bool) -> StoreError | None:
    state = error.sqlstate or ""
    if state == "23505":
        return Duplicate(error.diag.table_name or "", error.diag.constraint_name or "")
    if state in _POSTGRES_CONFLICT:
        return Conflict("others changed the same rows")
    if state[:2] in _POSTGRES_UNAVAILABLE or disconnected or not state:
        return StoreUnavailable("the PostgreSQL server cannot be used now" + (f" ({state})" if state else ""))
    return None


def translated(error: Exception) -> StoreError | None:
    """The store's own error for what a driver or SQLAlchemy raised; None for a fault in our own code."""
    if isinstance(error, StatementError) and isinstance(error.orig, StoreError):
        return error.orig  # raised by a column type of ours
    if isinstance(error, PoolTimeout):
        return StoreUnavailable("all database connections are in use")
    if isinstance(error, StaleDataError):
        return Conflict("a row changed since it was read")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _from_sqlite(cause)
    driver = sys.modules.get(
        "psycopg"
    )  # where it was never loaded (0.1 s of every start), nothing of it was raised
    if driver is not None and isinstance(cause, driver.Error):
        return _from_postgres(
            cause, disconnected=isinstance(error, DBAPIError) and error.connection_invalidated
        )
    return None
