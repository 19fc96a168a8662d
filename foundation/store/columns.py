"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, Dialect, Integer, MetaData, String, Table, event
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from foundation.store.errors import BadValue

# Names by rule, so that a violated constraint has the same name on both databases (errors.Duplicate).
SQLModel.metadata.naming_convention = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

_MAX = 2**63 - 1
_MIN = -(2**63)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, to the microsecond.

    PostgreSQL: timestamptz. SQLite: text of fixed width ("2026-01-31T12:00:00.000000Z"), so that text order is
    time order. Naive datetimes are refused with BadValue.
    """

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise BadValue("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return moment
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 -- SQLAlchemy calls it so
        if value is None:
            return None
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return moment.astimezone(UTC)


@event.listens_for(Table, "after_parent_attach")
def _every_int_has_64_bits(table: Table, parent: MetaData) -> None:
    """SQLModel's `int` is PostgreSQL's 32-bit integer, SQLite's is 64 bits wide: take the wide one on both."""
    if parent is SQLModel.metadata:
        for column in table.columns:
            if type(column.type) is Integer:
                column.type = BigInteger()


def check_value(value: object) -> None:
    """Raise BadValue for what one of the databases would refuse in its own words, or would take and lose."""
    if isinstance(value, str):
        if "\x00" in value:
            raise BadValue("text that is stored cannot contain a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadValue("text that is stored cannot contain a lone surrogate") from None
    elif isinstance(value, int) and not _MIN <= value <= _MAX:
        raise BadValue("a number that is stored must fit in 64 bits")
