"""Access keys as rows: made, listed, enabled, deleted; each row held to its MAC, so that no key changes its holder."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, Protocol

from sqlmodel import Session, col, select

from foundation.identity.errors import LimitExceeded, NoSuchEntity
from foundation.identity.names import letters
from foundation.identity.records import KeyRecord, Watch, key_record
from foundation.identity.tables import AccessKey, Entity
from foundation.store import Unit, bump

__all__ = ["GENERATION", "KEYS_PER_PRINCIPAL", "AccessKeys", "KeyMaker"]

GENERATION: Final = "identity"
"""The store's generation that every change of who may do what raises in its own transaction."""

KEYS_PER_PRINCIPAL: Final = 2


class KeyMaker(Protocol):
    """The key core, as far as access keys need it. Never called inside a transaction."""

    def new_access_key(self, account: str, access_key_id: str, secret: str | None) -> tuple[bytes, str]:
        """Seal `secret` (None: make one) for this key id; give the sealed token and the secret."""
        ...


class AccessKeys:
    """The access keys that a unit's caller may be asked about. `now` is the service clock."""

    def __init__(
        self, core: KeyMaker, watch: Watch, entropy: Callable[[int], bytes], now: Callable[[], datetime]
    ) -> None:
        self._core = core
        self._watch = watch
        self._entropy = entropy
        self._now = now

    def draft(
        self, account: str, principal_id: str, key_id: str | None = None, secret: str | None = None
    ) -> tuple[dict[str, Any], str]:
        """Make a key's row and its secret; what is not given is made. Nothing is stored yet."""
        named = key_id if key_id is not None else "AKIA" + letters(self._entropy, 16)
        sealed, shown = self._core.new_access_key(account, named, secret)
        record = KeyRecord(named, account, principal_id, sealed, True, self._now())
        return {**vars(record), "mac": self._watch.mac(record)}, shown

    def create(self, unit: Unit, principal_id: str) -> tuple[KeyRecord, str]:
        """Make a key for a principal of the unit's account, and give its secret.

        Raises LimitExceeded for a third key, NoSuchEntity when the user is gone.
        """
        account = unit.scope.account
        values, secret = self.draft(account, principal_id)

        def write(session: Session) -> KeyRecord:
            if principal_id != account and session.get(Entity, (account, principal_id)) is None:
                raise NoSuchEntity("The user was deleted.")
            if len(_of(session, account, principal_id)) >= KEYS_PER_PRINCIPAL:
                raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {KEYS_PER_PRINCIPAL}")
            row = AccessKey(**values)
            session.add(row)
            bump(session, GENERATION)
            return key_record(row)

        return unit.write(write), secret

    def of(self, unit: Unit, principal_id: str) -> list[KeyRecord]:
        """List a principal's keys, by id."""
        with unit.read() as session:
            return [key_record(row) for row in _of(session, unit.scope.account, principal_id)]

    def find(self, unit: Unit, key_id: str) -> KeyRecord | None:
        """Find a key of any account."""
        with unit.read() as session:
            row = session.get(AccessKey, key_id)
        if row is None:
            return None
        record = key_record(row)
        self._watch.hold(record, row.mac)
        return record

    def set_active(self, unit: Unit, record: KeyRecord, *, active: bool) -> None:
        """Enable or disable a key that was found. All workers follow within a second."""
        changed = replace(record, active=active)
        mac = self._watch.mac(changed)

        def write(session: Session) -> None:
            row = session.get(AccessKey, record.access_key_id)
            if row is None:
                raise NoSuchEntity(f"The Access Key with id {record.access_key_id} cannot be found.")
            row.active, row.mac = active, mac
            session.add(row)
            bump(session, GENERATION)

        unit.write(write)

    def delete(self, unit: Unit, record: KeyRecord) -> None:
        """Delete a key that was found, its sealed secret overwritten first."""

        def write(session: Session) -> None:
            row = session.get(AccessKey, record.access_key_id)
            if row is not None:
                row.sealed = bytes(len(row.sealed))
                session.add(row)
                session.flush()
                session.delete(row)
            bump(session, GENERATION)

        unit.write(write)


def _of(session: Session, account: str, principal_id: str) -> list[AccessKey]:
    mine = select(AccessKey).where(AccessKey.account == account, AccessKey.principal_id == principal_id)
    return list(session.exec(mine.order_by(col(AccessKey.created_at), col(AccessKey.access_key_id))))
