"""Keys in memory: the hot path reads no ORM. The cache follows the generation that every mutation of KMS raises, and
drops what that mutation changed."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from sqlmodel import Session, SQLModel, col, select

from foundation.store import Scope, Store, Unit
from kms.keys.changelog import Subject, changed
from kms.keys.changes import GENERATION
from kms.keys.found import NO_GRANTS, FoundKey, GrantSource, found_key
from kms.keys.grant_rows import GrantRows, KeyGrants
from kms.keys.rows import RowMac, Tampered, check
from kms.keys.tables import Alias, Key, KeyFamily, KeyMaterial

V = TypeVar("V")
Place = tuple[Scope, str]
"""A key's id or an alias's name, in an account and Region."""
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


class KeyCache:
    """Thread-safe; one for a process. What it answers is as new as the store's generation (ARCHITECTURE 4).

    A generation that passes drops what it changed (`kms.keys.changelog`), or everything when that is not known any more.
    """

    def __init__(self, store: Store, rows: KeyRows, size: int = SIZE) -> None:
        self._store = store
        self._rows = rows
        self._grants = GrantRows(rows.verified)
        self._size = size
        # Read without the lock, each by one operation; written under it, the generation last.
        self._generation = -1
        self._keys: dict[Place, FoundKey] = {}
        self._aliases: dict[Place, str] = {}
        self._lock = threading.Lock()
        self._dropped: dict[Place, int] = {}  # at which generation a place was dropped last
        self._floor = -1  # no place that is not in `_dropped` was dropped later than this

    def key(self, scope: Scope, key_id: str) -> FoundKey | None:
        """The key of that id in that account and Region; raises Tampered."""
        generation = self._caught_up()
        found = self._keys.get((scope, key_id))
        if found is None:
            found = self._load_key((scope, key_id))
            self._keep(self._keys, (scope, key_id), found, generation)
        return found

    def alias(self, scope: Scope, name: str) -> str | None:
        """The id of the key that the alias stands for; raises Tampered."""
        generation = self._caught_up()
        target = self._aliases.get((scope, name))
        if target is None:
            target = self._load_alias((scope, name))
            self._keep(self._aliases, (scope, name), target, generation)
        return target

    def _caught_up(self) -> int:
        """The generation that the cache is at: not older than the store's. What is read later may only be newer."""
        generation = self._store.generation(GENERATION)
        if generation > self._generation:
            with self._lock:
                if generation > self._generation:
                    self._catch_up(generation)
        return self._generation

    def _catch_up(self, generation: int) -> None:
        known = None if self._generation < 0 else changed(self._store, self._generation, generation)
        if known is None or len(self._dropped) > self._size:
            self._keys.clear()
            self._aliases.clear()
            self._dropped.clear()
            self._floor = generation
        else:
            for subject in known:
                self._drop(subject, generation)
        self._generation = generation

    def _drop(self, subject: Subject, generation: int) -> None:
        place = (subject.scope, subject.name)
        if subject.grantee is not None:
            found = self._keys.get(place)
            if found is not None:
                found.grants.forget(subject.grantee)
            return
        self._dropped[place] = generation
        self._keys.pop(place, None)
        self._aliases.pop(place, None)

    def _keep(self, kept: dict[Place, V], place: Place, found: V | None, read_at: int) -> None:
        """Remember what was read at a generation, unless it has changed since: whoever comes late fills in nothing old.

        What does not exist is not remembered: strangers may ask for anything.
        """
        if found is None:
            return
        with self._lock:
            if read_at < self._floor or read_at < self._dropped.get(place, -1):
                return
            if len(kept) >= self._size:
                del kept[next(iter(kept))]
            kept[place] = found

    def _load_key(self, place: Place) -> FoundKey | None:
        unit = self._store.unit(place[0])
        rows = self._rows.key(unit, place[1])
        return None if rows is None else rows.granted(KeyGrants(unit, self._grants, place[1]))

    def _load_alias(self, place: Place) -> str | None:
        row = self._rows.alias(self._store.unit(place[0]), place[1])
        return None if row is None else row.key_id


def _read(session: Session, scope: Scope, key_id: str) -> Rows | None:
    key = session.get(Key, (scope.account, scope.region, key_id))
    family = session.get(KeyFamily, (scope.account, key_id))
    if key is None or family is None:
        return None
    mine = select(KeyMaterial).where(KeyMaterial.key_id == key_id, KeyMaterial.region == scope.region)
    named = select(Alias).where(Alias.key_id == key_id).order_by(col(Alias.name))
    return Rows(key, family, list(session.exec(mine)), list(session.exec(named)))
