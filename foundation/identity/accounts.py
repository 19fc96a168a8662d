"""Accounts, and the first user and access key of each: what `keystead account create` makes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session, col, select

from foundation.identity.calls import ADMINISTRATOR_ACCESS, Principal
from foundation.identity.entities import add_entity
from foundation.identity.errors import EntityAlreadyExists, InvalidInput, NoSuchEntity
from foundation.identity.keys import GENERATION, AccessKeys, KeyMaker
from foundation.identity.names import USER_ID, parse_arn, unique_id
from foundation.identity.principals import Principals
from foundation.identity.records import EntityRecord, RowMac
from foundation.identity.tables import AccessKey, Account
from foundation.store import SYSTEM, Duplicate, Scope, Store, Unit, bump

__all__ = ["Accounts", "NewAccount"]

ADMIN = "admin"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
# IAM makes keys of 16 and more; `test` is what people who come from a test double have in their settings.
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{4,128}")
_SECRET = re.compile(r"[!-~]{4,128}")


class AccountCore(KeyMaker, RowMac, Protocol):
    """The key core, as far as accounts need it. Never called inside a transaction."""


@dataclass(frozen=True, slots=True, repr=False)
class NewAccount:
    """What is shown once, at creation. Has no repr: it holds the secret."""

    account_id: str
    access_key_id: str
    secret_access_key: str
    admin_arn: str


class Accounts:
    """Creates accounts and finds principals. `now` is the service clock."""

    def __init__(
        self,
        store: Store,
        core: AccountCore,
        entropy: Callable[[int], bytes],
        now: Callable[[], datetime],
        principals: Principals | None = None,
    ) -> None:
        self._store = store
        self.principals = principals or Principals(store, core)
        self._keys = AccessKeys(core, self.principals.watch, entropy, now)
        self._entropy = entropy
        self._now = now

    def draw_account_id(self) -> str:
        """Draw a random account id: 12 digits, the first not 0."""
        return str(10**11 + int.from_bytes(self._entropy(16)) % (9 * 10**11))

    def create(
        self,
        account_id: str | None = None,
        access_key: str | None = None,
        secret: str | None = None,
        *,
        unit: Unit | None = None,
    ) -> NewAccount:
        """Make an account, its root and its user `admin` (AdministratorAccess) with one access key.

        What is not given is made. `unit` is the caller's, whose trail event is committed with it. Raises InvalidInput for an id
        or key of the wrong form, EntityAlreadyExists when the account or the access key exists.
        """
        account = account_id if account_id is not None else self.draw_account_id()
        _check_form(account, access_key, secret)
        created_at = self._now()
        admin = EntityRecord(
            account=account,
            id=unique_id(USER_ID, account, self._entropy),
            kind="user",
            name=ADMIN,
            path="/",
            created_at=created_at,
            attached=(ADMINISTRATOR_ACCESS,),
        )
        mac = self.principals.watch.mac(admin)
        key, shown = self._keys.draft(account, admin.id, access_key, secret)

        def write(session: Session) -> None:
            # Rows anew in each run: the store may repeat this body.
            session.add(Account(account=account, created_at=created_at))
            add_entity(session, admin, mac)
            session.add(AccessKey(**key))
            bump(session, GENERATION)

        try:
            own = (unit or self._store.unit(SYSTEM)).at(
                Scope(account, SYSTEM.region), because="the operator makes this account"
            )
            own.write(write)
        except Duplicate as error:
            taken = error.table == AccessKey.__tablename__
            what = f"access key {key['access_key_id']}" if taken else f"account {account}"
            raise EntityAlreadyExists(f"The {what} already exists.") from error
        return NewAccount(account, key["access_key_id"], shown, admin.arn)

    def set_access_key_active(self, access_key_id: str, *, active: bool) -> None:
        """Enable or disable an access key; NoSuchEntity when there is none. All workers follow within 1 s."""
        unit = self._store.unit(SYSTEM)
        key = self._keys.find(unit, access_key_id)
        if key is None:
            raise NoSuchEntity(f"The access key {access_key_id} does not exist.")
        self._keys.set_active(unit, key, active=active)

    def principal(self, arn: str) -> Principal:
        """Find the account root or user that an ARN names; NoSuchEntity when it names none."""
        named = parse_arn(arn)
        if named is None or named.kind not in ("root", "user"):
            raise NoSuchEntity("A principal is named by the ARN of an account's root or of a user.")
        unique = self.principals.id_of(arn)
        found = None if unique is None else self.principals.by_id(named.account, unique)
        if found is None:
            raise NoSuchEntity(f"There is no principal {arn}.")
        return found

    def ids(self) -> tuple[str, ...]:
        """List all account ids, in order."""
        with self._store.unit(SYSTEM).read() as session:
            return tuple(session.exec(select(Account.account).order_by(Account.account)).all())

    def first(self) -> str | None:
        """Give the id of the oldest account: the operator's commands are about it unless they name another."""
        with self._store.unit(SYSTEM).read() as session:
            return session.exec(
                select(Account.account).order_by(col(Account.created_at), Account.account).limit(1)
            ).first()


def _check_form(account: str, key_id: str | None, secret: str | None) -> None:
    if not _ACCOUNT_ID.fullmatch(account):
        raise InvalidInput("An account id is 12 digits.")
    if key_id is not None and not _ACCESS_KEY_ID.fullmatch(key_id):
        raise InvalidInput("An access key id is 4 to 128 letters, digits and underscores.")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise InvalidInput("A secret access key is 4 to 128 printable ASCII characters without spaces.")
