"""The last use of each KMS key: `use` records of the core, joined by request id with the event of the call."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from foundation.store import faults_translated
from foundation.trail import chain
from foundation.trail.index import TrailIndex, events, uses

__all__ = ["TRACKED", "KeyUse", "KeyUses", "store_uses"]

TRACKED: Final = frozenset({
    "Decrypt", "DeriveSharedSecret", "Encrypt", "GenerateDataKey", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext", "GenerateDataKeyWithoutPlaintext", "GenerateMac", "ReEncrypt", "Sign",
    "Verify", "VerifyMac", "Encapsulate", "Decapsulate",
})  # fmt: skip
"""The model's KeyLastUsageTrackingOperation."""

UNTRACKED: Final = frozenset({"GenerateKey", "Reseal", "Unwrap", "ImportKey"})
"""What the core does with a key that is no cryptographic operation of KMS."""


@dataclass(frozen=True, slots=True)
class KeyUse:
    """The last successful cryptographic operation with a key. `at` is wall-clock time.

    `event_id` is None until the event of the call has been indexed.
    """

    operation: str
    at: datetime
    event_id: str | None
    request_id: str


class _Use(msgspec.Struct):
    at: str
    op: str
    outcome: str = "ok"
    request: str = ""
    purpose: str = ""
    account: str = ""
    region: str = ""
    key: str = ""


_use = msgspec.json.Decoder(_Use)


def store_uses(connection: Connection, records: Iterable[chain.Record]) -> None:
    """Keep the newest use of each key among these records, which come in the chain's order."""
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for record in records:
        use = _use.decode(record.body)
        if use.purpose == "kms" and use.outcome == "ok" and use.op not in UNTRACKED:
            newest[use.account, use.region, use.key] = {
                "account": use.account, "region": use.region, "key": use.key,
                "at": use.at, "operation": use.op, "request_id": use.request,
            }  # fmt: skip
    if newest:
        put = insert(uses)
        changed = {name: put.excluded[name] for name in ("at", "operation", "request_id")}
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
            called = select(events.c.event_id, events.c.name).where(
                events.c.request_id == use.request_id, events.c.name.in_(TRACKED)
            )
            event = connection.execute(called).first()
        at = datetime.fromisoformat(use.at).astimezone(UTC)
        if event is None:
            return KeyUse(use.operation, at, None, use.request_id)
        return KeyUse(event.name, at, event.event_id, use.request_id)

    def tracked_since(self) -> datetime | None:
        """When the oldest indexed event was; None for an empty trail."""
        first = select(events.c.at).order_by(events.c.sequence).limit(1)
        with faults_translated(), self._index.read() as connection:
            at = connection.execute(first).scalar_one_or_none()
        return None if at is None else datetime.fromtimestamp(at, UTC)
