"""What becomes of a key when imported material comes and goes, in one Region and in a set of them (TRAPS 16, 18)."""

from collections.abc import Mapping
from typing import Any, Final

from kms.hsm import ImportedKey
from kms.keys.cache import Rows
from kms.keys.changes import Changes
from kms.keys.found import CURRENT, ENDING, PERMANENT
from kms.keys.rotation import PENDING_ROTATION
from kms.keys.states import KeyState
from kms.keys.tables import KeyMaterial

EXPIRE: Final = "kms.expire_material"
PENDING_EVERYWHERE: Final = "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
KEPT: Final = ("material_id", "state", "rotated_at", "rotation_type", "description")
"""What a Region's first copy of a material takes over from the primary's."""


def expiry_of(key_id: str, version: int) -> str:
    """The subject of the due work that ends a material."""
    return f"{key_id}/{version}"


def lacking(materials: list[KeyMaterial]) -> bool:
    """Whether a Region lacks a material that its key needs to be enabled: there is none, or a permanent one is gone."""
    needed = [row for row in materials if row.state in PERMANENT]
    return not needed or any(row.token is None for row in needed)


class Materials:
    """The materials of one key: `rows` of this Region, `everywhere` of all the Regions of its set."""

    def __init__(self, rows: Rows, everywhere: list[KeyMaterial]) -> None:
        self._rows = rows
        self._everywhere = everywhere
        self._here = {row.version: row for row in rows.materials}

    @property
    def known(self) -> Mapping[str, int]:
        """Version by id of all that was ever imported."""
        return {row.material_id: row.version for row in self._everywhere}

    @property
    def next_version(self) -> int:
        return max((row.version for row in self._everywhere), default=0) + 1

    @property
    def waiting(self) -> KeyMaterial | None:
        """Material that has not become permanent yet."""
        return next((row for row in self._everywhere if row.state not in PERMANENT), None)

    def named(self, material_id: str | None) -> KeyMaterial | None:
        """This Region's copy of a material; of the current one without an id."""
        for row in self._rows.materials:
            if row.material_id == material_id or (material_id is None and row.state == CURRENT):
                return row
        return None

    def taken(self, imported: ImportedKey, values: Mapping[str, Any]) -> Changes:
        """An import: into the Region's row of that version, or a new one."""
        key, family = self._rows.key, self._rows.family
        changes = Changes(updates=[(family, {})])
        row = self._here.get(imported.version)
        if row is not None:
            values = {name: value for name, value in values.items() if name != "created_at"}
            changes.updates.append((row, dict(values)))
        else:
            shared = self._shared(imported)
            place = {
                "account": key.account,
                "region": key.region,
                "key_id": key.id,
                "version": imported.version,
            }
            self._settled(changes, imported.version, shared["state"])
            shared["state"] = self._state(imported.version, shared["state"])
            changes.new.append((KeyMaterial, {**shared, **place, **values}))
        if key.state == KeyState.PENDING_IMPORT and not self._lacking_but(imported.version):
            changes.updates.append((key, {"state": KeyState.ENABLED}))
        else:
            changes.updates.append((key, {}))
        return changes

    def removed(self, row: KeyMaterial) -> Changes:
        """A deletion or an expiry. What waits to rotate in is forgotten, from a primary in every Region."""
        key, family = self._rows.key, self._rows.family
        changes = Changes(updates=[(family, {})])
        if row.state in PERMANENT:
            changes.updates.append((row, {"token": None, "valid_to": None}))
            state = {} if key.state in ENDING else {"state": KeyState.PENDING_IMPORT}
            changes.updates.append((key, state))
            return changes
        changes.updates.append((key, {}))
        others = [one for one in self._everywhere if one.version == row.version and one.region != row.region]
        changes.gone.append(row)
        if key.region == family.primary_region:
            changes.gone += others
        else:
            changes.updates += [(one, {"state": PENDING_EVERYWHERE}) for one in others]
        return changes

    def _shared(self, imported: ImportedKey) -> dict[str, Any]:
        for row in self._everywhere:
            if row.version == imported.version:
                return {name: getattr(row, name) for name in KEPT}
        first = not self._everywhere
        return {"material_id": imported.material_id, "state": CURRENT if first else PENDING_EVERYWHERE}

    def _state(self, version: int, state: str) -> str:
        """The state of a Region's new copy: waiting material is ready once the last Region has it."""
        return (
            state
            if state in PERMANENT
            else PENDING_ROTATION
            if self._complete(version)
            else PENDING_EVERYWHERE
        )

    def _settled(self, changes: Changes, version: int, state: str) -> None:
        if state in PERMANENT or not self._complete(version):
            return
        changes.updates += [
            (row, {"state": PENDING_ROTATION}) for row in self._everywhere if row.version == version
        ]

    def _complete(self, version: int) -> bool:
        """Whether with this Region every Region of the set has the material."""
        have = {row.region for row in self._everywhere if row.version == version and row.token is not None}
        return set(self._rows.found.regions) <= {*have, self._rows.key.region}

    def _lacking_but(self, version: int) -> bool:
        """Whether, once this version is there, the key still lacks a permanent material in this Region."""
        needed = {row.version for row in self._everywhere if row.state in PERMANENT} or {version}
        have = {row.version for row in self._rows.materials if row.token is not None} | {version}
        return not needed <= have
