"""Ships the chain's records into the index: from its stored position on, each exactly once, safe to kill."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from foundation.store import faults_translated
from foundation.trail import chain
from foundation.trail.event import username
from foundation.trail.index import FORMAT, TrailIndex, events, position, resources
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
    calls = [(record, _call.decode(record.body)) for record in records if record.kind == CALL]
    bodies = [(record.sequence, record.body) for record in records if record.kind == EVENT]
    bodies += [(record.sequence, bytes(call.event)) for record, call in calls]
    decoded = [(sequence, body, msgspec.json.decode(body)) for sequence, body in bodies]
    rows = [_row(sequence, body, event) for sequence, body, event in decoded]
    named = [row for sequence, _, event in decoded for row in _resource_rows(sequence, event)]
    if rows:
        # An event id that is there already is the same event, recorded twice around a crash of the core.
        connection.execute(sqlite_insert(events).on_conflict_do_nothing(), rows)
    if named:
        connection.execute(sqlite_insert(resources).on_conflict_do_nothing(), named)
    store_uses(connection, (call for _, call in calls))
    at = records[-1].position
    connection.execute(delete(position))
    connection.execute(
        insert(position).values(
            format=FORMAT, segment=at.segment, offset=at.offset, sequence=at.sequence, hash=at.hash
        )
    )


def _row(sequence: int, body: bytes, event: Mapping[str, Any]) -> dict[str, Any]:
    identity = event.get("userIdentity") or {}
    return {
        "sequence": sequence,
        "event_id": str(event.get("eventID", "")),
        # Records of no account (refused calls, the deployment's own) are kept under an account nobody has.
        "account": str(event.get("recipientAccountId", "")),
        "region": str(event.get("awsRegion", "")),
        "at": int(datetime.fromisoformat(str(event["eventTime"])).timestamp()),
        "name": str(event.get("eventName", "")),
        "source": str(event.get("eventSource", "")),
        "username": username(identity),
        "access_key_id": str(identity.get("accessKeyId", "")),
        "read_only": bool(event.get("readOnly")),
        "request_id": str(event.get("requestID", "")),
        "body": body.decode(),
    }


def _resource_rows(sequence: int, event: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for number, resource in enumerate(event.get("resources") or ()):
        yield {
            "sequence": sequence,
            "number": number,
            "name": str(resource.get("ARN", "")),
            "type": str(resource.get("type", "")),
        }
