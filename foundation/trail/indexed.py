"""What the index keeps of an event: read from its JSON, whoever wrote it, in the order of the index's columns."""

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

__all__ = ["IndexedFields", "Row", "event_row", "read_fields", "resource_rows", "username"]

Row = tuple[Any, ...]
"""In the order of the columns of its table."""


class Identity(msgspec.Struct, rename="camel"):
    """Who called, of `userIdentity`."""

    type: str = ""
    arn: str = ""
    user_name: str = ""
    invoked_by: str = ""
    principal_id: str = ""
    access_key_id: str = ""


class Named(msgspec.Struct):
    """One resource of an event."""

    arn: str = msgspec.field(name="ARN", default="")
    type: str = ""


class IndexedFields(msgspec.Struct, rename="camel"):
    """The members by which events are found."""

    event_time: str
    event_id: str = msgspec.field(name="eventID", default="")
    recipient_account_id: str = ""
    aws_region: str = ""
    event_name: str = ""
    event_source: str = ""
    read_only: bool = False
    request_id: str = msgspec.field(name="requestID", default="")
    user_identity: Identity = msgspec.field(default_factory=Identity)
    resources: list[Named] = []


_fields = msgspec.json.Decoder(IndexedFields)


def read_fields(body: bytes) -> IndexedFields:
    """Read an event. One whose members are of other types than ours is kept too, as text: the trail has it for good."""
    try:
        return _fields.decode(body)
    except msgspec.ValidationError:
        return msgspec.convert(_as_text(msgspec.json.decode(body)), IndexedFields, strict=False)


def event_row(sequence: int, body: bytes, event: IndexedFields) -> Row:
    """Give the event as a row of `events`."""
    identity = event.user_identity
    return (
        sequence,
        event.event_id,
        # Records of no account (refused calls, the deployment's own) are kept under an account nobody has.
        event.recipient_account_id,
        event.aws_region,
        _seconds(event.event_time),
        event.event_name,
        event.event_source,
        username(identity),
        identity.access_key_id,
        event.read_only,
        event.request_id,
        body.decode(),
    )


def resource_rows(sequence: int, event: IndexedFields) -> Iterator[Row]:
    """Give the event's resources as rows of `resources`."""
    for number, resource in enumerate(event.resources):
        yield sequence, number, resource.arn, resource.type


def username(identity: Identity) -> str:
    """Name the caller as LookupEvents does."""
    if identity.type == "Root":
        return "root"
    if identity.type == "AssumedRole":
        return identity.arn.rpartition("/")[2]
    return identity.user_name or identity.invoked_by or identity.principal_id


@lru_cache(maxsize=64)
def _seconds(time: str) -> int:
    """Since 1970. Many events are of one second."""
    return int(datetime.fromisoformat(time).timestamp())


def _as_text(event: dict[str, Any]) -> dict[str, Any]:
    identity, resources = event.get("userIdentity"), event.get("resources")
    return {
        **{name: str(value) for name, value in event.items() if value is not None},
        "readOnly": bool(event.get("readOnly")),
        "userIdentity": _texts(identity),
        "resources": [_texts(one) for one in resources] if isinstance(resources, list) else [],
    }


def _texts(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {name: str(member) for name, member in value.items() if member is not None}
