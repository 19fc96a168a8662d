"""The trail's index: a SQLite file of its own that LookupEvents reads, and that can always be made again.

Deleting the file loses nothing: the shipper fills it anew from the chain.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    exists,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects import sqlite

from foundation.store import BEGIN_OPTION, faults_translated, sqlite_engine

__all__ = ["Filter", "IndexedEvent", "TrailIndex", "events", "position", "resources", "uses"]

FORMAT = 3

metadata = MetaData()

position = Table(
    "trail_position",
    metadata,
    Column("format", Integer, primary_key=True),
    Column("segment", Integer, nullable=False),
    Column("offset", Integer, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

events = Table(
    "trail_event",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("event_id", String, nullable=False, unique=True),
    Column("account", String, nullable=False),
    Column("region", String, nullable=False),
    Column("at", Integer, nullable=False),  # seconds since 1970, as eventTime says
    Column("name", String, nullable=False),
    Column("source", String, nullable=False),
    Column("username", String, nullable=False),
    Column("access_key_id", String, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("request_id", String, nullable=False, index=True),
    Column("body", String, nullable=False),
    *(
        Index(
            f"trail_event_by_{name or 'time'}", *filter(None, ("account", "region", name, "at", "sequence"))
        )
        for name in ("", "name", "source", "username", "access_key_id")
    ),
)

resources = Table(
    "trail_resource",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("name", String, nullable=False, index=True),
    Column("type", String, nullable=False, index=True),
)


uses = Table(
    "trail_key_use",
    metadata,
    Column("account", String, primary_key=True),
    Column("region", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at", String, nullable=False),  # wall clock, RFC 3339
    Column("operation", String, nullable=False),  # KMS's name for it
    Column("event_id", String, nullable=False),
    Column("request_id", String, nullable=False),
)


def _adding(table: Table) -> str:
    """The insert of a whole row that leaves a row alone which is there already: an event id, recorded twice."""
    return str(sqlite.insert(table).on_conflict_do_nothing().compile(dialect=sqlite.dialect()))


ADD_EVENT, ADD_RESOURCE = _adding(events), _adding(resources)
"""Compiled once, for rows that are tuples in the order of the columns: what SQLAlchemy does for each row is saved."""


def add(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add rows in one go."""
    if rows:
        connection.exec_driver_sql(statement, list(rows))


@dataclass(frozen=True, slots=True)
class IndexedEvent:
    """One event as LookupEvents needs it. `body` is the whole record's JSON, `resources` are (name, type)."""

    sequence: int
    event_id: str
    at: int
    name: str
    source: str
    username: str
    access_key_id: str
    read_only: bool
    body: str
    resources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """What to look for in one account and region. `since` and `until` are seconds since 1970, both included.

    `attribute` is a column of `events` or "resource_name" or "resource_type", with the value it must have.
    """

    account: str
    region: str
    since: int | None = None
    until: int | None = None
    attribute: tuple[str, str | bool] | None = None


class TrailIndex:
    """The index file, made when missing. Many processes may read it; one shipper at a time writes."""

    def __init__(self, path: Path) -> None:
        self._writer = sqlite_engine(path, writer=True)
        self._reader = sqlite_engine(path, writer=False)
        with self.write() as connection:
            _prepare(connection)

    def write(self) -> AbstractContextManager[Connection]:
        """Open a write transaction that is alone from its begin on."""
        return self._writer.execution_options(**{BEGIN_OPTION: "BEGIN IMMEDIATE"}).begin()

    def read(self) -> AbstractContextManager[Connection]:
        """Open a snapshot."""
        return self._reader.begin()

    def find(self, wanted: Filter, *, before: tuple[int, int] | None, limit: int) -> list[IndexedEvent]:
        """Find up to `limit` events, newest first; `before` is the (at, sequence) of the last one seen."""
        conditions = _conditions(wanted)
        if before is not None:
            conditions.append(tuple_(events.c.at, events.c.sequence) < tuple_(*before))
        newest_first = (
            select(events)
            .where(and_(*conditions))
            .order_by(events.c.at.desc(), events.c.sequence.desc())
            .limit(limit)
        )
        with faults_translated(), self.read() as connection:
            rows = connection.execute(newest_first).all()
            named = _resources(connection, [row.sequence for row in rows])
        return [
            IndexedEvent(
                sequence=row.sequence,
                event_id=row.event_id,
                at=row.at,
                name=row.name,
                source=row.source,
                username=row.username,
                access_key_id=row.access_key_id,
                read_only=row.read_only,
                body=row.body,
                resources=tuple(named.get(row.sequence, ())),
            )
            for row in rows
        ]

    def of_request(self, request_id: str) -> list[str]:
        """Find the events of one request, in any account, oldest first, as JSON."""
        mine = select(events.c.body).where(events.c.request_id == request_id).order_by(events.c.sequence)
        with faults_translated(), self.read() as connection:
            return list(connection.execute(mine).scalars())

    def last_use(self, account: str, access_key_id: str) -> tuple[datetime, str, str] | None:
        """Say when, for which service and in which region an access key was last used; None if it never was."""
        newest: tuple[int, str, str] | None = None
        region: str | None = ""
        with faults_translated(), self.read() as connection:
            # The index by key is led by the region: a look into each region is quicker than a scan over all.
            while region is not None:
                used = (
                    select(events.c.at, events.c.source, events.c.region)
                    .where(
                        events.c.account == account,
                        events.c.region == region,
                        events.c.access_key_id == access_key_id,
                    )
                    .order_by(events.c.at.desc(), events.c.sequence.desc())
                    .limit(1)
                )
                row = connection.execute(used).one_or_none()
                if row is not None and (newest is None or row.at > newest[0]):
                    newest = row.at, row.source.partition(".")[0], row.region
                following = select(func.min(events.c.region)).where(
                    events.c.account == account, events.c.region > region
                )
                region = connection.execute(following).scalar_one()
        if newest is None:
            return None
        return datetime.fromtimestamp(newest[0], UTC), *newest[1:]

    def close(self) -> None:
        """Close every connection."""
        self._reader.dispose()
        self._writer.dispose()


def _prepare(connection: Connection) -> None:
    """Make the tables; an index of another format is dropped and will be shipped again."""
    position.create(connection, checkfirst=True)
    formats = connection.execute(select(position.c.format)).scalars().all()
    if any(number != FORMAT for number in formats):
        metadata.drop_all(connection)
    metadata.create_all(connection)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        events.c.account == wanted.account,
        events.c.region == wanted.region,
    ]
    if wanted.since is not None:
        conditions.append(events.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(events.c.at <= wanted.until)
    if wanted.attribute is not None:
        name, value = wanted.attribute
        if name in {"resource_name", "resource_type"}:
            column: Any = resources.c[name.removeprefix("resource_")]
            conditions.append(exists().where(resources.c.sequence == events.c.sequence, column == value))
        else:
            conditions.append(events.c[name] == value)
    return conditions


def _resources(connection: Connection, sequences: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    found: dict[int, list[tuple[str, str]]] = {}
    rows = connection.execute(
        select(resources)
        .where(resources.c.sequence.in_(sequences))
        .order_by(resources.c.sequence, resources.c.number)
    )
    for row in rows:
        found.setdefault(row.sequence, []).append((row.name, row.type))
    return found
