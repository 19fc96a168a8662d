"""Ships the chain's records into the index: from its stored position on, each exactly once, safe to kill."""

import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import msgspec
from sqlalchemy import Connection, delete, insert, select

from foundation.store import faults_translated
from foundation.trail import chain
from foundation.trail.index import ADD_EVENT, ADD_RESOURCE, FORMAT, TrailIndex, add, position
from foundation.trail.indexed import IndexedFields, Row, event_row, read_fields, resource_rows
from foundation.trail.uses import CallRecord, store_uses

__all__ = ["Shipper"]

BATCH = 2_000
EVENT = "event"
CALL = "call"
_call = msgspec.json.Decoder(CallRecord)


class Shipper:
    """Tails the segments in `directory`. One per data directory does; two at once do no harm."""

    def __init__(self, directory: Path, index: TrailIndex) -> None:
        self._directory = directory
        self._index = index

    def ship(self) -> int:
        """Index all records written so far; give their number.

        Raises ChainBroken at a damaged record, after indexing those before it; StoreUnavailable.
        """
        shipped = 0
        while (count := self._ship_batch()) == BATCH:
            shipped += count
        return shipped + count  # what came meanwhile is for the next round: each batch costs a commit

    def reached(self) -> chain.Position:
        """Just after the last record that is indexed. Raises StoreUnavailable."""
        with faults_translated(), self._index.read() as connection:
            return _position(connection)

    def run(
        self, stop: threading.Event, *, every: float = 0.5, on_error: Callable[[Exception], None]
    ) -> None:
        """Ship each `every` seconds until `stop` is set. Errors go to `on_error`, and the next round tries again."""
        from foundation.store import StoreError

        while not stop.wait(every):
            try:
                self.ship()
            except (chain.ChainError, StoreError, OSError) as error:
                on_error(error)

    def _ship_batch(self) -> int:
        with faults_translated(), self._index.read() as connection:
            start = _position(connection)
        records: list[chain.Record] = []
        broken: chain.ChainBroken | None = None
        try:
            records.extend(islice(chain.walk(self._directory, start), BATCH))
        except chain.ChainBroken as error:
            broken = error
        if records:
            with faults_translated(), self._index.write() as connection:
                # Another shipper may have been here since: it did the same work.
                if _position(connection) == start:
                    _store(connection, records)
        if broken is not None:
            raise broken
        return len(records)


def _position(connection: Connection) -> chain.Position:
    row = connection.execute(select(position)).one_or_none()
    return chain.START if row is None else chain.Position(row.segment, row.offset, row.sequence, row.hash)


def _store(connection: Connection, records: list[chain.Record]) -> None:
    events: list[Row] = []
    resources: list[Row] = []
    calls: list[tuple[IndexedFields, CallRecord]] = []
    for record in records:
        if record.kind == CALL:
            call = _call.decode(record.body)
            body = bytes(call.event)
        elif record.kind == EVENT:
            call, body = None, record.body
        else:
            continue
        fields = read_fields(body)
        events.append(event_row(record.sequence, body, fields))
        resources += resource_rows(record.sequence, fields)
        if call is not None:
            calls.append((fields, call))
    add(connection, ADD_EVENT, events)
    add(connection, ADD_RESOURCE, resources)
    store_uses(connection, calls)
    at = records[-1].position
    connection.execute(delete(position))
    connection.execute(
        insert(position).values(
            format=FORMAT, segment=at.segment, offset=at.offset, sequence=at.sequence, hash=at.hash
        )
    )
