"""Grants as rows and as facts: what a decision about a key is told of them, read once per key and caller."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from sqlalchemy import tuple_
from sqlmodel import Session, SQLModel, col, delete, select

from foundation.identity import Principal
from foundation.identity.policy import GrantFact
from foundation.store import Scope, Unit
from foundation.wire import Keyset
from kms.keys.tables import Grant, RetirableGrant

Verify = Callable[[Scope, Iterable[SQLModel]], None]
"""Raises Tampered, after the alarm, unless every row's MAC holds."""

CALLERS: Final = 1024
"""How many callers' grants are remembered of one key."""


class GrantRows:
    """Reads grants and holds them to their MACs."""

    def __init__(self, verify: Verify) -> None:
        self._verify = verify

    def get(self, unit: Unit, key_id: str, grant_id: str) -> Grant | None:
        """One grant of the unit's Region."""
        with unit.read() as session:
            row: Grant | None = session.get(Grant, (unit.scope.account, unit.scope.region, key_id, grant_id))
        return None if row is None else self._verified(unit, [row])[0]

    def named(self, unit: Unit, key_id: str, fingerprint: str) -> Grant | None:
        """The grant that was made under a name with exactly these parameters."""
        chosen = select(Grant).where(Grant.key_id == key_id, Grant.fingerprint == fingerprint)
        with unit.read() as session:
            rows = list(session.exec(chosen))
        return self._verified(unit, rows)[0] if rows else None

    def of(self, unit: Unit, key_id: str, grantees: Sequence[str]) -> list[Grant]:
        """The grants of a key whose grantee is one of these pinned principals."""
        chosen = select(Grant).where(Grant.key_id == key_id, col(Grant.grantee).in_(grantees))
        with unit.read() as session:
            rows = list(session.exec(chosen))
        return self._verified(unit, rows)

    def page(
        self, unit: Unit, key_id: str, after: Keyset | None, count: int, *, grantee: str | None
    ) -> list[Grant]:
        """Up to `count` grants of a key in the order of their ids, of all grantees or of one."""
        chosen = select(Grant).where(Grant.key_id == key_id).order_by(col(Grant.id)).limit(count)
        if grantee is not None:
            chosen = chosen.where(Grant.grantee == grantee)
        if after is not None:
            chosen = chosen.where(col(Grant.id) > str(after[0]))
        with unit.read() as session:
            rows = list(session.exec(chosen))
        return self._verified(unit, rows)

    def retirable(
        self, unit: Unit, retiring: str, after: Keyset | None, count: int
    ) -> Sequence[RetirableGrant]:
        """Up to `count` places of grants, of any account, that a pinned principal may retire in the unit's Region."""
        place = (col(RetirableGrant.account), col(RetirableGrant.key_id), col(RetirableGrant.grant_id))
        chosen = select(RetirableGrant).where(
            RetirableGrant.region == unit.scope.region, RetirableGrant.retiring == retiring
        )
        if after is not None:
            chosen = chosen.where(tuple_(*place) > tuple_(*after))
        with unit.read() as session:
            return list(session.exec(chosen.order_by(*place).limit(count)))

    def _verified(self, unit: Unit, rows: list[Grant]) -> list[Grant]:
        self._verify(unit.scope, rows)
        return rows


class KeyGrants:
    """The grants of one key of the cache, which drops them with the key or has one principal's forgotten. Thread-safe."""

    def __init__(self, unit: Unit, rows: GrantRows, key_id: str) -> None:
        self._unit = unit
        self._rows = rows
        self._key_id = key_id
        # Without a lock: each use of it is one operation of a dict, and to read the same twice does no harm. It is
        # replaced whole when something is forgotten, so that whoever reads slowly fills in one that nobody asks.
        self._known: dict[tuple[str, ...], tuple[GrantFact, ...]] = {}

    def of(self, principal: Principal) -> tuple[GrantFact, ...]:
        """The grants that may name the caller as their grantee; raises Tampered."""
        names = names_of(principal)
        known = self._known
        facts = known.get(names)
        if facts is None:
            facts = tuple(fact(row) for row in self._rows.of(self._unit, self._key_id, names))
            if len(known) >= CALLERS:
                known.clear()
            known[names] = facts
        return facts

    def get(self, grant_id: str) -> GrantFact | None:
        """One grant as of now, for the bearer of its token; raises Tampered."""
        row = self._rows.get(self._unit, self._key_id, grant_id)
        return None if row is None else fact(row)

    def forget(self, grantee: str) -> None:
        """Grants of that principal were made or ended. One at a time calls it: the cache, under its lock."""
        self._known = {names: facts for names, facts in self._known.copy().items() if grantee not in names}


def names_of(principal: Principal) -> tuple[str, ...]:
    """By which pinned names a grant may name the caller: itself, its role, its account."""
    if principal.kind in {"service", "operator"}:
        return (principal.principal_id,)
    root = f"arn:aws:iam::{principal.account}:root"
    if principal.session is not None and principal.session.role_id:
        return (principal.principal_id, principal.session.role_id, root)
    return (principal.principal_id, root)


def fact(row: Grant) -> GrantFact:
    """A row whose MAC holds, as the policy engine takes it. It is never `fresh`: see docs/divergences.md."""
    return GrantFact(
        grant_id=row.id,
        grantee=row.grantee,
        operations=frozenset(json.loads(row.operations)),
        retiring=row.retiring or "",
        context_equals=None if row.context_equals is None else json.loads(row.context_equals),
        context_subset=None if row.context_subset is None else json.loads(row.context_subset),
        source_arn=row.source_arn,
    )


def place_of(scope: Scope, key_id: str, grant_id: str, retiring: str) -> RetirableGrant:
    """Where a retiring principal finds the grant."""
    return RetirableGrant(
        region=scope.region, retiring=retiring, account=scope.account, key_id=key_id, grant_id=grant_id
    )


def forget_place(session: Session, row: Grant) -> None:
    """In the commit that ends the grant: nobody finds it any more."""
    if row.retiring is not None:
        place = session.get(RetirableGrant, (row.region, row.retiring, row.account, row.key_id, row.id))
        if place is not None:
            session.delete(place)


def forget_grants(session: Session, scope: Scope, key_id: str) -> None:
    """Grants end with their key, in the commit that ends it."""
    places = delete(RetirableGrant).where(
        col(RetirableGrant.account) == scope.account,
        col(RetirableGrant.region) == scope.region,
        col(RetirableGrant.key_id) == key_id,
    )
    session.exec(delete(Grant).where(col(Grant.key_id) == key_id))
    session.exec(places)
