"""What was changed behind keystead's back is refused, never used, and raises an alarm: each column, each row that goes with it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from foundation.identity import Accounts, Authenticator, Bearer, NewAccount, Tampered
from foundation.identity.entities import add_entity, replace_entity
from foundation.identity.policies import add_policy
from foundation.identity.principals import Principals
from foundation.identity.records import EntityRecord, PolicyRecord, VersionRecord, find_entity
from foundation.identity.tables import (
    AccessKey,
    AttachedPolicy,
    BearerToken,
    Entity,
    InlinePolicy,
    ManagedPolicy,
    PolicyVersion,
)
from foundation.store import Scope, Store, bump
from foundation.wire import AccessDenied, Request
from tests.foundation.identity.conftest import ACM
from tests.support.identity import ACCOUNT, REGION, OpenCore, signed

ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"acm:List*","Resource":"*"}]}'
ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
DENY = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"kms:*","Resource":"*"}]}'
POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/own"
AT = datetime(2026, 1, 1, tzinfo=UTC)


def wall() -> datetime:
    return datetime.now(UTC)


@dataclass
class House:
    """An account whose admin has an inline policy, a managed one and a boundary."""

    store: Store
    account: NewAccount
    principals: Principals
    authenticator: Authenticator
    bearer: Bearer
    token: str
    alarms: list[tuple[str, str]]

    def change(self, body: Callable[[Session], None]) -> None:
        """As a thief of the database would; caches are made to look again, for the thief can do that too."""

        def write(session: Session) -> None:
            body(session)
            bump(session, "identity")

        self.store.unit(Scope(ACCOUNT, REGION)).write(write)

    def enter(self) -> str:
        return self.authenticator.authenticate(signed(self.account), ACM, request_id="r").principal.arn

    def enter_by_token(self) -> str:
        headers = (("authorization", f"Bearer {self.token}"),)
        request = Request("GET", "/v1/x", "", headers, b"")
        return self.bearer.authenticate(request, request_id="r").principal.arn


@pytest.fixture
def house(store: Store, core: OpenCore) -> House:
    alarms: list[tuple[str, str]] = []
    principals = Principals(store, core, lambda account, what: alarms.append((account, what)))
    accounts = Accounts(store, core, os.urandom, wall, principals)
    account = accounts.create(ACCOUNT)
    authenticator = Authenticator(store, core, wall, {REGION}, principals=principals)
    bearer = Bearer(store, core, accounts, os.urandom, wall, REGION)
    token = bearer.create(account.admin_arn, expires_in=timedelta(days=1)).token
    made = House(store, account, principals, authenticator, bearer, token, alarms)
    watch = principals.watch
    policy = PolicyRecord(
        ACCOUNT, "ANPAOWN", "own", "/", "", AT, AT, 1, 2, (), (VersionRecord(1, ALLOW, AT), VersionRecord(2, DENY, AT))
    )  # fmt: skip

    def furnish(session: Session) -> None:
        add_policy(session, policy, watch.mac(policy))
        session.flush()
        found = find_entity(session, "user", "admin")
        assert found is not None
        old = found[0]
        new = EntityRecord(
            **{
                **vars(old),
                "inline": (("deny", DENY),),
                "attached": tuple(sorted((*old.attached, POLICY_ARN))),
                "boundary": "arn:aws:iam::aws:policy/AdministratorAccess",
            }
        )
        replace_entity(session, old, new, watch.mac(new))

    made.change(furnish)
    return made


def one(session: Session, table: type[Any]) -> Any:
    return session.exec(select(table)).first()


def changed(table: type[Any], column: str, value: Any) -> Callable[[Session], None]:
    def body(session: Session) -> None:
        row = one(session, table)
        setattr(row, column, value)
        session.add(row)

    return body


def deleted(table: type[Any]) -> Callable[[Session], None]:
    return lambda session: session.delete(one(session, table))


def _admin(session: Session) -> str:
    row: Entity = one(session, Entity)
    return row.id


def added_inline(session: Session) -> None:
    session.add(InlinePolicy(account=ACCOUNT, entity_id=_admin(session), name="mine", document=ALL))


def added_attachment(session: Session) -> None:
    arn = "arn:aws:iam::aws:policy/IAMFullAccess"
    session.add(AttachedPolicy(account=ACCOUNT, entity_id=_admin(session), policy_arn=arn))


def added_version(session: Session) -> None:
    session.add(PolicyVersion(account=ACCOUNT, policy_id="ANPAOWN", number=3, document=ALL, created_at=AT))


TAMPERINGS: dict[str, Callable[[Session], None]] = {
    "an inline policy's document": changed(InlinePolicy, "document", ALL),
    "an inline policy taken away": deleted(InlinePolicy),
    "an inline policy added": added_inline,
    "an attachment taken away": deleted(AttachedPolicy),
    "an attachment added": added_attachment,
    "the boundary taken away": changed(Entity, "boundary", ""),
    "the name": changed(Entity, "name", "other"),
    "the path": changed(Entity, "path", "/x/"),
    "the tags": changed(Entity, "tags", '{"team": "red"}'),
    "the kind": changed(Entity, "kind", "role"),
    "the trust policy": changed(Entity, "trust", ALL),
    "the MAC": changed(Entity, "mac", b"0" * 32),
    "a managed policy's document": changed(PolicyVersion, "document", ALL),
    "a managed policy's default version": changed(ManagedPolicy, "default_version", 2),
    "a managed policy's version added": added_version,
    "a managed policy's version taken away": deleted(PolicyVersion),
    "whose the key is": changed(AccessKey, "principal_id", ACCOUNT),
    "the key's state": changed(AccessKey, "created_at", AT),
}


def test_untouched_rows_are_used(house: House) -> None:
    assert house.enter() == house.account.admin_arn
    assert house.enter_by_token() == house.account.admin_arn
    assert house.alarms == []


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_changed_row_is_refused_and_raises_the_alarm(house: House, tampering: str) -> None:
    house.change(TAMPERINGS[tampering])
    with pytest.raises(Tampered, match="changed outside of keystead"):
        house.enter()
    assert [account for account, _ in house.alarms] == [ACCOUNT]


def test_a_refusal_is_a_denial_to_the_caller(house: House) -> None:
    house.change(TAMPERINGS["the boundary taken away"])
    with pytest.raises(AccessDenied):
        house.enter()


def test_a_managed_policy_that_disappears_is_not_just_left_out(house: House) -> None:
    house.change(deleted(ManagedPolicy))
    with pytest.raises(Tampered, match="taken away"):
        house.enter()


@pytest.mark.parametrize(
    ("column", "value"), [("principal_id", ACCOUNT), ("expires_at", None), ("token_id", "tok-other")]
)
def test_a_changed_bearer_token_is_refused(house: House, column: str, value: Any) -> None:
    house.change(changed(BearerToken, column, value))
    with pytest.raises(Tampered):
        house.enter_by_token()


def test_counts_may_be_wrong_without_harm(house: House) -> None:
    house.change(changed(ManagedPolicy, "attachments", 7))
    assert house.enter() == house.account.admin_arn


def test_the_row_of_one_user_does_not_do_for_another(house: House, core: OpenCore) -> None:
    guest = EntityRecord(ACCOUNT, "AIDAGUEST", "user", "guest", "/", AT)
    house.change(lambda session: add_entity(session, guest, house.principals.watch.mac(guest)))

    def swap(session: Session) -> None:
        rows = {row.name: row for row in session.exec(select(Entity)).all()}
        rows["guest"].mac = rows["admin"].mac
        session.add(rows["guest"])

    house.change(swap)

    with pytest.raises(Tampered):
        house.principals.by_id(ACCOUNT, "AIDAGUEST")
