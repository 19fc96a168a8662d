"""The jobs of multi-Region keys: `kms.replicate` gives a new replica its materials, `kms.primary` swaps two parts."""

from typing import Any

from foundation.identity import Resource
from foundation.store import Claim, Conflict, Scope, cancel, schedule
from kms.keys.arns import key_arn
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit
from kms.keys.found import ORIGIN_EXTERNAL, label_of
from kms.keys.rotation import ROTATE, next_rotation
from kms.keys.specs import KEY_SPECS
from kms.keys.states import KeyState
from kms.keys.tables import KeyFamily, KeyMaterial
from kms.keys.work import Work, asker

SHARED = (
    "account", "key_id", "version", "material_id", "public_key", "state", "created_at", "rotated_at",
    "rotation_type", "description", "valid_to",
)  # fmt: skip


class Replicating:
    """Both jobs. Each is safe to repeat."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def fill(self, claim: Claim) -> None:
        """Seal the primary's materials for this Region; then the key is Enabled, or PendingImport if they are imported.

        A rotation in between changes the family, and the work is done anew.
        """
        unit = self._work.store.unit(claim.scope)
        rows = self._work.rows.key(unit, claim.subject)
        if rows is None or rows.key.state != KeyState.CREATING:
            unit.write(claim.finish)
            return
        imported = rows.family.origin == ORIGIN_EXTERNAL
        state = KeyState.PENDING_IMPORT if imported else KeyState.ENABLED
        changes = Changes(updates=[(rows.key, {"state": state}), (rows.family, {})], also=[claim.finish])
        if not imported:
            changes.new = [(KeyMaterial, values) for values in self._sealed(claim, rows)]
        self._work.journal.act(
            claim.scope,
            "CreateKey",
            {"keyId": rows.found.arn, "multiRegionKeyType": "REPLICA"},
            (Resource(arn=rows.found.arn, account=claim.scope.account),),
            lambda own: commit(own, self._work.core, changes),
        )

    def swap(self, claim: Claim) -> None:
        """Make the replica the primary: first its rotation is due in its own Region, then the parts change."""
        unit = self._work.store.unit(claim.scope)
        family = self._work.rows.family(unit, claim.subject)
        if family is None or family.next_primary is None:
            unit.write(claim.finish)
            return
        region = family.next_primary
        due = next_rotation(family, self._work.now())
        if due is not None:
            there = unit.at(Scope(claim.scope.account, region), because="the primary's part moves there")
            there.write(lambda session: schedule(session, ROTATE, claim.subject, due))
        changes = Changes(
            updates=[(family, {"primary_region": region, "next_primary": None})],
            also=[lambda session: cancel(session, ROTATE, claim.subject), claim.finish],
        )
        arn = key_arn(claim.scope, claim.subject)
        self._work.journal.act(
            claim.scope,
            "SynchronizeMultiRegionKey",
            {"keyId": arn, "primaryRegion": region},
            (Resource(arn=arn, account=claim.scope.account),),
            lambda own: commit(own, self._work.core, changes),
        )

    def _sealed(self, claim: Claim, rows: Rows) -> list[dict[str, Any]]:
        """The values of this Region's material rows, from those of the Region that is primary now."""
        family = rows.family
        held = {row.version for row in rows.materials}
        everywhere = self._work.rows.materials(self._work.store.unit(claim.scope), family.key_id)
        source = [
            row for row in everywhere if row.region == family.primary_region and row.version not in held
        ]
        return [self._for_here(claim, family, row) for row in source]

    def _for_here(self, claim: Claim, family: KeyFamily, row: KeyMaterial) -> dict[str, Any]:
        if row.token is None:
            raise Conflict("a generated material has its token for as long as its key lives")
        there = Scope(claim.scope.account, row.region)
        spec = KEY_SPECS[family.spec]
        label = label_of(there, row.key_id, row.version, spec, family.usage, family.origin)
        token = self._work.core.reseal(row.token, label, asker(claim), region=claim.scope.region)
        shared = {name: getattr(row, name) for name in SHARED}
        return {**shared, "region": claim.scope.region, "token": token}
