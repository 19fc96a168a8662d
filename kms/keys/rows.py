"""The MAC that each of KMS's rows carries: a row changed behind keystead's back is refused, never used (SECURITY 2.2)."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec
from sqlmodel import SQLModel

from kms.keys.errors import KmsInternal

Row = TypeVar("Row", bound=SQLModel)
PURPOSE = "row"


class RowMac(Protocol):
    """The key core, as far as rows need it: HMAC-SHA-256 of each of the data under a key that never leaves it."""

    def macs(self, purpose: str, data: Sequence[bytes], /) -> list[bytes]: ...


class Tampered(KmsInternal):
    """A row whose MAC does not hold. The message names the table and the row's key, never its content."""


def columns(row: SQLModel) -> dict[str, Any]:
    """The row's stored values, without its MAC."""
    return {name: getattr(row, name) for name in type(row).model_fields if name != "mac"}


def macs_of(core: RowMac, rows: Iterable[tuple[type[SQLModel], Mapping[str, Any]]]) -> list[bytes]:
    """The MACs over rows' values, `row_version` among them, in one round trip.

    Columns without a value are left out, so that a nullable column may be added later.
    """
    return core.macs(PURPOSE, [_covered(str(table.__tablename__), values) for table, values in rows])


def check(core: RowMac, rows: Iterable[SQLModel]) -> None:
    """Raise Tampered for the first row whose MAC does not hold."""
    listed = list(rows)
    for row, mac in zip(listed, macs_of(core, ((type(row), columns(row)) for row in listed)), strict=True):
        kept: bytes = row.mac  # type: ignore[attr-defined]  # each of kms.keys.tables' MACed rows has one
        if not hmac.compare_digest(kept, mac):
            raise Tampered(
                f"The row {_name(row)} of {row.__tablename__} was changed outside of keystead; it is not used."
            )


def _covered(table: str, values: Mapping[str, Any]) -> bytes:
    listed = [[name, _plain(value)] for name, value in sorted(values.items()) if value is not None]
    return msgspec.json.encode([table, listed])


def _name(row: SQLModel) -> str:
    key = type(row).__table__.primary_key  # type: ignore[attr-defined]  # every table class has a __table__
    return "/".join(str(getattr(row, column.name)) for column in key)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, bytes):
        return value.hex()
    return value
