"""The hierarchies that keystead makes unasked or by `keystead ca init`, each found again by the roles of its authorities."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from ca.authorities import Authorities, NewAuthority, common_name
from ca.orders import CaSettings
from ca.states import state_at
from ca.tables import AuthorityRow

DEPLOYMENT: Final = "deployment"  # issues what is asked for without a CertificateAuthorityArn; SYSTEM scope
INIT: Final = "init"  # what `keystead ca init` makes in an account


class HierarchyMaker:
    """Finds the hierarchy of a kind in one account and Region, or makes it; any number of callers get the same one."""

    def __init__(
        self,
        authorities: Authorities,
        *,
        owner: str,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
        settings: CaSettings,
    ) -> None:
        """`owner` goes into the names: an account id, or that it is the deployment's."""
        self._authorities = authorities
        self._owner = owner
        self._now = now
        self._entropy = entropy
        self._settings = settings

    def current(self, purpose: str, spec: str | None = None) -> tuple[AuthorityRow, AuthorityRow]:
        """The (root, subordinate) that issues now. The first call makes them, with keys of `spec`.

        A subordinate that is not ACTIVE, or has less time left than `settings.succession`, gets a successor, under a new
        root when the root's time is short too; what they issued stays good. After a crash the next call goes on.
        """
        rows = sorted(self._authorities.with_role(f"{purpose}-"), key=_number)
        roots = {row.id: row for row in rows if row.kind == "ROOT"}
        for row in reversed(rows):
            if row.parent_id in roots and self._lasts(row):
                return roots[row.parent_id], row
        root = next((row for row in reversed(list(roots.values())) if self._lasts(row)), None)
        spec = spec or self._settings.key_spec
        if root is None:
            root = self._make(purpose, len(roots) + 1, spec, None)
        number = sum(row.kind == "SUBORDINATE" for row in rows) + 1
        return root, self._make(purpose, number, spec, root)

    def _lasts(self, row: AuthorityRow) -> bool:
        now = self._now()
        assert row.not_after is not None
        active = state_at(row.status, row.not_after, now) == "ACTIVE"
        return active and row.not_after - now >= self._settings.succession

    def _make(
        self,
        purpose: str,
        number: int,
        spec: str,
        parent: AuthorityRow | None,
    ) -> AuthorityRow:
        level, title = ("root", "root") if parent is None else ("subordinate", "issuing")
        mark = self._entropy(
            4
        ).hex()  # two deployments' names differ, so that one trust store can hold both roots
        return self._authorities.create(
            NewAuthority(
                subject=common_name(f"keystead {self._owner} {title} CA {number} {mark}", "keystead"),
                spec=spec,
                validity=self._settings.root_validity
                if parent is None
                else self._settings.subordinate_validity,
                ends_with_parent=True,
                parent_id=None if parent is None else parent.id,
                role=f"{purpose}-{level}-{number}",
            )
        )


def _number(row: AuthorityRow) -> int:
    """The last part of a role: which of its level the authority is."""
    return int((row.role or "").rpartition("-")[2])
