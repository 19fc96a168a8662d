"""Changing one key: read it anew, check its state, decide, write, and answer once every worker has seen it."""

from collections.abc import Callable

from foundation.store import Unit
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit, decided
from kms.keys.context import Context
from kms.keys.errors import NotFound
from kms.keys.found import CUSTOMER, FoundKey
from kms.keys.keys import Lookup, denied
from kms.keys.states import check_state

Decide = Callable[[Rows], Changes]


class Editing:
    """Edits the keys of one call's account. Changes of policies, states, tags and aliases tighten as often as they
    loosen, so each waits for the other workers (ARCHITECTURE 4)."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup

    def edit(self, key_id: str, operation: str, decide: Decide) -> FoundKey:
        """Apply what `decide` makes of the key's present rows; answers the key as it was found.

        `decide` may be called several times, after the state was checked; it raises what refuses the change.
        """
        found = self._lookup.find(key_id, operation)
        self.own(found, operation)

        def act() -> None:
            rows = self.rows(self._context.unit, found.id)
            check_state(operation, rows.found.as_of(self._rooms.now()).state, found.arn)
            commit(self._context.unit, self._rooms.core, decide(rows))

        decided(act)
        self._rooms.settle()
        return found

    def rows(self, unit: Unit, key_id: str) -> Rows:
        """The key's rows as of now, in the unit's Region; NotFound when it went in the meantime."""
        rows = self._rooms.rows.key(unit, key_id)
        if rows is None:
            raise NotFound(f"Key '{key_id}' does not exist")
        return rows

    def now(self, found: FoundKey) -> FoundKey:
        """The key as it is after an edit."""
        return self.rows(self._context.unit, found.id).found.as_of(self._rooms.now())

    def own(self, found: FoundKey, operation: str) -> None:
        """Raise AccessDenied for AWS's keys: nobody in the account manages them (KMS guide, "AWS managed keys")."""
        if found.manager != CUSTOMER:
            raise denied(self._context, operation, found.arn)
