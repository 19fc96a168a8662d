"""The job `kms.rotate`: new material becomes current in every Region of the key at once; the old goes on decrypting."""

from datetime import datetime, timedelta
from typing import Any

from foundation.identity import Resource
from foundation.store import Claim, Unit
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit
from kms.keys.creation import MATERIAL_ID_BYTES
from kms.keys.found import CURRENT, NON_CURRENT, ORIGIN_EXTERNAL, FoundKey, label_of
from kms.keys.rotation import PENDING_ROTATION, next_rotation, waits_to_rotate
from kms.keys.states import KeyState
from kms.keys.tables import KeyMaterial
from kms.keys.work import Work, asker


class Rotating:
    """Rotates one key that is due."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, claim: Claim) -> None:
        """Rotate, or let go of work that is not to be done now; enabling the key makes it due again."""
        unit = self._work.store.unit(claim.scope)
        rows = self._work.rows.key(unit, claim.subject)
        now = self._work.now()
        if rows is None or not _rotates(rows):
            unit.write(claim.finish)
            return
        due = next_rotation(rows.family, now)
        if due is None or due > now:
            unit.write(lambda session: claim.finish(session, due))
            return
        if rows.family.origin == ORIGIN_EXTERNAL and not self._can_rotate_in(unit, rows, now):
            # What was to rotate in was deleted, or has expired, since the rotation was asked for.
            commit(
                unit, self._work.core, Changes([(rows.family, {"on_demand_at": None})], also=[claim.finish])
            )
            return
        self._rotate(claim, rows, now)

    def _rotate(self, claim: Claim, rows: Rows, now: datetime) -> None:
        found, family = rows.found, rows.family
        kind = "AUTOMATIC" if family.on_demand_at is None else "ON_DEMAND"
        values: dict[str, Any] = {"on_demand_at": None}
        if kind == "AUTOMATIC" and family.rotation_days is not None:
            values |= {
                "rotation_due": now + timedelta(days=family.rotation_days),
                "rotated_automatically_at": now,
            }
        due = values.get("rotation_due", family.rotation_due)
        changes = Changes(updates=[(family, values)])
        self._materials(claim, found, changes, {"rotated_at": now, "rotation_type": kind})
        changes.also.append(lambda session: claim.finish(session, due))
        self._work.journal.act(
            claim.scope,
            "RotateKey",
            {"keyId": found.arn, "rotationType": kind},
            (Resource(arn=found.arn, account=claim.scope.account),),
            lambda unit: commit(unit, self._work.core, changes),
        )

    def _can_rotate_in(self, unit: Unit, rows: Rows, now: datetime) -> bool:
        everywhere = self._work.rows.materials(unit, rows.key.id)
        return set(rows.found.regions) <= {row.region for row in everywhere if waits_to_rotate(row, now)}

    def _materials(self, claim: Claim, found: FoundKey, changes: Changes, facts: dict[str, Any]) -> None:
        everywhere = self._work.rows.materials(self._work.store.unit(claim.scope), found.id)
        changes.updates += [(row, {"state": NON_CURRENT}) for row in everywhere if row.state == CURRENT]
        if found.origin == ORIGIN_EXTERNAL:
            changes.updates += [
                (row, {"state": CURRENT, **facts}) for row in everywhere if row.state == PENDING_ROTATION
            ]
            return
        version = max(row.version for row in everywhere) + 1
        held = {row.region for row in everywhere}  # a replica that is being created gets all from its own job
        label = label_of(found.scope, found.id, version, found.spec, found.usage, found.origin)
        made = self._work.core.generate_key(label, asker(claim))
        shared = {
            "account": found.scope.account, "key_id": found.id, "version": version, "state": CURRENT,
            "material_id": self._work.entropy(MATERIAL_ID_BYTES).hex(), "created_at": facts["rotated_at"], **facts,
        }  # fmt: skip
        for region in found.regions:
            if region in held:
                token = made.token
                if region != found.scope.region:
                    token = self._work.core.reseal(made.token, label, asker(claim), region=region)
                changes.new.append((KeyMaterial, {**shared, "region": region, "token": token}))


def _rotates(rows: Rows) -> bool:
    """Only an enabled key rotates, and a set by its primary."""
    found = rows.found
    return found.state == KeyState.ENABLED and found.multi_region_type != "REPLICA"
