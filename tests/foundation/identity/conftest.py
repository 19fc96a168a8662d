"""One account, and what judges its requests."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlmodel import Session, select

from foundation.identity import Accounts, Authenticator, Bearer, NewAccount
from foundation.identity.entities import add_entity, remove_entity
from foundation.identity.records import EntityRecord, Watch, find_entity
from foundation.identity.tables import AttachedPolicy
from foundation.store import Scope, Store, bump
from foundation.wire import Addressed, Codec
from tests.support.identity import ACCOUNT, REGION, OpenCore

ACM = Addressed(service="acm", operation="ListCertificates", codec=Codec.JSON11, signing_name="acm")


class Clock:
    """The present time, or that much later."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def counted_entropy() -> Callable[[int], bytes]:
    """Entropy that never repeats within a test."""
    numbers = count(1)
    return lambda size: hashlib.sha512(b"%d" % next(numbers)).digest()[:size]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def core() -> OpenCore:
    return OpenCore()


@pytest.fixture
def accounts(store: Store, core: OpenCore, clock: Clock) -> Accounts:
    return Accounts(store, core, counted_entropy(), clock)


@pytest.fixture
def account(accounts: Accounts) -> NewAccount:
    return accounts.create(ACCOUNT)


@pytest.fixture
def authenticator(store: Store, core: OpenCore, clock: Clock) -> Authenticator:
    return Authenticator(store, core, clock, {REGION, "us-east-1"})


@pytest.fixture
def bearer(store: Store, core: OpenCore, accounts: Accounts, clock: Clock) -> Bearer:
    return Bearer(store, core, accounts, counted_entropy(), clock, REGION)


def recreate_admin(store: Store, core: OpenCore) -> None:
    """Delete the user `admin` and make another of that name, as IAM's operations do."""
    another = EntityRecord(ACCOUNT, "AIDAANOTHERADMIN00002", "user", "admin", "/", datetime.now(UTC))
    mac = Watch(core).mac(another)

    def write(session: Session) -> None:
        found = find_entity(session, "user", "admin")
        assert found is not None
        for policy in session.exec(select(AttachedPolicy)).all():
            session.delete(policy)
        remove_entity(session, found[0])
        session.flush()
        add_entity(session, another, mac)
        bump(session, "identity")

    store.unit(Scope(ACCOUNT, REGION)).write(write)
