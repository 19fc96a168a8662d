"""Principals from their rows: what policies they hold, and the way between ARNs and unique ids."""

from dataclasses import replace
from functools import lru_cache
from typing import Final, Protocol

from foundation.identity.calls import Permissions, Principal, Session
from foundation.identity.keys import GENERATION
from foundation.identity.names import account_of_id, parse_arn, role_session_arn, root_arn
from foundation.identity.policy import MANAGED, Kind, MalformedPolicy, Policy, compile_policy
from foundation.identity.records import (
    Alarm,
    EntityRecord,
    RowMac,
    Watch,
    find_entity,
    find_policy,
    log_alarm,
    read_entity,
)
from foundation.identity.tables import Account
from foundation.store import SYSTEM, Scope, Store, Unit

__all__ = ["Narrowing", "Principals", "compiled"]

MOST_IDS: Final = 10_000
"""How many principals' ids are remembered between two changes of anybody's."""


class Narrowing(Protocol):
    """What temporary credentials say of their session (`foundation.identity.sessions.Claims`)."""

    @property
    def name(self) -> str: ...
    @property
    def policy(self) -> str | None: ...
    @property
    def policy_arns(self) -> tuple[str, ...]: ...
    @property
    def tags(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def facts(self) -> Session: ...


class Principals:
    """Finds principals, as they are now. Thread-safe. Every record is held to its MAC: Tampered when one does not fit."""

    def __init__(self, store: Store, core: RowMac, alarm: Alarm = log_alarm) -> None:
        self._store = store
        self.watch = Watch(core, alarm)
        self._ids: tuple[int, dict[str, str]] = (
            -1,
            {},
        )  # what `id_of` found at one generation; replaced whole

    def by_id(self, account: str, unique: str, session: Narrowing | None = None) -> Principal | None:
        """Find a principal of an account by unique id (a root: the account's), with all its policies.

        With `session` it is that session of the user, root or role. None when the principal is gone.
        """
        unit = self._unit(account, because="the account that the credentials belong to")
        if unique == account:
            if not self._has_account(unit, account):
                return None
            root = Principal(account, root_arn(account), account, "root", "root")
            return root if session is None else self._narrowed(unit, root, session)
        with unit.read() as rows:
            found = read_entity(rows, account, unique)
        if found is None:
            return None
        self.watch.hold(*found)
        if (found[0].kind == "role") != (session is not None and bool(session.facts.role_id)):
            return None
        principal = self._with_policies(unit, found[0])
        return principal if session is None else self._narrowed(unit, principal, session)

    def entity(self, account: str, unique: str) -> EntityRecord | None:
        """Find a user or role of any account by unique id."""
        with self._unit(account, because="a principal that a policy names").read() as rows:
            found = read_entity(rows, account, unique)
        return self._held(found)

    def named(self, account: str, kind: str, name: str) -> EntityRecord | None:
        """Find a user or role of any account by name."""
        with self._unit(account, because="a principal that a policy names").read() as rows:
            found = find_entity(rows, kind, name)
        return self._held(found)

    def of_entity(self, record: EntityRecord) -> Principal:
        """Give a user or role with its policies: for a role, what its sessions have in common."""
        return self._with_policies(self._unit(record.account, because="its own account"), record)

    def policy(self, account: str, arn: str) -> Policy | None:
        """Find the compiled default version of a managed policy that the account may use."""
        return self._policy(self._unit(account, because="the account whose policy it is"), arn)

    def id_of(self, arn: str, /) -> str | None:
        """Give the unique id of a user or role by ARN, of a session's role, an account's id by its root's ARN.

        A unique id gives itself while its principal exists. None for whatever does not exist.
        """
        generation = self._store.generation(GENERATION)  # before the rows: they may be newer, never older
        if self._ids[0] != generation:
            self._ids = (generation, {})
        known = self._ids[1]
        found = known.get(arn) or self._id_of(arn)
        if found is not None and len(known) < MOST_IDS:
            known[arn] = found
        return found

    def _id_of(self, arn: str) -> str | None:
        named = parse_arn(arn)
        if named is None:
            return arn if self.arn_of(arn.partition(":")[0]) is not None else None
        if named.kind == "root":
            unit = self._unit(named.account, because="whether an account exists")
            return named.account if self._has_account(unit, named.account) else None
        if named.kind == "policy":
            return None
        kind = "role" if named.kind == "session" else named.kind
        found = self.named(named.account, kind, named.name)
        if found is None or (named.kind != "session" and found.arn != arn):
            return None
        return found.id

    def arn_of(self, unique_id: str, /) -> str | None:
        """Give the ARN that a unique id has now."""
        account = account_of_id(unique_id)
        found = None if account is None else self.entity(account, unique_id)
        return None if found is None else found.arn

    def _unit(self, account: str, *, because: str) -> Unit:
        return self._store.unit(SYSTEM).at(Scope(account, SYSTEM.region), because=because)

    def _has_account(self, unit: Unit, account: str) -> bool:
        with unit.read() as rows:
            return rows.get(Account, account) is not None

    def _held(self, found: tuple[EntityRecord, bytes] | None) -> EntityRecord | None:
        if found is None:
            return None
        self.watch.hold(*found)
        return found[0]

    def _with_policies(self, unit: Unit, record: EntityRecord) -> Principal:
        own = [self._compiled(record.account, text, name) for name, text in record.inline]
        attached = [self._policy(unit, arn) for arn in record.attached if arn not in MANAGED]
        boundary = self._policy(unit, record.boundary) if record.boundary else None
        if None in attached or (record.boundary and boundary is None):
            self.watch.refuse(
                record.account, f"A policy that the {record} has was taken away; it is not used."
            )
        return Principal(
            account=record.account,
            arn=record.arn,
            principal_id=record.id,
            kind="role" if record.kind == "role" else "user",
            name=record.name,
            policies=tuple(arn for arn in record.attached if arn in MANAGED),
            permissions=Permissions(
                identity=(*own, *(policy for policy in attached if policy is not None)), boundary=boundary
            ),
            tags=record.tags,
        )

    def _narrowed(self, unit: Unit, principal: Principal, session: Narrowing) -> Principal:
        limits = [self._policy(unit, arn) for arn in session.policy_arns]
        if session.policy is not None:
            limits.append(self._compiled(principal.account, session.policy, "session"))
        left = tuple(limit for limit in limits if limit is not None)
        if limits and not left:  # all were deleted since: without any, the session would get wider
            left = (compiled(NOTHING, "session", Kind.IDENTITY),)
        narrowed = replace(
            principal,
            permissions=replace(principal.permissions, session=left),
            session=replace(session.facts, role_arn=principal.arn)
            if principal.kind == "role"
            else session.facts,
        )
        if principal.kind != "role":
            return narrowed
        return replace(
            narrowed,
            arn=role_session_arn(principal.account, principal.name, session.name),
            principal_id=f"{principal.principal_id}:{session.name}",
            tags=_merged(principal.tags, session.tags),
        )

    def _policy(self, unit: Unit, arn: str) -> Policy | None:
        if arn in MANAGED:
            return MANAGED[arn]
        named = parse_arn(arn)
        if named is None or named.account != unit.scope.account:
            return None
        with unit.read() as rows:
            found = find_policy(rows, arn, named.name)
        if found is None:
            return None
        self.watch.hold(*found)
        return self._compiled(found[0].account, found[0].document, arn)

    def _compiled(self, account: str, text: str, name: str) -> Policy:
        try:
            return compiled(text, name, Kind.IDENTITY)
        except MalformedPolicy as malformed:
            self.watch.refuse(account, f"The policy {name} cannot be read: {malformed.reason}")


NOTHING: Final = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


@lru_cache(maxsize=4096)
def compiled(text: str, name: str, kind: Kind) -> Policy:
    """Compile a policy; one that many principals hold, or that outlives a generation, is compiled once."""
    return compile_policy(text, name, kind)


def _merged(
    own: tuple[tuple[str, str], ...], session: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Add a session's tags to its role's; the session's win, and keys have no case."""
    named = {key.lower() for key, _ in session}
    return (*((key, value) for key, value in own if key.lower() not in named), *session)
