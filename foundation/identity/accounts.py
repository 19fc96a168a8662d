"""Accounts, and the first user and access key of each: what `keystead account create` makes."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlmodel import Session, col, select

from foundation.identity.calls import ADMINISTRATOR_ACCESS, Principal
from foundation.identity.errors import EntityAlreadyExists, InvalidInput, NoSuchEntity
from foundation.identity.keyring import GENERATION, principal_by_id, user_arn
from foundation.identity.tables import AccessKey, Account, AttachedPolicy, User
from foundation.store import SYSTEM, Duplicate, Scope, Store, Unit, bump

__all__ = ["Accounts", "KeyMaker", "NewAccount"]

ADMIN = "admin"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
# IAM makes keys of 16 and more; `test` is what people who come from a test double have in their settings.
_ACCESS_KEY_ID = re.compile(r"[A-Za-z0-9_]{4,128}")
_SECRET = re.compile(r"[!-~]{4,128}")
_PRINCIPAL_ARN = re.compile(r"arn:aws:iam::([0-9]{12}):(?:(root)|user/([A-Za-z0-9_+=,.@-]{1,64}))")


class KeyMaker(Protocol):
    """The key core, as far as access keys need it. Never called inside a transaction."""

    def new_access_key(self, account: str, access_key_id: str, secret: str | None) -> tuple[bytes, str]:
        """Seal `secret` (None: make one) for this key id; give the sealed token and the secret."""
        ...


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
        self, store: Store, core: KeyMaker, entropy: Callable[[int], bytes], now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._core = core
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
        key_id = access_key if access_key is not None else "AKIA" + self._letters(16)
        _check_form(account, key_id, secret)
        user_id = "AIDA" + self._letters(17)
        sealed, shown = self._core.new_access_key(account, key_id, secret)
        created_at = self._now()

        def write(session: Session) -> None:
            # Rows anew in each run: the store may repeat this body.
            session.add(Account(account=account, created_at=created_at))
            session.add(User(account=account, name=ADMIN, user_id=user_id, created_at=created_at))
            session.add(
                AttachedPolicy(account=account, principal_id=user_id, policy_arn=ADMINISTRATOR_ACCESS)
            )
            session.add(
                AccessKey(
                    access_key_id=key_id,
                    account=account,
                    principal_id=user_id,
                    sealed=sealed,
                    created_at=created_at,
                )
            )
            bump(session, GENERATION)

        try:
            own = (unit or self._store.unit(SYSTEM)).at(
                Scope(account, SYSTEM.region), because="the operator makes this account"
            )
            own.write(write)
        except Duplicate as error:
            what = f"access key {key_id}" if error.table == AccessKey.__tablename__ else f"account {account}"
            raise EntityAlreadyExists(f"The {what} already exists.") from error
        return NewAccount(account, key_id, shown, user_arn(account, ADMIN))

    def set_access_key_active(self, access_key_id: str, *, active: bool) -> None:
        """Enable or disable an access key; NoSuchEntity when there is none. All workers follow within 1 s."""

        def write(session: Session) -> None:
            key = session.get(AccessKey, access_key_id)
            if key is None:
                raise NoSuchEntity(f"The access key {access_key_id} does not exist.")
            key.active = active
            session.add(key)
            bump(session, GENERATION)

        self._store.unit(SYSTEM).write(write)

    def principal(self, arn: str) -> Principal:
        """Find the account root or user that an ARN names; NoSuchEntity when it names none."""
        match = _PRINCIPAL_ARN.fullmatch(arn)
        if match is None:
            raise NoSuchEntity("A principal is named by the ARN of an account's root or of a user.")
        account, root, name = match.groups()
        with self._store.unit(Scope(account, SYSTEM.region)).read() as session:
            found: Principal | None = None
            if session.get(Account, account) is not None:
                found = self._named(session, account, name, is_root=root is not None)
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

    def _named(self, session: Session, account: str, name: str, *, is_root: bool) -> Principal | None:
        if is_root:
            return principal_by_id(session, account, account)
        user = session.get(User, (account, name))
        return None if user is None else principal_by_id(session, account, user.user_id)

    def _letters(self, count: int) -> str:
        """Draw `count` letters of AWS's unique-id alphabet (base 32: A-Z, 2-7)."""
        return base64.b32encode(self._entropy(count)).decode()[:count]


def _check_form(account: str, key_id: str, secret: str | None) -> None:
    if not _ACCOUNT_ID.fullmatch(account):
        raise InvalidInput("An account id is 12 digits.")
    if not _ACCESS_KEY_ID.fullmatch(key_id):
        raise InvalidInput("An access key id is 4 to 128 letters, digits and underscores.")
    if secret is not None and not _SECRET.fullmatch(secret):
        raise InvalidInput("A secret access key is 4 to 128 printable ASCII characters without spaces.")
