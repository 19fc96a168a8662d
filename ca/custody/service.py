"""The operator's door to the CA room, in terms of ARNs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from ca.authorities import NewAuthority
from ca.custody.bringing import Bringing, Offer, Wrapping
from ca.custody.ceremony import Ceremony, Held
from ca.custody.ceremony_plan import read_plan
from ca.custody.likeness import UNCONFINED, Confinement, confined
from ca.custody.lineage import LineageNode, lineage
from ca.custody.locking import Locking
from ca.custody.succession import Crossed, Rotated, Succession
from ca.custody.work import Work
from ca.orders import AuthorityView
from ca.profiles import PROFILES


@dataclass(frozen=True, slots=True)
class NewSubordinate:
    """A CA to be made below another. `validity` None: as long as the deployment's own, or as its parent lives."""

    parent_arn: str
    subject: x509.Name
    spec: str | None = None
    validity: timedelta | None = None
    path_length: int = 0
    confinement: Confinement = UNCONFINED


class Custody:
    """What one operator's call does with the authorities of one account and Region."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def begin_import(self, offer: Offer) -> Wrapping:
        """See `Bringing.begin`."""
        return Bringing(self._work).begin(offer)

    def finish_import(self, offer: Offer, authority_id: str, token: bytes, wrapped: bytes) -> AuthorityView:
        """See `Bringing.finish`."""
        row = Bringing(self._work).finish(offer, authority_id, token, wrapped)
        return self._work.authorities.view(row)

    def subordinate(self, new: NewSubordinate) -> AuthorityView:
        """Make a CA below the parent, confined to names. Raises OrderRefused, AuthorityNotFound, AuthorityState."""
        work, parent_id = self._work, self._work.own(new.parent_arn)
        parent = work.authorities.find(parent_id)
        row = work.authorities.create(
            NewAuthority(
                subject=new.subject,
                spec=new.spec or parent.key_spec,
                validity=new.validity or timedelta(days=1826),
                parent_id=parent_id,
                ends_with_parent=new.validity is None,
                profile=confined(PROFILES["subordinate"], new.path_length, new.confinement),
            )
        )
        return work.authorities.view(row)

    def lock(self, arn: str, crl_days: int) -> AuthorityView:
        """See `Locking.lock`."""
        authority_id = self._work.own(arn)
        Locking(self._work).lock(authority_id, crl_days)
        return self.view(authority_id)

    def unlock(self, arn: str, window: timedelta) -> datetime:
        """See `Locking.unlock`."""
        return Locking(self._work).unlock(self._work.own(arn), window)

    def rotate(self, arn: str, spec: str | None, validity: timedelta | None) -> Rotated:
        """See `Succession.rotate`."""
        return Succession(self._work).rotate(self._work.own(arn), spec, validity)

    def cross_sign(self, arn: str, by: str, validity: timedelta | None) -> Crossed:
        """See `Succession.cross`."""
        return Succession(self._work).cross(self._work.own(arn), self._work.own(by), validity)

    def rehearse(self, plan: Mapping[str, Any], plan_sha256: str) -> list[str]:
        """See `Ceremony.rehearse`; `plan` is the reviewed file, see `read_plan`."""
        return Ceremony(self._work, read_plan(plan), plan_sha256).rehearse()

    def hold(self, plan: Mapping[str, Any], plan_sha256: str) -> Held:
        """See `Ceremony.hold`."""
        return Ceremony(self._work, read_plan(plan), plan_sha256).hold()

    def lineage(self, *, every: bool) -> list[LineageNode]:
        """See `ca.custody.lineage`."""
        return lineage(self._work.unit, self._work.now(), every=every)

    def view(self, authority_id: str) -> AuthorityView:
        """What others may see of an authority. Raises AuthorityNotFound, AuthorityState."""
        return self._work.authorities.view(self._work.authorities.find(authority_id))

    def arn(self, authority_id: str) -> str:
        """The ARN of an authority of this account and Region."""
        return self._work.arn(authority_id)
