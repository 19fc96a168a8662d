"""The end of a key: its tokens overwritten and gone, its aliases and grants with it, a tombstone in the trail (SECURITY 2.3)."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from foundation.identity import Resource
from foundation.store import Claim, Scope, Unit, cancel
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit
from kms.keys.creation import count_key
from kms.keys.found import CUSTOMER, FoundKey
from kms.keys.grant_rows import forget_grants
from kms.keys.scrubbing import scrub_after
from kms.keys.states import KeyState
from kms.keys.waiting import begin_waiting, look
from kms.keys.work import Work

ROTATE = "kms.rotate"


class Deletion:
    """The job `kms.delete`: looks daily at a key that waits for its end, and ends it."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def run(self, claim: Claim) -> None:
        """One look. Finishes the claim in the commit that carries its result."""
        unit = self._work.store.unit(claim.scope)
        rows = self._work.rows.key(unit, claim.subject)
        if rows is None:
            self._after_a_replica(unit, claim)
        elif rows.key.state != KeyState.PENDING_DELETION:
            unit.write(claim.finish)
        else:
            self._look(unit, claim, rows)

    def _look(self, unit: Unit, claim: Claim, rows: Rows) -> None:
        leaps = self._work.leaps()
        now = self._work.now()
        seen = look(rows.key, now, leaps)
        if seen.over:
            self._purge(claim, rows)
            return
        if seen.missing:
            details = {"keyId": rows.found.arn, "missingSeconds": int(seen.missing.total_seconds())}
            self._work.journal.alarm(claim.scope, "KeyDeletionPostponed", details)
        values = {"deletion_at": seen.deletion_at, "waited_until": now}
        finish: Callable[[Session], None] = lambda session: claim.finish(session, seen.next_look)  # noqa: E731 -- one of the commit's acts
        commit(unit, self._work.core, Changes(updates=[(rows.key, values)], also=[finish]))

    def _purge(self, claim: Claim, rows: Rows) -> None:
        """One commit: nothing of the key is left in this Region. A replica's claim stays for its primary's sake."""
        found, family = rows.found, rows.family
        left = [region for region in found.regions if region != claim.scope.region]
        changes = Changes(gone=[rows.key, *rows.materials, *rows.aliases])
        if left:
            changes.updates.append((family, {"regions": json.dumps(left)}))
        else:
            changes.gone.append(family)

        def end(session: Session) -> None:
            claim.finish(session, self._work.now() if left else None)
            cancel(session, ROTATE, found.id)
            scrub_after(session, found.id, self._work.now())
            forget_grants(session, claim.scope, found.id)
            if found.manager == CUSTOMER:
                count_key(session, claim.scope, -1)

        changes.also.append(end)
        self._work.journal.act(
            claim.scope,
            "DeleteKey",
            tombstone(found),
            (Resource(arn=found.arn, account=claim.scope.account),),
            lambda unit: commit(unit, self._work.core, changes),
        )

    def _after_a_replica(self, unit: Unit, claim: Claim) -> None:
        """The replica is gone: if it was the last one its primary waited for, the primary's own window begins now."""
        self._release_primary(unit, claim.subject)
        unit.write(claim.finish)

    def _release_primary(self, unit: Unit, key_id: str) -> None:
        family = self._work.rows.family(unit, key_id)
        if family is None or not family.primary_deleting or len(json.loads(family.regions)) > 1:
            return
        there = unit.at(
            Scope(unit.scope.account, family.primary_region), because="the last replica was deleted"
        )
        rows = self._work.rows.key(there, key_id)
        if rows is None or rows.key.state != KeyState.PENDING_REPLICA_DELETION:
            return
        changes = Changes()
        begin_waiting(rows.key, changes, self._work.now(), rows.key.window_days or 30)
        commit(there, self._work.core, changes)


def tombstone(found: FoundKey) -> dict[str, Any]:
    """What the trail keeps of a deleted key: enough to see, after a restore, that a token is one of the dead."""
    return {
        "keyId": found.arn,
        "keyMaterials": [
            {"keyMaterialId": material.id, "tokenDigest": hashlib.sha256(material.token).hexdigest()}
            for material in found.materials
            if material.token is not None
        ],
    }
