"""The store: one database, its engines, and what is asked of it outside any tenant."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import URL, Connection, delete, text
from sqlmodel import SQLModel, col

from foundation.store import deployment as deployments
from foundation.store import due, outbox, schema
from foundation.store.counters import raise_counter
from foundation.store.deployment import Deployment
from foundation.store.due import Claim
from foundation.store.engine import BEGIN_OPTION, database_url, postgres_engine, sqlite_engine
from foundation.store.errors import StoreUnavailable
from foundation.store.generations import Generations, PostgresGenerations, SqliteGenerations
from foundation.store.scrubbing import truncate_log
from foundation.store.tables import Outbox
from foundation.store.tenancy import Scope
from foundation.store.units import Database, Event, OpenTransactions, Unit, faults_translated
from foundation.store.writers import PostgresWriter, SqliteWriter, Writer

T = TypeVar("T")
CLOCK = "clock"
"""The generation that is the service clock's offset: microseconds ahead of the wall clock."""


class Store:
    """Thread-safe. Opened after the fork: opening connects to nothing and starts no thread."""

    def __init__(self, url: URL, *, wall: Callable[[], datetime], directory: Path | None) -> None:
        self._wall = wall
        self._pid = os.getpid()
        self._transactions = OpenTransactions()
        self._forgotten = outbox.Forgotten()
        self.dialect = url.get_backend_name()
        self._path: Path | None = None
        self._lock_path: Path | None = None
        writer: Writer
        if self.dialect == "sqlite":
            path = self._path = Path(url.database or "").absolute()
            self._lock_path = (directory or path.parent) / path.name
            self._reader = sqlite_engine(path, writer=False)
            self._write_engine = sqlite_engine(path, writer=True)
            writer = SqliteWriter(self._write_engine, self._lock_path, self._forgotten)
            self._generations: Generations = SqliteGenerations(self._reader)
        else:
            self._reader = self._write_engine = postgres_engine(url)
            writer = PostgresWriter(self._write_engine)
            self._generations = PostgresGenerations(self._reader, wall)
        self._database = Database(self._reader, writer, self._transactions, wall, self._settle)

    @classmethod
    def open(cls, url: str, *, wall: Callable[[], datetime], directory: Path | None = None) -> Self:
        """`url`: sqlite:////absolute/path or postgresql://...; `directory`: where SQLite's lock files lie
        (default: beside the database). Raises UnsafeDatabase for any other URL.
        """
        return cls(database_url(url), wall=wall, directory=directory)

    def close(self) -> None:
        """Finish the writes that wait, then let go of the database."""
        if len(self._forgotten) and self._pid == os.getpid():
            with suppress(StoreUnavailable):  # the rows stay, are sent again, and the core drops repeats
                self._write(self._forgotten.remove)
        self._database.writer.close()
        self._generations.close()
        self._reader.dispose()
        self._write_engine.dispose()

    # The schema

    def migrate(self) -> None:
        """Bring the schema to what this program knows; the supervisor alone calls it. Raises SchemaTooNew."""
        engine = self._write_engine.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"})
        lock = (
            None if self._lock_path is None else self._lock_path.with_name(self._lock_path.name + "-migrate")
        )
        with faults_translated():
            schema.migrate(engine, lock)

    def assert_schema(self) -> None:
        """Raises SchemaTooOld or SchemaTooNew unless the schema is the one this program knows."""
        self._read(schema.assert_current)

    def create_all_for_tests(self) -> None:
        """The tables of all imported rooms, without a migration; a test holds the two to be equal."""
        with self._write_engine.begin() as connection:
            SQLModel.metadata.create_all(connection)

    # Units

    def unit(self, scope: Scope, event: bytes | None = None, event_id: str | None = None) -> Unit:
        """Access to one tenant's rows; `event` is committed to the outbox with the unit's first write."""
        if (event is None) != (event_id is None):
            raise ValueError("an event and its id come together")
        self._assert_this_process()
        carried = None if event is None or event_id is None else Event(event_id, event)
        return Unit(self._database, scope, carried)

    def assert_no_transaction(self) -> None:
        """Raises TransactionOpen inside a read or write phase: called before whatever may wait."""
        self._transactions.assert_none()

    # Generations

    def generation(self, name: str) -> int:
        """How often `bump` was committed for the name; never older than `staleness`."""
        self._assert_this_process()
        return self._generations.get(name)

    @property
    def staleness(self) -> float:
        """By how many seconds what `generation` answers may be behind, in any process."""
        return self._generations.staleness

    def _settle(self) -> None:
        time.sleep(self._generations.staleness)

    # The deployment

    def deployment(self) -> Deployment | None:
        return self._read(deployments.load)

    def create_deployment(self, deployment: Deployment) -> None:
        """Raises Duplicate when there is one."""
        self._write(lambda connection: deployments.create(connection, deployment))

    def set_clock_offset(self, offset_us: int) -> Deployment:
        """Move the service's clock to `offset_us` microseconds ahead of the wall's, on every host.

        Every process sees it as generation("clock"). Raises ClockRefused.
        """

        def write(connection: Connection) -> Deployment:
            before = deployments.load(connection)
            moved = deployments.set_clock_offset(connection, offset_us)
            raise_counter(connection, CLOCK, offset_us - (before.clock_offset_us if before else 0))
            return moved

        return self._write(write)

    def replace_seal(self, sealed_domain_keys: bytes, key_check: bytes) -> Deployment:
        """Keep the domain keys under another unseal secret."""
        return self._write(
            lambda connection: deployments.replace_seal(connection, sealed_domain_keys, key_check)
        )

    def truncate_log(self) -> None:
        """Leave nothing of what was deleted in SQLite's write-ahead log. Raises StoreUnavailable: try again later.

        PostgreSQL keeps its log, and old versions of rows, as its operator has told it to (docs/operating.md).
        """
        self._assert_this_process()
        self.assert_no_transaction()
        if self._path is not None:
            truncate_log(self._path)

    # The outbox

    def pending(self) -> list[tuple[str, bytes]]:
        """Events (id, bytes) that may not be in the trail yet, oldest first, at most 1,000."""
        return [
            (event_id, event)
            for event_id, event in self._read(outbox.pending)
            if event_id not in self._forgotten
        ]

    def forget(self, event_ids: Sequence[str]) -> None:
        """These events are durable in the trail: their rows go with this process's next write, or within a second."""
        if not event_ids:
            return
        if self.dialect == "sqlite":
            self._forgotten.add(event_ids)
            return

        def remove(connection: Connection) -> None:
            # Lost with a crash it only costs a repeat, which the core drops: do not wait for the disk.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(delete(Outbox).where(col(Outbox.event_id).in_(event_ids)))

        self._write(remove)

    # Due work

    def claim_due(self, kind: str, now: datetime, wall_lease: timedelta, limit: int) -> list[Claim]:
        """Claim up to `limit` pieces of due work over all tenants, until `wall_lease` from now on the wall clock."""
        soonest = self.next_due((kind,))
        if soonest is None or soonest > now:  # most often: a look costs no transaction of the one writer
            return []
        return self._write(
            lambda connection: due.claim_due(
                connection, kind, now, wall=self._wall(), lease=wall_lease, limit=limit
            )
        )

    def fail_claim(self, claim: Claim, error: str, retry_at: datetime) -> None:
        """Give a claim back after a failure. Raises LostClaim."""
        self._write(lambda connection: due.fail_claim(connection, claim, error, retry_at))

    def next_due(self, kinds: Sequence[str] | None = None) -> datetime | None:
        """The soonest moment at which any work (of these kinds) is or was due; claimed work counts."""
        return self._read(
            lambda connection: due.next_due(connection, None if kinds is None else tuple(kinds))
        )

    def _read(self, query: Callable[[Connection], T]) -> T:
        self._assert_this_process()
        with (
            self._transactions.one(),
            faults_translated(),
            self._reader.connect() as connection,
            connection.begin(),
        ):
            return query(connection)

    def _write(self, write: Callable[[Connection], T]) -> T:
        self._assert_this_process()
        self._transactions.assert_none()

        def run(connection: Connection) -> T:
            with self._transactions.one():
                return write(connection)

        return self._database.writer.run(run)

    def _assert_this_process(self) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError("this store was opened before the fork: open one in each process")
