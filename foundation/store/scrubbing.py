"""What is deleted is to be gone from the database's files too, as far as the database can say so (SECURITY 2.3, "Deletion")."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from foundation.store.errors import StoreUnavailable

_SECONDS: Final = 1.0


def truncate_log(path: Path) -> None:
    """Move SQLite's write-ahead log into the database, whose freed space `secure_delete` zeroes, and cut it to nothing.

    Raises StoreUnavailable while somebody reads an older snapshot: try again later.
    """
    with closing(sqlite3.connect(path, timeout=_SECONDS, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        try:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"the write-ahead log cannot be emptied now: {error}") from error
    if busy:
        raise StoreUnavailable("the write-ahead log cannot be emptied now: a reader needs it")
