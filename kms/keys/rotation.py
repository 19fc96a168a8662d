"""Rotation as callers see it: automatic, on demand, its status and its history (TRAPS 17)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from foundation.store import cancel, schedule
from foundation.wire import Page
from kms.keys.cache import Rows
from kms.keys.changes import Changes
from kms.keys.context import Context
from kms.keys.editing import Editing
from kms.keys.errors import Conflicting, InvalidState, LimitExceeded, UnsupportedOperation
from kms.keys.found import ORIGIN_EXTERNAL, ORIGIN_KMS, FoundKey, Material
from kms.keys.keys import Lookup
from kms.keys.pages import paged
from kms.keys.states import KeyState
from kms.keys.tables import KeyFamily, KeyMaterial

ROTATE: Final = "kms.rotate"
DEFAULT_PERIOD: Final = 365
AFTER_AUTOMATIC: Final = timedelta(minutes=20)
PENDING_ROTATION: Final = "PENDING_ROTATION"


def next_rotation(family: KeyFamily, now: datetime) -> datetime | None:
    """When the family's key rotates next: now when that was asked for, else as its period says."""
    return now if family.on_demand_at is not None else family.rotation_due


class Rotation:
    """The five rotation operations."""

    def __init__(self, context: Context, lookup: Lookup, editing: Editing) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup
        self._editing = editing

    def enable(self, key_id: str, days: int | None) -> None:
        """EnableKeyRotation; also changes the period of a key that rotates already."""

        def decide(rows: Rows) -> Changes:
            _automatic(rows.found, "EnableKeyRotation")
            period = days or DEFAULT_PERIOD
            if rows.family.rotation_days == period:
                return Changes()
            due = self._rooms.now() + timedelta(days=period)
            values = {"rotation_days": period, "rotation_due": due}
            when = next_rotation(rows.family, self._rooms.now()) if rows.family.on_demand_at else due
            return Changes(
                updates=[(rows.family, values)],
                also=[lambda session: schedule(session, ROTATE, rows.key.id, when or due)],
            )

        self._editing.edit(key_id, "EnableKeyRotation", decide)

    def disable(self, key_id: str) -> None:
        """DisableKeyRotation. An on-demand rotation that is under way goes on."""

        def decide(rows: Rows) -> Changes:
            _automatic(rows.found, "DisableKeyRotation")
            changes = Changes(updates=[(rows.family, {"rotation_days": None, "rotation_due": None})])
            if rows.family.on_demand_at is None:
                changes.also.append(lambda session: cancel(session, ROTATE, rows.key.id))
            return changes

        self._editing.edit(key_id, "DisableKeyRotation", decide)

    def status(self, key_id: str) -> Mapping[str, Any]:
        """GetKeyRotationStatus's answer. A key that is pending deletion does not rotate: false, until cancelled."""
        found = self._lookup.find(key_id, "GetKeyRotationStatus")
        _symmetric(found)
        pending = found.state in {KeyState.PENDING_DELETION, KeyState.PENDING_REPLICA_DELETION}
        enabled = found.rotation_days is not None and not pending
        answer: dict[str, Any] = {"KeyId": found.arn, "KeyRotationEnabled": enabled}
        if enabled:
            answer["RotationPeriodInDays"] = found.rotation_days
            answer["NextRotationDate"] = found.rotation_due
        if found.on_demand_at is not None:
            answer["OnDemandRotationStartDate"] = found.on_demand_at
        return answer

    def rotate_now(self, key_id: str) -> FoundKey:
        """RotateKeyOnDemand: begun now, done by the job, without touching the automatic schedule."""

        def decide(rows: Rows) -> Changes:
            now = self._rooms.now()
            self._judge_on_demand(rows, now)
            values = {"on_demand_at": now, "on_demand_count": rows.family.on_demand_count + 1}
            return Changes(
                updates=[(rows.family, values)],
                also=[lambda session: schedule(session, ROTATE, rows.key.id, now, only_earlier=True)],
            )

        return self._editing.edit(key_id, "RotateKeyOnDemand", decide)

    def _judge_on_demand(self, rows: Rows, now: datetime) -> None:
        found, family = rows.found, rows.family
        _symmetric(found)
        _primary(found, "RotateKeyOnDemand")
        if family.on_demand_at is not None:
            raise Conflicting(f"An on-demand rotation of {found.arn} is in progress already.")
        if (
            family.rotated_automatically_at is not None
            and now - family.rotated_automatically_at < AFTER_AUTOMATIC
        ):
            raise Conflicting(f"{found.arn} was rotated automatically less than 20 minutes ago.")
        if family.on_demand_count >= self._rooms.settings.on_demand_rotations:
            raise LimitExceeded(
                f"{found.arn} has reached the limit of {self._rooms.settings.on_demand_rotations} on-demand rotations."
            )
        if found.origin == ORIGIN_EXTERNAL:
            self._judge_imported(found, now)

    def _judge_imported(self, found: FoundKey, now: datetime) -> None:
        """New material must be there, in every Region of the set (TRAPS 16, 17)."""
        everywhere = self._rooms.rows.materials(self._context.unit, found.id)
        waiting = {row.region for row in everywhere if waits_to_rotate(row, now)}
        if set(found.regions) - waiting:
            raise InvalidState(
                f"{found.arn} has no imported key material that is pending rotation in every Region."
            )

    def history(
        self, key_id: str, *, include: str, limit: int, marker: str | None
    ) -> tuple[FoundKey, Page[Material]]:
        """ListKeyRotations: materials in the order of their versions, without the first unless all are asked for."""
        found = self._lookup.find(key_id, "ListKeyRotations")
        _symmetric(found)
        listed = [
            material
            for material in found.materials
            if include == "ALL_KEY_MATERIAL" or material.rotated_at is not None
        ]

        def fetch(after: Any, count: int) -> Sequence[Material]:
            return [material for material in listed if after is None or material.version > after[0]][:count]

        page = paged(
            self._context, "ListKeyRotations", fetch, lambda material: (material.version,),
            limit=limit, marker=marker, filters=(found.arn, include),
        )  # fmt: skip
        return found, page


def waits_to_rotate(row: KeyMaterial, now: datetime) -> bool:
    """Whether it is imported material that a rotation at `now` would make the current one."""
    lives = row.token is not None and (row.valid_to is None or now < row.valid_to)
    return lives and row.state == PENDING_ROTATION


def _symmetric(found: FoundKey) -> None:
    if not found.spec.symmetric:
        raise UnsupportedOperation(
            f"{found.arn} is not a symmetric encryption KMS key; its material does not rotate."
        )


def _primary(found: FoundKey, operation: str) -> None:
    if found.multi_region_type == "REPLICA":
        raise UnsupportedOperation(f"{found.arn} is a replica; use {operation} on the primary key.")


def _automatic(found: FoundKey, operation: str) -> None:
    _symmetric(found)
    if found.origin != ORIGIN_KMS:
        raise UnsupportedOperation(
            f"{found.arn} origin is {found.origin} which is not valid for this operation."
        )
    _primary(found, operation)
