"""The last use of each KMS key, from the records that are both: an API call's event, and what the core's keys did for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from foundation.store import faults_translated
from foundation.trail.index import TrailIndex, events, uses
from foundation.trail.indexed import IndexedFields

__all__ = ["TRACKED", "CallRecord", "KeyUse", "KeyUses", "store_uses"]

TRACKED: Final = frozenset({
    "Decrypt", "DeriveSharedSecret", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "ReEncrypt", "Sign",
    "Verify", "VerifyMac", "Encapsulate", "Decapsulate",
})  # fmt: skip
"""The model's KeyLastUsageTrackingOperation."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The last successful cryptographic operation with a key. `at` is wall-clock time."""

    operation: str
    at: datetime
    event_id: str
    request_id: str


class _Use(msgspec.Struct):
    at: str
    purpose: str = ""
    account: str = ""
    region: str = ""
    key: str = ""


class CallRecord(msgspec.Struct):
    """The body of a record of kind "call": `event` as the caller of the core wrote it, `uses` as the core saw them."""

    event: msgspec.Raw
    uses: list[_Use]


def store_uses(connection: Connection, calls: Iterable[tuple[IndexedFields, CallRecord]]) -> None:
    """Keep the newest use of each key among these records, which come in the chain's order.

    A use whose call failed in the end (DryRun, a refused Verify) stands in the trail by itself and is not counted.
    """
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event, call in calls:
        for use in call.uses:
            if use.purpose == "kms" and event.event_name in TRACKED:
                newest[use.account, use.region, use.key] = {
                    "account": use.account, "region": use.region, "key": use.key, "at": use.at,
                    "operation": event.event_name, "event_id": event.event_id, "request_id": event.request_id,
                }  # fmt: skip
    if newest:
        put = insert(uses)
        changed = {name: put.excluded[name] for name in ("at", "operation", "event_id", "request_id")}
        connection.execute(put.on_conflict_do_update(set_=changed), list(newest.values()))


class KeyUses:
    """Reads the last uses; at most as far behind as the shipper, two seconds."""

    def __init__(self, index: TrailIndex) -> None:
        self._index = index

    def last_use(self, account: str, region: str, key_id: str) -> KeyUse | None:
        """The key's last use in that Region; None when there is no record of any."""
        mine = select(uses).where(uses.c.account == account, uses.c.region == region, uses.c.key == key_id)
        with faults_translated(), self._index.read() as connection:
            use = connection.execute(mine).one_or_none()
        if use is None:
            return None
        return KeyUse(
            use.operation, datetime.fromisoformat(use.at).astimezone(UTC), use.event_id, use.request_id
        )

    def tracked_since(self) -> datetime | None:
        """When the oldest indexed event was; None for an empty trail."""
        first = select(events.c.at).order_by(events.c.sequence).limit(1)
        with faults_translated(), self._index.read() as connection:
            at = connection.execute(first).scalar_one_or_none()
        return None if at is None else datetime.fromtimestamp(at, UTC)
