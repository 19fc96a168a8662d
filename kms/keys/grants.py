"""Grants: made, listed, retired and revoked (TRAPS 9, 10). What they allow is the policy engine's to say."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from msgspec import structs
from sqlmodel import Session, col, func, select

from foundation.identity import Resource
from foundation.identity.policy import GrantFact
from foundation.store import Conflict, Duplicate, Scope, Unit
from foundation.wire import AccessDenied, Keyset, Page
from kms.keys.cache import Rows
from kms.keys.changes import Changes, commit, decided
from kms.keys.context import Context
from kms.keys.errors import InvalidArn, InvalidGrantId, LimitExceeded, NotFound
from kms.keys.found import FoundKey
from kms.keys.grant_rows import GrantRows, fact, forget_place, place_of
from kms.keys.grant_rules import GrantOrder, is_service, judge_suits, pinned, values_of
from kms.keys.grant_tokens import GrantName, GrantTokens
from kms.keys.keys import Lookup
from kms.keys.pages import paged
from kms.keys.states import check_state
from kms.keys.tables import Grant, Key
from kms.keys.using import refuse_dry_run

ID_BYTES: Final = 32
ARN_PARTS: Final = 6
_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A grant by key and id, as RetireGrant and RevokeGrant name it."""

    key_id: str
    grant_id: str


def judge_grant_id(grant_id: str) -> str:
    """The id. Raises InvalidGrantId for what is none."""
    if not _ID.fullmatch(grant_id):
        raise InvalidGrantId(f"Invalid grant ID: {grant_id}")
    return grant_id


class Grants:
    """The grant operations of one call. A key of another account is named by its ARN; its rows are there."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup
        self._rows = GrantRows(context.rooms.rows.verified)
        self.tokens = GrantTokens(context.rooms.seal)

    # Making

    def create(self, key_id: str, order: GrantOrder, *, dry_run: bool) -> tuple[str, str]:
        """CreateGrant: (grant id, a new token). A name with the same parameters gives the same grant.

        Raises the state's refusal, UnsuitableOperations, InvalidArn for principals that do not exist, LimitExceeded.
        """
        found = self._lookup.find(key_id, "CreateGrant")
        unit = self._unit(found.scope)

        def act() -> str:
            check_state("CreateGrant", found.state, found.arn)
            judge_suits(order, found)
            values = self._values(order, found)
            if order.name is not None:
                known = self._rows.named(unit, found.id, values["fingerprint"])
                if known is not None:
                    refuse_dry_run(dry_run)
                    return known.id
            if dry_run:
                with unit.read() as session:
                    self._check_quotas(session, found.id, values["grantee"], 1)
                refuse_dry_run(dry_run)
            return self._add(unit, found, values)

        def anew() -> str:
            nonlocal found
            found = self._key(unit, found).found.as_of(self._rooms.now())
            return act()

        try:
            grant_id = act()
        except (
            Conflict,
            Duplicate,
        ):  # the key changed since it was read; or another made the grant of that name
            grant_id = decided(anew)
        return grant_id, self.tokens.make(GrantName(found.scope, found.id, grant_id))

    def _values(self, order: GrantOrder, found: FoundKey) -> dict[str, Any]:
        principals = self._rooms.principals
        grantee = pinned(order.grantee, principals)
        retiring = None if order.retiring is None else pinned(order.retiring, principals)
        scope = found.scope
        return {
            **values_of(order, grantee, retiring, self._context.call.account),
            "account": scope.account,
            "region": scope.region,
            "key_id": found.id,
            "created_at": self._rooms.now(),
        }

    def _add(self, unit: Unit, found: FoundKey, values: dict[str, Any]) -> str:
        grant_id = self._rooms.entropy(ID_BYTES).hex()
        key_id: str = values["key_id"]

        def also(session: Session) -> None:
            version = session.exec(select(Key.row_version).where(Key.id == key_id)).one_or_none()
            if version != found.version:
                raise Conflict(f"{found.arn} changed since it was read")
            self._check_quotas(session, key_id, values["grantee"], 0)
            if values["retiring"] is not None:
                session.add(place_of(unit.scope, key_id, grant_id, values["retiring"]))

        commit(unit, self._rooms.core, Changes(new=[(Grant, {**values, "id": grant_id})], also=[also]))
        return grant_id

    def _check_quotas(self, session: Session, key_id: str, grantee: str, more: int) -> None:
        """Raise LimitExceeded when the key, or the grantee on it, would have more grants than its quota."""
        settings = self._rooms.settings
        whose = func.count().filter(col(Grant.grantee) == grantee)
        counted = select(func.count(), whose).select_from(Grant).where(Grant.key_id == key_id)
        on_key, of_grantee = session.exec(counted).one()
        if on_key + more > settings.grants_per_key:
            raise LimitExceeded(f"The quota of {settings.grants_per_key} grants on a KMS key is reached.")
        if of_grantee + more > settings.grants_per_grantee:
            raise LimitExceeded(
                f"The quota of {settings.grants_per_grantee} grants for one grantee principal on a KMS key is reached."
            )

    # Listing

    def page(
        self, key_id: str, *, grant_id: str | None, grantee: str | None, limit: int, marker: str | None
    ) -> Page[Grant]:
        """ListGrants. `grantee` as it was given: an ARN, or the unique id of a principal that is gone."""
        found = self._lookup.find(key_id, "ListGrants")
        unit = self._unit(found.scope)
        stored = None if grantee is None else self._stored(grantee)

        def fetch(after: Keyset | None, count: int) -> Sequence[Grant]:
            if grant_id is None:
                return self._rows.page(unit, found.id, after, count, grantee=stored)
            row = self._rows.get(unit, found.id, grant_id)
            return [row] if row is not None and stored in {None, row.grantee} else []

        return paged(
            self._context, "ListGrants", fetch, lambda row: (row.id,),
            limit=limit, marker=marker, filters=(found.arn, grant_id or "", grantee or ""),
        )  # fmt: skip

    def retirable(self, retiring: str, *, limit: int, marker: str | None) -> tuple[list[Grant], str | None]:
        """ListRetirableGrants: grants of all accounts' keys here, and the next marker. A page may be short."""
        stored = self._stored(retiring)
        found = paged(
            self._context, "ListRetirableGrants",
            lambda after, count: self._rows.retirable(self._context.unit, stored, after, count),
            lambda place: (place.account, place.key_id, place.grant_id),
            limit=limit, marker=marker, filters=(retiring,),
        )  # fmt: skip
        rows = [
            self._rows.get(self._unit(Scope(place.account, place.region)), place.key_id, place.grant_id)
            for place in found.items
        ]
        return [row for row in rows if row is not None and row.retiring == stored], found.next_token

    def _stored(self, principal: str) -> str:
        """The principal that a list is filtered by, as it is stored. Raises InvalidArn for an ARN of nobody."""
        return pinned(principal, self._rooms.principals) if principal.startswith("arn:") else principal

    # Ending

    def retire_resource(self, asked: Asked) -> Resource:
        """The key as RetireGrant is asked about it: this grant alone says who may, besides policies.

        The account that made the grant may do what a retiring principal may (the model's text).
        """
        found = self._lookup.find(asked.key_id, "RetireGrant")
        resource = self._lookup.asked(found, "RetireGrant")
        row = self._rows.get(self._unit(found.scope), found.id, asked.grant_id)
        return structs.replace(resource, grants=() if row is None else _retiring(row))

    def end(self, asked: Asked, operation: str, *, dry_run: bool) -> None:
        """RetireGrant, RevokeGrant: honoured by every worker when this returns. Raises NotFound for no such grant."""
        found = self._lookup.find(asked.key_id, operation)
        unit = self._unit(found.scope)

        def act() -> None:
            check_state(operation, self._key(unit, found).found.state, found.arn)
            row = self._rows.get(unit, found.id, asked.grant_id)
            if row is None:
                raise NotFound(f"Grant {asked.grant_id} of {found.arn} does not exist")
            refuse_dry_run(dry_run)
            commit(
                unit, self._rooms.core, Changes(gone=[row], also=[lambda session: forget_place(session, row)])
            )

        decided(act)
        self._rooms.settle()

    # Both

    def _key(self, unit: Unit, found: FoundKey) -> Rows:
        rows = self._rooms.rows.key(unit, found.id)
        if rows is None:
            raise NotFound(f"Key '{found.arn}' does not exist")
        return rows

    def _unit(self, scope: Scope) -> Unit:
        if scope == self._context.here:
            return self._context.unit
        return self._context.unit.at(scope, because="the caller was allowed what it asks about a key there")


def retiring_resource(context: Context, principal: str) -> Resource:
    """What ListRetirableGrants is asked about: the retiring principal, who must be of the caller's account.

    Raises InvalidArn for what is no ARN; a service has no account.
    """
    if is_service(principal):
        return Resource(arn=principal, account=context.call.account)
    parts = principal.split(":")
    if parts[0] != "arn" or len(parts) < ARN_PARTS:
        raise InvalidArn(f"ARN does not refer to a valid principal: {principal}")
    return Resource(arn=principal, account=parts[4])


def refuse_service_filter(context: Context, member: str) -> None:
    """Raise AccessDenied unless the caller is a service: nobody else may list by services."""
    if context.call.principal.kind != "service":
        raise AccessDenied(f"{member} is only usable by callers in a service principal.")


def _retiring(row: Grant) -> tuple[GrantFact, ...]:
    granted = fact(row)
    root = f"arn:aws:iam::{row.issuing_account}:root"
    return granted, replace(granted, retiring=root, operations=frozenset())
