"""Keys in memory: the hot path reads no ORM. The cache follows the generation that every mutation of KMS raises."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from sqlmodel import Session, SQLModel, col, select

from foundation.store import Scope, Store, Unit
from kms.keys.changes import GENERATION
from kms.keys.found import NO_GRANTS, FoundKey, GrantSource, found_key
from kms.keys.grant_rows import GrantRows, KeyGrants
from kms.keys.rows import RowMac, Tampered, check
from kms.keys.tables import Alias, Key, KeyFamily, KeyMaterial

K = TypeVar("K")
V = TypeVar("V")
SIZE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rows:
    """One key's rows, whose MACs hold. `materials` are those of the key's Region."""

    key: Key
    family: KeyFamily
    materials: list[KeyMaterial]
    aliases: list[Alias]

    @property
    def found(self) -> FoundKey:
        """The key, without its grants: to be changed, not to be asked about."""
        return self.granted(NO_GRANTS)

    def granted(self, grants: GrantSource) -> FoundKey:
        """The key with its grants."""
        return found_key(self.key, self.family, self.materials, self.aliases, grants)

    def all(self) -> list[SQLModel]:
        return [self.key, self.family, *self.materials, *self.aliases]


class KeyRows:
    """Reads rows and checks their MACs. `alarm` is told of a row that was tampered with, before it is refused."""

    def __init__(self, core: RowMac, alarm: Callable[[Scope, Tampered], None]) -> None:
        self._core = core
        self._alarm = alarm

    def key(self, unit: Unit, key_id: str) -> Rows | None:
        """One key's rows as of now; None when there is no such key here."""
        with unit.read() as session:
            rows = _read(session, unit.scope, key_id)
        if rows is not None:
            self.verified(unit.scope, rows.all())
        return rows

    def alias(self, unit: Unit, name: str) -> Alias | None:
        """One alias as of now."""
        with unit.read() as session:
            row: Alias | None = session.get(Alias, (unit.scope.account, unit.scope.region, name))
        if row is not None:
            self.verified(unit.scope, [row])
        return row

    def family(self, unit: Unit, key_id: str) -> KeyFamily | None:
        """What the Regions' keys of that id share; None when the last of them is gone."""
        with unit.read() as session:
            row: KeyFamily | None = session.get(KeyFamily, (unit.scope.account, key_id))
        if row is not None:
            self.verified(unit.scope, [row])
        return row

    def materials(self, unit: Unit, key_id: str) -> list[KeyMaterial]:
        """The materials of a key in all its Regions."""
        with unit.read() as session:
            rows = list(session.exec(select(KeyMaterial).where(KeyMaterial.key_id == key_id)))
        self.verified(unit.scope, rows)
        return rows

    def verified(self, scope: Scope, rows: Iterable[SQLModel]) -> None:
        """Raise Tampered, after the alarm, unless every row's MAC holds."""
        try:
            check(self._core, rows)
        except Tampered as tampered:
            self._alarm(scope, tampered)
            raise


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known at one generation. Replaced whole, never emptied: a late writer fills one that nobody reads."""

    generation: int
    keys: dict[tuple[Scope, str], FoundKey] = field(default_factory=dict)
    aliases: dict[tuple[Scope, str], str] = field(default_factory=dict)


class KeyCache:
    """Thread-safe; one for a process. What it answers is as new as the store's generation (ARCHITECTURE 4)."""

    def __init__(self, store: Store, rows: KeyRows, size: int = SIZE) -> None:
        self._store = store
        self._rows = rows
        self._grants = GrantRows(rows.verified)
        self._size = size
        self._known = _Known(-1)
        self._filling = threading.Lock()

    def key(self, scope: Scope, key_id: str) -> FoundKey | None:
        """The key of that id in that account and Region; raises Tampered."""
        known = self._current().keys
        found = known.get((scope, key_id))
        return self._loaded(known, (scope, key_id), self._load_key) if found is None else found

    def alias(self, scope: Scope, name: str) -> str | None:
        """The id of the key that the alias stands for; raises Tampered."""
        known = self._current().aliases
        found = known.get((scope, name))
        return self._loaded(known, (scope, name), self._load_alias) if found is None else found

    def _current(self) -> _Known:
        # The generation is read before the rows: what is read later may be newer than its label, never older.
        generation = self._store.generation(GENERATION)
        known = self._known
        if generation > known.generation:
            known = self._known = _Known(generation)
        return known

    def _loaded(self, known: dict[K, V], key: K, load: Callable[[K], V | None]) -> V | None:
        """What the database has. What does not exist is not remembered: strangers may ask for anything."""
        found = load(key)
        if found is not None:
            with self._filling:
                if len(known) >= self._size:
                    del known[next(iter(known))]
                known[key] = found
        return found

    def _load_key(self, key: tuple[Scope, str]) -> FoundKey | None:
        unit = self._store.unit(key[0])
        rows = self._rows.key(unit, key[1])
        return None if rows is None else rows.granted(KeyGrants(unit, self._grants, key[1]))

    def _load_alias(self, key: tuple[Scope, str]) -> str | None:
        row = self._rows.alias(self._store.unit(key[0]), key[1])
        return None if row is None else row.key_id


def _read(session: Session, scope: Scope, key_id: str) -> Rows | None:
    key = session.get(Key, (scope.account, scope.region, key_id))
    family = session.get(KeyFamily, (scope.account, key_id))
    if key is None or family is None:
        return None
    mine = select(KeyMaterial).where(KeyMaterial.key_id == key_id, KeyMaterial.region == scope.region)
    named = select(Alias).where(Alias.key_id == key_id).order_by(col(Alias.name))
    return Rows(key, family, list(session.exec(mine)), list(session.exec(named)))
