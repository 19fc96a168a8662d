"""Principals from their rows: who exists, which ids belong to which ARNs, and writes that come too late."""

import logging
import os
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session

from foundation.identity import Accounts, Sessions, Tampered
from foundation.identity.entities import add_entity, remove_entity
from foundation.identity.errors import NoSuchEntity
from foundation.identity.keys import GENERATION, AccessKeys
from foundation.identity.names import unique_id
from foundation.identity.policies import add_policy, replace_policy
from foundation.identity.principals import Principals
from foundation.identity.records import EntityRecord, PolicyRecord, VersionRecord, log_alarm, read_policy
from foundation.identity.sessions import Claims
from foundation.store import Conflict, Scope, Store, bump
from foundation.wire import BadToken
from tests.support.identity import ACCOUNT, OTHER_ACCOUNT, REGION, OpenCore

AT = datetime(2026, 1, 1, tzinfo=UTC)
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}]}'
HERE = Scope(ACCOUNT, REGION)


def wall() -> datetime:
    return datetime.now(UTC)


class PlainSeal:
    """Seals nothing."""

    def seal(self, purpose: str, payload: bytes) -> str:
        return f"{purpose}:{payload.hex()}"

    def open(self, purpose: str, token: str) -> bytes:
        if not token.startswith(f"{purpose}:"):
            raise BadToken("The token is not valid.")
        return bytes.fromhex(token.partition(":")[2])


@pytest.fixture
def principals(store: Store, core: OpenCore) -> Principals:
    made = Principals(store, core)
    Accounts(store, core, os.urandom, wall, made).create(ACCOUNT)
    return made


def add(store: Store, principals: Principals, record: EntityRecord) -> EntityRecord:
    mac = principals.watch.mac(record)
    store.unit(HERE).write(lambda session: add_entity(session, record, mac))
    return record


@pytest.fixture
def role(store: Store, principals: Principals) -> EntityRecord:
    unique = unique_id("AROA", ACCOUNT, os.urandom)
    return add(store, principals, EntityRecord(ACCOUNT, unique, "role", "r", "/deep/", AT, trust=TRUST))


def test_ids_and_arns_lead_to_each_other(principals: Principals, role: EntityRecord) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    assert principals.id_of(role.arn) == role.id
    assert principals.arn_of(role.id) == role.arn
    assert principals.id_of(role.id) == role.id
    assert principals.id_of(f"arn:aws:sts::{ACCOUNT}:assumed-role/r/session") == role.id
    assert principals.id_of(root) == ACCOUNT


@pytest.mark.parametrize(
    "name",
    [
        f"arn:aws:iam::{ACCOUNT}:role/r",
        f"arn:aws:iam::{ACCOUNT}:role/deep/other",
        f"arn:aws:iam::{ACCOUNT}:user/deep/r",
        f"arn:aws:iam::{ACCOUNT}:policy/deep/r",
        f"arn:aws:iam::{OTHER_ACCOUNT}:root",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/other/session",
        "AROANOBODYATALL000000",
        "nobody",
    ],
)
def test_what_does_not_exist_has_no_id(principals: Principals, role: EntityRecord, name: str) -> None:
    assert role.name == "r"
    assert principals.id_of(name) is None


def test_a_role_that_is_made_anew_under_its_name_has_another_id(
    store: Store, principals: Principals, role: EntityRecord
) -> None:
    assert principals.id_of(role.arn) == role.id

    def remove(session: Session) -> None:
        remove_entity(session, replace(role, version=1))
        bump(session, GENERATION)

    store.unit(HERE).write(remove)
    time.sleep(store.staleness)
    assert principals.id_of(role.arn) is None
    again = add(store, principals, replace(role, id=unique_id("AROA", ACCOUNT, os.urandom)))
    assert principals.id_of(role.arn) == again.id != role.id


def test_a_role_alone_is_nobody_and_a_user_is_no_role(principals: Principals, role: EntityRecord) -> None:
    claims = Claims(ACCOUNT, role.id, b"", 0, 0, name="session", role_id=role.id)
    assert principals.by_id(ACCOUNT, role.id) is None
    user = principals.id_of(f"arn:aws:iam::{ACCOUNT}:user/admin")
    assert user is not None
    assert principals.by_id(ACCOUNT, user, claims) is None
    assert principals.by_id(OTHER_ACCOUNT, OTHER_ACCOUNT) is None
    found = principals.by_id(ACCOUNT, role.id, claims)
    assert found is not None
    assert (found.principal_id, found.kind) == (f"{role.id}:session", "role")


def test_a_policy_that_cannot_be_read_any_more_is_refused(
    store: Store, principals: Principals, caplog: pytest.LogCaptureFixture
) -> None:
    odd = EntityRecord(ACCOUNT, "AIDAODD", "user", "odd", "/", AT, inline=(("p", "{"),))
    add(store, principals, odd)
    with caplog.at_level(logging.CRITICAL), pytest.raises(Tampered, match="cannot be read"):
        principals.by_id(ACCOUNT, "AIDAODD")
    assert "ALARM" in caplog.text


def test_an_alarm_is_never_silent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        log_alarm(ACCOUNT, "something")
    assert f"ALARM account {ACCOUNT}: something" in caplog.text


def test_a_policy_that_was_just_deleted_cannot_be_attached(store: Store, principals: Principals) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/gone"
    with pytest.raises(NoSuchEntity):
        add(store, principals, EntityRecord(ACCOUNT, "AIDAX", "user", "x", "/", AT, attached=(arn,)))
    assert principals.named(ACCOUNT, "user", "x") is None


def test_a_policy_that_others_changed_is_not_overwritten(store: Store, principals: Principals) -> None:
    versions = (VersionRecord(1, "{}", AT),)
    record = PolicyRecord(ACCOUNT, "ANPAX", "x", "/", "", AT, AT, 1, 1, (), versions)
    mac = principals.watch.mac(record)
    store.unit(HERE).write(lambda session: add_policy(session, record, mac))

    def overwrite(session: Session) -> None:
        found = read_policy(session, ACCOUNT, "ANPAX")
        assert found is not None
        assert found[0].version != record.version
        replace_policy(session, record, record, mac)

    with pytest.raises(Conflict):
        store.unit(HERE).write(overwrite)


def test_a_key_is_made_only_for_who_is_still_there(
    store: Store, core: OpenCore, principals: Principals
) -> None:
    keys = AccessKeys(core, principals.watch, os.urandom, wall)
    unit = store.unit(HERE)
    with pytest.raises(NoSuchEntity):
        keys.create(unit, "AIDAGONE")
    made, _ = keys.create(unit, ACCOUNT)
    keys.delete(unit, made)
    keys.delete(unit, made)
    with pytest.raises(NoSuchEntity):
        keys.set_active(unit, made, active=True)


def test_a_token_of_another_form_is_not_one(core: OpenCore) -> None:
    seal = PlainSeal()
    sessions = Sessions(core, seal, os.urandom, wall)
    made = sessions.issue(Claims(ACCOUNT, ACCOUNT, b"", 0, 0), timedelta(hours=1))
    claims = sessions.open(made.token, made.access_key_id)
    assert (claims.account, claims.over(wall())) == (ACCOUNT, False)
    assert claims.over(made.expires_at)
    for payload in (b"", b"no zlib", zlib.compress(b"no claims")):
        with pytest.raises(BadToken):
            sessions.open(seal.seal(made.access_key_id, payload), made.access_key_id)
    with pytest.raises(BadToken):
        sessions.open(made.token, "ASIA" + "A" * 16)
    assert made.secret_access_key not in repr(made)
