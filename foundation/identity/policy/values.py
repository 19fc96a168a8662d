"""The typed values of conditions: numbers, dates, booleans, addresses, bytes. Each reader gives None for others."""

import base64
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

__all__ = ["Range", "read_address", "read_bytes", "read_date", "read_flag", "read_number", "read_range"]

_number = re.compile(r"[+-]?[0-9]{1,64}(?:\.[0-9]{1,64})?")
# https://www.w3.org/TR/NOTE-datetime; seconds may have a fraction.
_date = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?)?"
)

FLAGS = {"true": True, "false": False}

Range = tuple[int, int, int]
"""A range of addresses: IP version, first address, mask of the network part."""


def read_number(text: str) -> Decimal | None:
    """Read an integer or decimal number."""
    return Decimal(text) if _number.fullmatch(text) else None


def read_date(text: str) -> Decimal | None:
    """Read a date of W3C's profile of ISO 8601 (without an offset: UTC), or seconds since 1970."""
    found = _date.fullmatch(text)
    if not found:
        return read_number(text)
    year, month, day, hour, minute, second, fraction, offset = found.groups(default="")
    try:
        zone = timezone(_offset(offset)) if len(offset) > 1 else UTC
        whole = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            0,
            zone,
        )
    except ValueError:
        return None
    seconds = (whole - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    return Decimal(f"{seconds}") + Decimal(f"0.{fraction or 0}")


def _offset(text: str) -> timedelta:
    hours, minutes = int(text[1:3]), int(text[-2:])
    return (-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes)


def read_flag(text: str) -> bool | None:
    """Read `true` or `false`, in any case."""
    return FLAGS.get(text.lower())


def read_bytes(text: str) -> bytes | None:
    """Read base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def read_range(text: str) -> Range | None:
    """Read an address or a CIDR range; bits beyond the prefix are ignored."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.netmask)


@lru_cache(maxsize=1024)
def read_address(text: str) -> tuple[int, int] | None:
    """Read an address as (IP version, number); one of IPv4 in IPv6's mapped form is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        if address.ipv4_mapped is not None:
            return 4, int(address.ipv4_mapped)
    return address.version, int(address)
