"""Users, roles, policies and access keys as plain values, and the MAC over each: what was changed behind keystead's back
is not used (SECURITY 2.2, the DB writer).

A record holds a row together with the rows that belong to it, and its MAC covers them all, so that none of them can be
changed, added or taken away. `version` is the row's, for optimistic writes, and not covered.
"""

import hmac
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, NoReturn, Protocol

import msgspec
from sqlmodel import Session, col, select

from foundation.identity.errors import Tampered
from foundation.identity.names import entity_arn, policy_arn
from foundation.identity.tables import (
    AccessKey,
    AttachedPolicy,
    Entity,
    InlinePolicy,
    ManagedPolicy,
    PolicyVersion,
)

__all__ = [
    "Alarm",
    "EntityRecord",
    "KeyRecord",
    "PolicyRecord",
    "RowMac",
    "VersionRecord",
    "Watch",
    "find_entity",
    "find_policy",
    "key_record",
    "log_alarm",
    "read_entity",
    "read_policy",
]

PURPOSE: Final = "row"

Alarm = Callable[[str, str], None]
"""Told (account, what happened) before the tampered record is refused. An operator should be woken by it."""

Tags = tuple[tuple[str, str], ...]


class RowMac(Protocol):
    """The key core, as far as rows need it: HMAC-SHA-256 under a key that never leaves it."""

    def mac(self, purpose: str, data: bytes, /) -> bytes: ...


def log_alarm(account: str, what: str) -> None:
    """Raise the alarm where nobody has said how."""
    logging.getLogger("keystead.identity").critical("ALARM account %s: %s", account, what)


@dataclass(frozen=True)
class EntityRecord:
    """A user or role. `inline` are (name, document), `attached` ARNs, both in order. See `tables.Entity`."""

    account: str
    id: str
    kind: str
    name: str
    path: str
    created_at: datetime
    tags: Tags = ()
    boundary: str = ""
    trust: str = ""
    description: str = ""
    longest_session: int = 3600
    inline: Tags = ()
    attached: tuple[str, ...] = ()
    version: int = 0

    @cached_property
    def arn(self) -> str:
        """The ARN that it has now."""
        return entity_arn(self.account, self.kind, self.path, self.name)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class VersionRecord:
    """One version of a customer managed policy."""

    number: int
    document: str
    created_at: datetime


@dataclass(frozen=True)
class PolicyRecord:
    """A customer managed policy. `versions` are in the order of their numbers. The two counts are not covered."""

    account: str
    id: str
    name: str
    path: str
    description: str
    created_at: datetime
    updated_at: datetime
    default_version: int
    last_version: int
    tags: Tags
    versions: tuple[VersionRecord, ...]
    attachments: int = 0
    boundaries: int = 0
    version: int = 0

    @cached_property
    def arn(self) -> str:
        return policy_arn(self.account, self.path, self.name)

    @property
    def document(self) -> str:
        """The document of the default version."""
        return next(one.document for one in self.versions if one.number == self.default_version)

    def __str__(self) -> str:
        return f"policy {self.name}"


@dataclass(frozen=True)
class KeyRecord:
    """An access key and whose it is."""

    access_key_id: str
    account: str
    principal_id: str
    sealed: bytes
    active: bool
    created_at: datetime

    def __str__(self) -> str:
        return f"access key {self.access_key_id}"


Record = EntityRecord | PolicyRecord | KeyRecord
NOT_COVERED: Final = frozenset({"version", "attachments", "boundaries"})


class Watch:
    """Makes MACs and holds records to them. Never inside a transaction: it asks the core."""

    def __init__(self, core: RowMac, alarm: Alarm = log_alarm) -> None:
        self._core = core
        self._alarm = alarm

    def mac(self, record: Record) -> bytes:
        """Make the MAC over everything that the record says."""
        return self.mac_of(
            type(record).__name__,
            [getattr(record, field.name) for field in fields(record) if field.name not in NOT_COVERED],
        )

    def mac_of(self, kind: str, values: list[Any]) -> bytes:
        """Make the MAC over the values of a row of some kind."""
        return self._core.mac(PURPOSE, msgspec.json.encode([f"iam {kind}", _plain(values)]))

    def hold(self, record: Record, mac: bytes) -> None:
        """Raise Tampered, after the alarm, unless this is the record's MAC."""
        self.compare(record.account, str(record), mac, self.mac(record))

    def compare(self, account: str, what: str, mac: bytes, wanted: bytes) -> None:
        """Raise Tampered, after the alarm, unless the two are equal."""
        if not hmac.compare_digest(mac, wanted):
            self.refuse(account, f"The record of the {what} was changed outside of keystead; it is not used.")

    def refuse(self, account: str, why: str) -> NoReturn:
        """Raise the alarm, and Tampered."""
        self._alarm(account, why)
        raise Tampered(why)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, VersionRecord):
        return [value.number, value.document, _plain(value.created_at)]
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def read_entity(session: Session, account: str, unique: str) -> tuple[EntityRecord, bytes] | None:
    """Read a user or role with its MAC by its unique id."""
    row = session.get(Entity, (account, unique))
    return None if row is None else _entity(session, row)


def find_entity(session: Session, kind: str, name: str) -> tuple[EntityRecord, bytes] | None:
    """Read a user or role of the session's account with its MAC by name."""
    mine = select(Entity).where(Entity.kind == kind, Entity.name_key == name.lower())
    row = session.exec(mine).one_or_none()
    return None if row is None or row.name != name else _entity(session, row)


def _entity(session: Session, row: Entity) -> tuple[EntityRecord, bytes]:
    inline = session.exec(
        select(InlinePolicy).where(InlinePolicy.entity_id == row.id).order_by(col(InlinePolicy.name))
    )
    attached = session.exec(
        select(AttachedPolicy.policy_arn)
        .where(AttachedPolicy.entity_id == row.id)
        .order_by(col(AttachedPolicy.policy_arn))
    )
    record = EntityRecord(
        account=row.account,
        id=row.id,
        kind=row.kind,
        name=row.name,
        path=row.path,
        created_at=row.created_at,
        tags=tags_of(row.tags),
        boundary=row.boundary,
        trust=row.trust,
        description=row.description,
        longest_session=row.longest_session,
        inline=tuple(sorted((one.name, one.document) for one in inline)),
        attached=tuple(sorted(attached)),
        version=row.row_version,
    )
    return record, row.mac


def read_policy(session: Session, account: str, unique: str) -> tuple[PolicyRecord, bytes] | None:
    """Read a customer managed policy with its MAC by its unique id."""
    row = session.get(ManagedPolicy, (account, unique))
    return None if row is None else _policy(session, row)


def find_policy(session: Session, arn: str, name: str) -> tuple[PolicyRecord, bytes] | None:
    """Read a customer managed policy of the session's account with its MAC, by ARN and the name in it."""
    row = session.exec(select(ManagedPolicy).where(ManagedPolicy.name_key == name.lower())).one_or_none()
    if row is None or policy_arn(row.account, row.path, row.name) != arn:
        return None
    return _policy(session, row)


def _policy(session: Session, row: ManagedPolicy) -> tuple[PolicyRecord, bytes]:
    versions = session.exec(
        select(PolicyVersion).where(PolicyVersion.policy_id == row.id).order_by(col(PolicyVersion.number))
    )
    record = PolicyRecord(
        account=row.account,
        id=row.id,
        name=row.name,
        path=row.path,
        description=row.description,
        created_at=row.created_at,
        updated_at=row.updated_at,
        default_version=row.default_version,
        last_version=row.last_version,
        tags=tags_of(row.tags),
        versions=tuple(VersionRecord(one.number, one.document, one.created_at) for one in versions),
        attachments=row.attachments,
        boundaries=row.boundaries,
        version=row.row_version,
    )
    return record, row.mac


def key_record(row: AccessKey) -> KeyRecord:
    """Give an access key's row as a record."""
    return KeyRecord(row.access_key_id, row.account, row.principal_id, row.sealed, row.active, row.created_at)


def tags_of(stored: str) -> Tags:
    """Read tags as they are stored, in their order."""
    found: Mapping[str, str] = json.loads(stored)
    return tuple(found.items())


def stored_tags(tags: Iterable[tuple[str, str]]) -> str:
    """Write tags as they are stored."""
    return json.dumps(dict(tags), ensure_ascii=False)
