"""One write of KMS rows: sealed before the transaction, checked and applied inside it, seen by every cache after it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel

from foundation.store import Conflict, Unit, bump, unchanged
from kms.keys.changelog import note, subjects_of
from kms.keys.rows import RowMac, columns, macs_of
from kms.keys.tables import KeyMaterial

GENERATION = "kms"
ATTEMPTS = 32
_TURNS = threading.RLock()
T = TypeVar("T")


@dataclass(slots=True)
class Changes:
    """What a write will do. Rows come from an earlier read: they must be unchanged, or the decision is made anew.

    updates: (row, new values). new: (table class, values). gone: rows to be deleted, tokens overwritten first.
    also: further statements in the same transaction (due work, uniqueness, counts); repeatable, may raise.
    """

    updates: list[tuple[SQLModel, dict[str, Any]]] = field(default_factory=list)
    new: list[tuple[type[SQLModel], dict[str, Any]]] = field(default_factory=list)
    gone: list[SQLModel] = field(default_factory=list)
    also: list[Callable[[Session], None]] = field(default_factory=list)


def commit(unit: Unit, core: RowMac, changes: Changes) -> None:
    """Seal and write; durable on return. Raises Conflict when a row changed since it was read."""
    updates = [(row, _whole(type(row), columns(row) | values)) for row, values in changes.updates]
    new = [(table, _whole(table, values)) for table, values in changes.new]
    _seal(core, [*((type(row), values) for row, values in updates), *new])
    subjects = {
        *(each for row, values in updates for each in subjects_of(type(row), columns(row), values)),
        *(each for table, values in new for each in subjects_of(table, values)),
        *(each for row in changes.gone for each in subjects_of(type(row), columns(row))),
    }

    def body(session: Session) -> None:
        for row, values in updates:
            current = unchanged(session, row)
            for name, value in values.items():
                if name != "row_version":
                    setattr(current, name, value)
            session.add(current)
        for table, values in new:
            session.add(table(**values))
        for row in changes.gone:
            _purge(session, unchanged(session, row))
        session.flush()
        for act in changes.also:
            act(session)
        note(session, bump(session, GENERATION), subjects)

    unit.write(body)


def decided(act: Callable[[], T]) -> T:
    """Run read, decision and write, again while others change the rows in between. Raises Conflict in the end.

    Whoever was too late once waits for its turn among all that were in this process: many calls that change one key at
    the same time get through one after another.
    """
    try:
        return act()
    except Conflict:
        pass
    with _TURNS:
        for _ in range(ATTEMPTS - 2):
            try:
                return act()
            except Conflict:
                continue
        return act()


def _whole(table: type[SQLModel], values: dict[str, Any]) -> dict[str, Any]:
    """All values of the row with the version that its write will give it."""
    whole = {name: values.get(name, _default(table, name)) for name in table.model_fields if name != "mac"}
    whole["row_version"] = (values.get("row_version") or 0) + 1
    return whole


def _seal(core: RowMac, rows: list[tuple[type[SQLModel], dict[str, Any]]]) -> None:
    """Add to each row's values the MAC over them."""
    for (_, values), mac in zip(rows, macs_of(core, rows), strict=True):
        values["mac"] = mac


def _purge(session: Session, row: SQLModel) -> None:
    """Delete the row, its token overwritten first: the page that held it is not left to chance (SECURITY 2.3)."""
    if isinstance(row, KeyMaterial) and row.token:
        row.token = bytes(len(row.token))
        session.add(row)
        session.flush()
    session.delete(row)


def _default(table: type[SQLModel], name: str) -> Any:
    return table.model_fields[name].get_default(call_default_factory=False)
