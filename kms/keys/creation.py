"""New keys: CreateKey's rules, the first material, and the rows of one commit."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from foundation.store import Scope, Unit, schedule
from kms.hsm import KeyRefused
from kms.keys.arns import MULTI_REGION_PREFIX
from kms.keys.changes import Changes, commit
from kms.keys.context import Context
from kms.keys.errors import LimitExceeded, UnsupportedOperation, ValidationError
from kms.keys.found import CURRENT, CUSTOMER, ORIGIN_EXTERNAL, ORIGIN_KMS, FoundKey, label_of
from kms.keys.specs import SYMMETRIC_DEFAULT, KeySpec, judge_spec
from kms.keys.states import KeyState
from kms.keys.tables import Alias, Key, KeyCount, KeyFamily, KeyMaterial

MATERIAL_ID_BYTES = 32


@dataclass(frozen=True, slots=True)
class Order:
    """A key to be made, judged. `policy` is a stored document (`kms.keys.policies`)."""

    spec: KeySpec
    usage: str
    policy: str
    origin: str = ORIGIN_KMS
    description: str = ""
    multi_region: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    manager: str = CUSTOMER
    alias: str | None = None  # of an AWS managed key
    rotation_days: int | None = None
    rotation_due: datetime | None = None


def judge_request(params: Mapping[str, Any]) -> tuple[KeySpec, str, str]:
    """(spec, usage, origin) of CreateKey's parameters. Raises ValidationError and UnsupportedOperation."""
    name, legacy = params.get("KeySpec"), params.get("CustomerMasterKeySpec")
    if name is not None and legacy is not None:
        raise ValidationError(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is "
            "deprecated."
        )
    origin = params.get("Origin", ORIGIN_KMS)
    if origin not in {ORIGIN_KMS, ORIGIN_EXTERNAL} or "CustomKeyStoreId" in params or "XksKeyId" in params:
        raise UnsupportedOperation(
            "keystead does not have custom key stores yet; use Origin AWS_KMS or EXTERNAL."
        )
    spec, usage = judge_spec(name or legacy or SYMMETRIC_DEFAULT, params.get("KeyUsage"))
    return spec, usage, origin


class Creation:
    """Makes keys in the caller's account and Region."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._rooms = context.rooms

    def create(self, order: Order, unit: Unit | None = None) -> FoundKey:
        """Make the key; durable on return. `unit` is another than the call's when keystead acts by itself.

        Raises LimitExceeded at the quota, UnsupportedOperation for what the key core cannot make, and the store's
        Duplicate when the alias of an AWS managed key exists already.
        """
        unit = unit or self._context.unit
        now = self._rooms.now()
        key_id = self._new_id(multi_region=order.multi_region)
        changes = Changes(new=[
            (KeyFamily, family_values(unit.scope, key_id, order)),
            (Key, key_values(unit.scope, key_id, order, now)),
        ])  # fmt: skip
        if order.origin == ORIGIN_KMS:
            changes.new.append((KeyMaterial, self._first_material(unit.scope, key_id, order, now)))
        if order.manager == CUSTOMER:
            changes.also.append(lambda session: count_key(session, unit.scope, 1, self._rooms.settings.keys))
        self.place(unit, changes, order, key_id, now)
        found = self._rooms.cache.key(unit.scope, key_id)
        if found is None:
            raise LookupError("a key is there once it has been committed")
        return found

    def place(self, unit: Unit, changes: Changes, order: Order, key_id: str, now: datetime) -> None:
        """Commit, with the alias and the first rotation of an AWS managed key."""
        due = order.rotation_due
        if due is not None:
            changes.also.append(lambda session: schedule(session, "kms.rotate", key_id, due))
        if order.alias is not None:
            scope = unit.scope
            changes.new.append((Alias, {
                "account": scope.account, "region": scope.region, "name": order.alias, "key_id": key_id,
                "created_at": now, "updated_at": now,
            }))  # fmt: skip
        commit(unit, self._rooms.core, changes)

    def _first_material(self, scope: Scope, key_id: str, order: Order, now: datetime) -> dict[str, Any]:
        label = label_of(scope, key_id, 1, order.spec, order.usage, order.origin)
        try:
            made = self._rooms.core.generate_key(label, self._context.asker)
        except KeyRefused as refused:
            raise UnsupportedOperation(
                f"The key core cannot make {order.spec.name} keys: {refused}"
            ) from refused
        return {
            "account": scope.account,
            "key_id": key_id,
            "region": scope.region,
            "version": 1,
            "material_id": self._rooms.entropy(MATERIAL_ID_BYTES).hex(),
            "token": made.token,
            "public_key": made.public_key,
            "state": CURRENT,
            "created_at": now,
        }

    def _new_id(self, *, multi_region: bool) -> str:
        drawn = uuid.UUID(bytes=self._rooms.entropy(16), version=4)
        return MULTI_REGION_PREFIX + drawn.hex if multi_region else str(drawn)


def family_values(scope: Scope, key_id: str, order: Order) -> dict[str, Any]:
    """The values of a new family's row: so far it has one Region."""
    return {
        "account": scope.account,
        "key_id": key_id,
        "manager": order.manager,
        "spec": order.spec.name,
        "usage": order.usage,
        "origin": order.origin,
        "multi_region": order.multi_region,
        "primary_region": scope.region,
        "regions": json.dumps([scope.region]),
        "rotation_days": order.rotation_days,
        "rotation_due": order.rotation_due,
    }


def key_values(
    scope: Scope, key_id: str, order: Order, now: datetime, state: KeyState | None = None
) -> dict[str, Any]:
    """The values of a new key's row."""
    first = KeyState.PENDING_IMPORT if order.origin == ORIGIN_EXTERNAL else KeyState.ENABLED
    return {
        "account": scope.account,
        "region": scope.region,
        "id": key_id,
        "state": state or first,
        "description": order.description,
        "policy": order.policy,
        "tags": json.dumps(dict(order.tags)),
        "created_at": now,
    }


def count_key(session: Session, scope: Scope, by: int, quota: int | None = None) -> None:
    """Count keys in the commit that makes or removes them; raise LimitExceeded beyond the quota."""
    row = session.get(KeyCount, (scope.account, scope.region))
    if row is None:
        row = KeyCount(account=scope.account, region=scope.region, keys=0)
    row.keys += by
    if quota is not None and row.keys > quota:
        raise LimitExceeded(f"The quota of {quota} KMS keys in this account and Region is reached.")
    session.add(row)
