"""What can go wrong with stored state, in words that a caller can act on."""


class StoreError(Exception):
    """Root of everything this room raises."""


class StoreUnavailable(StoreError):
    """The database cannot be used now: full disk, failed fsync, lost server, writer held elsewhere.

    Retryable, unless `fatal`: after a failed fsync nothing that this process believes about the file is
    certain, so it must end and be started again (SECURITY 3, T3).
    """

    def __init__(self, message: str, *, fatal: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal


class UnsafeDatabase(StoreError):
    """The database is set up so that an acknowledged write could be lost; it is refused before use."""


class SchemaTooNew(StoreError):
    """The schema was written by a newer keystead than this one."""


class SchemaTooOld(StoreError):
    """The schema has not been migrated yet; the supervisor does that."""


class Conflict(StoreError):
    """Others kept changing the rows that this write relied on; nothing was written. Retryable."""


class Duplicate(StoreError):
    """A uniqueness rule was hit; nothing was written.

    `constraint` is the name of the constraint or index, the same on SQLite and PostgreSQL:
    "pk_TABLE", "uq_TABLE_COLUMN_...", or the name the table gave it.
    """

    def __init__(self, table: str, constraint: str) -> None:
        super().__init__(f"{table} already holds such a row ({constraint})")
        self.table = table
        self.constraint = constraint


class BadValue(StoreError):
    """A value that not every database can hold: an int beyond 64 bits, NUL or a lone surrogate in text."""


class ForeignRow(StoreError):
    """A row of another tenant was about to be written; the unit's scope does not cover it."""


class StatementRefused(StoreError):
    """A statement that tenancy cannot see through: raw SQL, bare tables, bulk inserts, writes in a read."""


class TransactionOpen(StoreError):
    """Work that may wait (core, DNS, network) or another unit was begun inside a transaction."""


class LostClaim(StoreError):
    """The job's row was claimed by another, cancelled or finished; this holder's write must not happen."""


class TokenReused(StoreError):
    """An idempotency token came again with different parameters."""
