"""What each generation of KMS's rows changed, so that a cache drops that and keeps the rest.

A commit raises the generation and writes one row for each subject, in the order of generations, since the counter's row is
locked until it ends. A reader that has fallen further behind than is kept, or finds a generation without rows, is told so.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from sqlmodel import Session, SQLModel

from foundation.store import SYSTEM, Add, Find, Remove, Scope, Store, rows_of
from kms.keys.arns import ALIAS_PREFIX
from kms.keys.tables import Alias, ChangedSubject, Grant, Key, KeyFamily, KeyMaterial

MOST: Final = 256
"""By how many generations a reader may be behind and still be told what changed."""
_GRANTS: Final = "/grants/"
_ADD: Final = Add(ChangedSubject, ("generation", "subject"))
_FIND: Final = Find(ChangedSubject, ("subject",), by=("generation",))
_REMOVE: Final = Remove(ChangedSubject, by=("generation",))


@dataclass(frozen=True, slots=True)
class Subject:
    """What changed in one Region: a key or an alias by name; with `grantee` only that principal's grants on the key."""

    scope: Scope
    name: str
    grantee: str | None = None

    @property
    def is_alias(self) -> bool:
        return self.name.startswith(ALIAS_PREFIX)

    def __str__(self) -> str:
        grants = "" if self.grantee is None else f"{_GRANTS}{self.grantee}"
        return f"{self.scope.account}/{self.scope.region}/{self.name}{grants}"

    @classmethod
    def read(cls, text: str) -> Self:
        account, region, rest = text.split("/", 2)
        scope = Scope(account, region)
        if rest.startswith(ALIAS_PREFIX):
            return cls(scope, rest)
        name, _, grantee = rest.partition(_GRANTS)
        return cls(scope, name, grantee or None)


def subjects_of(table: type[SQLModel], *states: Mapping[str, Any]) -> Iterator[Subject]:
    """What a row stands for, before and after its change: what caches have made of it."""
    for row in states:
        if table is KeyFamily:
            yield from (
                Subject(Scope(row["account"], each), row["key_id"]) for each in json.loads(row["regions"])
            )
            continue
        scope = Scope(row["account"], row["region"])
        if table is Grant:
            yield Subject(scope, row["key_id"], row["grantee"])
        elif table is Alias:
            yield Subject(scope, row["name"])
            yield Subject(scope, row["key_id"])
        elif table is Key:
            yield Subject(scope, row["id"])
        elif table is KeyMaterial:
            yield Subject(scope, row["key_id"])


def note(session: Session, generation: int, subjects: Iterable[Subject]) -> None:
    """In the commit that raised the generation: what it changed. A commit without a subject says that too."""
    rows = rows_of(session)
    for text in {str(subject) for subject in subjects} or {""}:
        rows.run(_ADD, {"generation": generation, "subject": text})
    rows.run(_REMOVE, {"generation": generation - MOST})


def changed(store: Store, after: int, until: int) -> list[Subject] | None:
    """The subjects of the generations behind `after`, up to `until`; None when that is not known (any more)."""
    if until - after > MOST:
        return None
    subjects = []
    with store.unit(SYSTEM).rows() as rows:
        for generation in range(after + 1, until + 1):
            found = rows.all(_FIND, {"generation": generation})
            if not found:
                return None
            subjects += [Subject.read(text) for (text,) in found if text]
    return subjects
