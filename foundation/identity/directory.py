"""Principals by ARN and by unique id, across accounts: what stored policies are pinned to and shown with."""

from foundation.identity.accounts import Accounts
from foundation.identity.errors import NoSuchEntity
from foundation.identity.keyring import principal_by_id
from foundation.store import SYSTEM, Scope, Store

__all__ = ["Directory"]


class Directory:
    """Answers from the database, so that what is just gone is gone here."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self._store = store
        self._accounts = accounts

    def id_of(self, name: str) -> str | None:
        """The unique id of a user by ARN, an account's id by its root's ARN, an id for itself; None for nobody."""
        if not name.startswith("arn:"):
            return name if self.arn_of(name) is not None else None
        try:
            return self._accounts.principal(name).principal_id
        except NoSuchEntity:
            return None

    def arn_of(self, unique_id: str) -> str | None:
        """The ARN that a unique id has now. Ids do not say whose they are, so every account is asked."""
        for account in self._accounts.ids():
            with self._store.unit(Scope(account, SYSTEM.region)).read() as session:
                found = principal_by_id(session, account, unique_id)
            if found is not None:
                return found.arn
        return None
