"""The job `kms.expire_material`: imported material ends when its importer said, as if it had been deleted (TRAPS 18)."""

from foundation.identity import Resource
from foundation.store import Claim, Unit
from kms.keys.changes import commit
from kms.keys.materials import Materials
from kms.keys.scrubbing import scrub_after
from kms.keys.work import Work


class Expiring:
    """Ends one material in one Region."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, claim: Claim) -> None:
        """Delete the material if it is over, else look again when it is."""
        key_id, _, version = claim.subject.partition("/")
        unit = self._work.store.unit(claim.scope)
        rows = self._work.rows.key(unit, key_id)
        row = next((one for one in rows.materials if one.version == int(version)), None) if rows else None
        if rows is None or row is None or row.token is None or row.valid_to is None:
            unit.write(claim.finish)
            return
        until = row.valid_to
        if until > self._work.now():
            unit.write(lambda session: claim.finish(session, until))
            return
        found = rows.found
        now = self._work.now()
        changes = Materials(rows, self._work.rows.materials(unit, key_id)).removed(row)
        changes.also = [claim.finish, lambda session: scrub_after(session, key_id, now)]

        def write(own: Unit) -> None:
            commit(own, self._work.core, changes)

        details = {"keyId": found.arn, "keyMaterialId": row.material_id}
        resource = Resource(arn=found.arn, account=claim.scope.account)
        self._work.journal.act(claim.scope, "DeleteExpiredKeyMaterial", details, (resource,), write)
