"""What one call to IAM works with, and how it changes a user, role or policy: read, decide, seal, write, settle."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from sqlmodel import Session

from foundation.identity.calls import Call
from foundation.identity.entities import add_entity, remove_entity, replace_entity
from foundation.identity.errors import ConcurrentModification, EntityAlreadyExists, InvalidInput, NoSuchEntity
from foundation.identity.keys import GENERATION, AccessKeys
from foundation.identity.names import parse_arn
from foundation.identity.policies import add_policy, remove_policy, replace_policy
from foundation.identity.policy import AWS_POLICIES
from foundation.identity.principals import Principals
from foundation.identity.records import EntityRecord, PolicyRecord, find_entity, find_policy
from foundation.store import Conflict, Duplicate, Unit, bump
from foundation.wire import TokenSeal, UnrecognizedClient

__all__ = ["Iam", "LastUse", "Rooms"]

R = TypeVar("R")
ATTEMPTS: Final = 8

Check = Callable[[Session], None]


class LastUse(Protocol):
    """The trail's index, at most two seconds behind."""

    def last_use(self, account: str, access_key_id: str, /) -> tuple[datetime, str, str] | None:
        """Say when, for which service and in which region a key was last used."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """What all calls of one process share. `settle` returns once every worker sees what was committed before."""

    principals: Principals
    keys: AccessKeys
    seal: TokenSeal
    entropy: Callable[[int], bytes]
    now: Callable[[], datetime]
    settle: Callable[[], None]
    last_use: LastUse


@dataclass(frozen=True, slots=True)
class Iam:
    """One call: `unit` is of the caller's account."""

    rooms: Rooms
    unit: Unit
    call: Call

    def __post_init__(self) -> None:
        # GetSessionToken's credentials without MFA cannot call IAM (STS API, GetSessionToken).
        session = self.call.principal.session
        if session is not None and not session.role_id and session.mfa_at is None:
            raise UnrecognizedClient("The security token included in the request is invalid")

    @property
    def account(self) -> str:
        return self.unit.scope.account

    # Users and roles

    def entity(self, kind: str, name: str) -> EntityRecord:
        """Find a user or role; raise NoSuchEntity."""
        with self.unit.read() as session:
            found = find_entity(session, kind, name)
        if found is None:
            raise NoSuchEntity(f"The {kind} with name {name} cannot be found.")
        self.rooms.principals.watch.hold(*found)
        return found[0]

    def add_entity(self, record: EntityRecord, check: Check) -> None:
        """Insert a new user or role; raise EntityAlreadyExists."""
        mac = self.rooms.principals.watch.mac(record)

        def write(session: Session) -> None:
            check(session)
            add_entity(session, record, mac)
            bump(session, GENERATION)

        noun = record.kind.capitalize()
        self._unique(write, f"{noun} with name {record.name} already exists.")

    def change_entity(
        self, kind: str, name: str, edit: Callable[[EntityRecord], EntityRecord]
    ) -> EntityRecord:
        """Replace a user or role by what `edit` makes of it; it may raise, and may run again. Gives the new record."""

        def act() -> EntityRecord:
            old = self.entity(kind, name)
            new = edit(old)
            mac = self.rooms.principals.watch.mac(new)

            def write(session: Session) -> None:
                replace_entity(session, old, new, mac)
                bump(session, GENERATION)

            self._unique(write, f"{kind.capitalize()} with name {new.name} already exists.")
            return new

        changed = _decided(act)
        self.rooms.settle()
        return changed

    def remove_entity(self, kind: str, name: str, check: Callable[[Session, EntityRecord], None]) -> None:
        """Delete a user or role if `check`, in the same transaction, does not object."""

        def act() -> None:
            old = self.entity(kind, name)

            def write(session: Session) -> None:
                check(session, old)
                remove_entity(session, old)
                bump(session, GENERATION)

            self.unit.write(write)

        _decided(act)
        self.rooms.settle()

    # Customer managed policies

    def policy(self, arn: str) -> PolicyRecord:
        """Find a customer managed policy of the account. Raise NoSuchEntity; InvalidInput for what is no policy's ARN."""
        named = parse_arn(arn)
        if named is None or named.kind != "policy":
            raise InvalidInput(f"ARN {arn} is not valid.")
        with self.unit.read() as session:
            found = find_policy(session, arn, named.name) if named.account == self.account else None
        if found is None:
            raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
        self.rooms.principals.watch.hold(*found)
        return found[0]

    def attachable(self, arn: str) -> None:
        """Raise NoSuchEntity or InvalidInput unless the policy is AWS's or the account's own."""
        if arn not in AWS_POLICIES:
            self.policy(arn)

    def add_policy(self, record: PolicyRecord, check: Check) -> None:
        """Insert a new policy; raise EntityAlreadyExists."""
        mac = self.rooms.principals.watch.mac(record)

        def write(session: Session) -> None:
            check(session)
            add_policy(session, record, mac)
            bump(session, GENERATION)

        self._unique(write, f"A policy called {record.name} already exists. Duplicate names are not allowed.")

    def change_policy(self, arn: str, edit: Callable[[PolicyRecord], PolicyRecord]) -> PolicyRecord:
        """Replace a policy by what `edit` makes of it, as `change_entity` does."""

        def act() -> PolicyRecord:
            old = self.policy(arn)
            new = edit(old)
            mac = self.rooms.principals.watch.mac(new)

            def write(session: Session) -> None:
                replace_policy(session, old, new, mac)
                bump(session, GENERATION)

            self.unit.write(write)
            return new

        changed = _decided(act)
        self.rooms.settle()
        return changed

    def remove_policy(self, arn: str, check: Callable[[PolicyRecord], None]) -> None:
        """Delete a policy that nothing uses; `check` may raise before that."""

        def act() -> None:
            old = self.policy(arn)
            check(old)

            def write(session: Session) -> None:
                remove_policy(session, old)
                bump(session, GENERATION)

            self.unit.write(write)

        _decided(act)
        self.rooms.settle()

    def _unique(self, write: Callable[[Session], None], taken: str) -> None:
        try:
            self.unit.write(write)
        except Duplicate as duplicate:
            raise EntityAlreadyExists(taken) from duplicate


def _decided(act: Callable[[], R]) -> R:
    """Run read, decision and write, again while others change the rows in between."""
    for _ in range(ATTEMPTS):
        try:
            return act()
        except Conflict:
            continue
    raise ConcurrentModification("The entity is being changed by others. Repeat the call.")
