"""Multi-Region keys as callers see them: replicas, and who is the primary (TRAPS 16)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from foundation.identity import Resource, account_resource, authorize
from foundation.store import Duplicate, Scope, schedule
from kms.keys.arns import key_arn
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit, decided
from kms.keys.context import Context
from kms.keys.creation import Order, count_key, key_values
from kms.keys.editing import Editing
from kms.keys.errors import AlreadyExists, InvalidState, NotFound, UnsupportedOperation, ValidationError
from kms.keys.found import PLAIN, FoundKey
from kms.keys.keys import Lookup
from kms.keys.states import KeyState, check_state
from kms.keys.tables import Key

REPLICATE = "kms.replicate"
PRIMARY = "kms.primary"


class Regions:
    """ReplicateKey and UpdatePrimaryRegion, asked in the primary's Region."""

    def __init__(self, context: Context, lookup: Lookup, editing: Editing) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup
        self._editing = editing

    def judge_region(self, region: str) -> None:
        """Raise ValidationError for a Region in which keystead does not serve KMS, and for the caller's own."""
        served = self._rooms.settings.regions
        if served and region not in served:
            raise ValidationError(f"KMS is not available in the Region {region}.")

    def replicate(
        self, key_id: str, region: str, *, policy: str, description: str, tags: Mapping[str, str]
    ) -> FoundKey:
        """ReplicateKey: a new key row in the other Region, Creating until a job has sealed the materials for it.

        The caller also needs kms:CreateKey there. Raises AlreadyExists when the set has a key in that Region.
        """
        found = self._lookup.find(key_id, "ReplicateKey")
        self._editing.own(found, "ReplicateKey")
        there = self._context.elsewhere(region, because=f"a replica of {found.arn} is asked for")
        self._ask_there(region, tags)
        now = self._rooms.now()
        order = Order(
            found.spec, found.usage, policy, found.origin, description, multi_region=True, tags=tags
        )

        def act() -> None:
            rows = self._primary(found, "ReplicateKey")
            regions = rows.found.regions
            if region in regions:
                raise AlreadyExists(f"{key_arn(there.scope, found.id)} already exists.")
            new = key_values(there.scope, found.id, order, now, KeyState.CREATING)
            quota = self._rooms.settings.keys
            changes = Changes(
                updates=[(rows.family, {"regions": json.dumps([*regions, region])})],
                new=[(Key, new)],
                also=[
                    lambda session: schedule(session, REPLICATE, found.id, now),
                    lambda session: count_key(session, there.scope, 1, quota),
                ],
            )
            commit(there, self._rooms.core, changes)

        try:
            decided(act)
        except Duplicate as there_already:
            raise AlreadyExists(f"{key_arn(there.scope, found.id)} already exists.") from there_already
        self._rooms.settle()
        replica = self._editing.rows(there, found.id).found
        self._context.also_about(Resource(arn=replica.arn, account=there.scope.account))
        return replica

    def update_primary(self, key_id: str, region: str) -> None:
        """UpdatePrimaryRegion: both keys are Updating until a job has changed their parts; they go on working."""
        found = self._lookup.find(key_id, "UpdatePrimaryRegion")
        self._editing.own(found, "UpdatePrimaryRegion")
        replica = self._rooms.cache.key(Scope(found.scope.account, region), found.id)
        if replica is not None and found.multi_region and region in found.regions:
            call = replace(self._context.call, region=region)
            resource = replica.resource(call, PLAIN)
            self._context.also_about(resource)
            authorize(call, "kms:UpdatePrimaryRegion", resource)

        def act() -> None:
            rows = self._primary(found, "UpdatePrimaryRegion")
            if region == found.scope.region:
                raise ValidationError(f"{found.arn} is the primary key already.")
            if region not in rows.found.regions:
                raise NotFound(
                    f"Key '{key_arn(Scope(found.scope.account, region), found.id)}' does not exist"
                )
            there = self._context.elsewhere(region, because=f"{found.arn} is to be no longer the primary")
            replica = self._editing.rows(there, found.id).found
            check_state("UpdatePrimaryRegion", replica.state, replica.arn)
            changes = Changes(
                updates=[(rows.family, {"next_primary": region}), (rows.key, {})],
                also=[lambda session: schedule(session, PRIMARY, found.id, self._rooms.now())],
            )
            commit(self._context.unit, self._rooms.core, changes)

        decided(act)
        self._rooms.settle()

    def _primary(self, found: FoundKey, operation: str) -> Rows:
        """The primary's rows as of now. Raises UnsupportedOperation for any other key, then its state's refusal."""
        rows = self._editing.rows(self._context.unit, found.id)
        now = rows.found
        if now.multi_region_type != "PRIMARY":
            raise UnsupportedOperation(f"{found.arn} is not a multi-Region primary key.")
        check_state(operation, now.state, found.arn)
        if rows.family.next_primary is not None or rows.family.primary_deleting:
            raise InvalidState(f"{found.arn} is changing; try again when it has settled.")
        return rows

    def _ask_there(self, region: str, tags: Mapping[str, str]) -> None:
        call = replace(self._context.call, region=region)
        resource = replace(account_resource(call), request_tags=tags)
        actions: Sequence[str] = ("kms:CreateKey", "kms:TagResource") if tags else ("kms:CreateKey",)
        for action in actions:
            authorize(call, action, resource)


def configuration(found: FoundKey) -> dict[str, Any]:
    """MultiRegionConfiguration of a key: who is primary, and where the replicas are."""

    def named(region: str) -> dict[str, str]:
        return {"Arn": key_arn(Scope(found.scope.account, region), found.id), "Region": region}

    return {
        "MultiRegionKeyType": found.multi_region_type,
        "PrimaryKey": named(found.primary_region),
        "ReplicaKeys": [named(region) for region in found.regions if region != found.primary_region],
    }
