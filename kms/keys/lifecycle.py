"""A key's life: enable, disable, description, the scheduled deletion and its cancellation (TRAPS 13, 15)."""

from typing import Final

from foundation.store import cancel, schedule
from kms.keys.cache import Rows
from kms.keys.changes import Changes
from kms.keys.context import Context
from kms.keys.editing import Editing
from kms.keys.errors import ValidationError
from kms.keys.found import FoundKey
from kms.keys.materials import lacking
from kms.keys.rotation import ROTATE, next_rotation
from kms.keys.states import KeyState
from kms.keys.waiting import DELETE, begin_waiting

SHORTEST: Final = 7
LONGEST: Final = 30


def judge_window(days: int | None) -> int:
    """The waiting period in days; the model lets 1 to 365 pass, KMS takes 7 to 30 (TRAPS 15)."""
    if days is None:
        return LONGEST
    if not SHORTEST <= days <= LONGEST:
        raise ValidationError(f"PendingWindowInDays must be between {SHORTEST} and {LONGEST}, inclusive.")
    return days


class Lifecycle:
    """State changes that a caller asks for."""

    def __init__(self, context: Context, editing: Editing) -> None:
        self._rooms = context.rooms
        self._editing = editing

    def enable(self, key_id: str) -> None:
        """EnableKey. A rotation that fell due while the key was disabled happens at once: its due row has waited."""

        def decide(rows: Rows) -> Changes:
            changes = Changes(updates=[(rows.key, {"state": KeyState.ENABLED})])
            due = next_rotation(rows.family, self._rooms.now())
            if due is not None and rows.family.primary_region == rows.key.region:
                changes.also.append(lambda session: schedule(session, ROTATE, rows.key.id, due))
            return changes

        self._editing.edit(key_id, "EnableKey", decide)

    def disable(self, key_id: str) -> None:
        self._editing.edit(
            key_id, "DisableKey", lambda rows: Changes(updates=[(rows.key, {"state": KeyState.DISABLED})])
        )

    def describe(self, key_id: str, description: str) -> None:
        """UpdateKeyDescription."""
        self._editing.edit(
            key_id,
            "UpdateKeyDescription",
            lambda rows: Changes(updates=[(rows.key, {"description": description})]),
        )

    def schedule_deletion(self, key_id: str, days: int) -> FoundKey:
        """ScheduleKeyDeletion. A primary with replicas waits for them first, without a date (TRAPS 16)."""

        def decide(rows: Rows) -> Changes:
            family, key = rows.family, rows.key
            primary = family.primary_region == key.region
            changes = Changes()
            if primary:
                changes.updates.append((family, {"primary_deleting": True}))
            if primary and len(rows.found.regions) > 1:
                changes.updates.append(
                    (key, {"state": KeyState.PENDING_REPLICA_DELETION, "window_days": days})
                )
                return changes
            begin_waiting(key, changes, self._rooms.now(), days)
            return changes

        found = self._editing.edit(key_id, "ScheduleKeyDeletion", decide)
        return self._editing.now(found)

    def cancel_deletion(self, key_id: str) -> FoundKey:
        """CancelKeyDeletion: the key is Disabled, never Enabled, whatever it was (TRAPS 15).

        One that lacks material is PendingImport instead: the model lets ImportKeyMaterial into PendingImport and Enabled
        only, and DeleteImportedKeyMaterial gives PendingImport whether or not the key was disabled before.
        """

        def decide(rows: Rows) -> Changes:
            state = KeyState.DISABLED
            if lacking(rows.materials):
                state = KeyState.PENDING_IMPORT
            changes = Changes(updates=[(
                rows.key, {"state": state, "window_days": None, "deletion_at": None, "waited_until": None}
            )])  # fmt: skip
            if rows.family.primary_region == rows.key.region:
                changes.updates.append((rows.family, {"primary_deleting": False}))
            changes.also.append(lambda session: cancel(session, DELETE, rows.key.id))
            return changes

        return self._editing.edit(key_id, "CancelKeyDeletion", decide)
