"""The counters behind generations, raised by whoever holds a connection."""

from sqlalchemy import Connection, insert, update
from sqlmodel import col

from foundation.store.tables import Generation


def raise_counter(connection: Connection, name: str, by: int) -> int:
    """Raise the counter outside any unit; answers its new value."""
    raised = update(Generation).where(col(Generation.name) == name).values(value=col(Generation.value) + by)
    value = connection.execute(raised.returning(col(Generation.value))).scalar_one_or_none()
    if value is None:
        connection.execute(insert(Generation).values(name=name, value=by))
        return by
    return int(value)
