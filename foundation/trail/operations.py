"""CloudTrail on the wire: LookupEvents, from the trail's index, in the caller's own account and Region."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from foundation.identity import Call, Resource, account_resource
from foundation.trail.errors import InvalidLookupAttributes, InvalidTimeRange
from foundation.trail.index import Filter, IndexedEvent, TrailIndex
from foundation.wire import Operations, Params, TokenSeal, page

__all__ = ["Lookup", "cloudtrail"]

MOST_RESULTS = 50

cloudtrail = Operations("cloudtrail")

# CloudTrail's AttributeKey -> where the index keeps it.
ATTRIBUTES: Mapping[str, str] = {
    "EventId": "event_id",
    "EventName": "name",
    "ReadOnly": "read_only",
    "Username": "username",
    "ResourceType": "resource_type",
    "ResourceName": "resource_name",
    "EventSource": "source",
    "AccessKeyId": "access_key_id",
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """What LookupEvents works with: the index, the caller, and the seal of paging tokens."""

    index: TrailIndex
    call: Call
    seal: TokenSeal


def _own_trail(lookup: Lookup, _params: Params) -> Resource:
    return account_resource(lookup.call)


@cloudtrail.operation("LookupEvents", on=_own_trail)
def lookup_events(lookup: Lookup, params: Params) -> Params:
    """List management events, newest first. Source: CloudTrail API, LookupEvents.

    One attribute at most, as in CloudTrail. Raises InvalidLookupAttributesException, InvalidTimeRangeException,
    InvalidNextTokenException.
    """
    if "EventCategory" in params:
        return {"Events": []}  # its only value is `insight`, and keystead derives no insights
    wanted = _filter(lookup.call, params)
    result = page(
        lambda after, count: lookup.index.find(wanted, before=_before(after), limit=count),
        key=lambda event: (-event.at, -event.sequence),
        token=params.get("NextToken"),
        limit=params.get("MaxResults", MOST_RESULTS),
        seal=lookup.seal,
        bound_to=(lookup.call.account, lookup.call.region, "LookupEvents", repr(wanted)),
    )
    answer: Params = {"Events": [_answer(event) for event in result.items]}
    if result.next_token is not None:
        answer["NextToken"] = result.next_token
    return answer


def _filter(call: Call, params: Params) -> Filter:
    start: datetime | None = params.get("StartTime")
    end: datetime | None = params.get("EndTime")
    if start is not None and end is not None and start > end:
        raise InvalidTimeRange("The start time must not be after the end time.")
    attributes = params.get("LookupAttributes", [])
    if len(attributes) > 1:
        raise InvalidLookupAttributes("You can only specify one lookup attribute.")
    return Filter(
        account=call.account,
        region=call.region,
        since=None if start is None else math.ceil(start.timestamp()),
        until=None if end is None else math.floor(end.timestamp()),
        attribute=_attribute(attributes[0]) if attributes else None,
    )


def _attribute(attribute: Mapping[str, str]) -> tuple[str, str | bool]:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key != "ReadOnly":
        return ATTRIBUTES[key], value
    if value not in {"true", "false"}:
        raise InvalidLookupAttributes("The value of ReadOnly is 'true' or 'false'.")
    return ATTRIBUTES[key], value == "true"


def _before(after: tuple[Any, ...] | None) -> tuple[int, int] | None:
    return None if after is None else (-int(after[0]), -int(after[1]))


def _answer(event: IndexedEvent) -> Params:
    return {
        "EventId": event.event_id,
        "EventName": event.name,
        "ReadOnly": "true" if event.read_only else "false",
        "AccessKeyId": event.access_key_id or None,
        "EventTime": datetime.fromtimestamp(event.at, UTC),
        "EventSource": event.source,
        "Username": event.username,
        "Resources": [
            {"ResourceName": name, **({"ResourceType": kind} if kind else {})}
            for name, kind in event.resources
        ],
        "CloudTrailEvent": event.body,
    }
