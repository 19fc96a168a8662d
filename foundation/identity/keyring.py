"""Access keys as the hot path needs them: whose they are, and their derived signing keys, cached.

Both follow the store's generation "identity", which every change of a key, user or policy raises in its own
transaction; so a disabled key is dropped as soon as the generation is seen (within 1 s on every worker).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from sqlmodel import Session, select

from foundation.identity.calls import Principal
from foundation.identity.tables import AccessKey, AttachedPolicy, User
from foundation.store import SYSTEM, Scope, Store

__all__ = ["GENERATION", "Holder", "Keyring", "SigningKeys", "principal_by_id", "root_arn", "user_arn"]

GENERATION = "identity"
LONGEST = timedelta(days=1)
MOST_CACHED = 10_000
NO_KEY = bytes(32)

K = TypeVar("K")
V = TypeVar("V")


class SigningKeys(Protocol):
    """The key core, as far as SigV4 needs it. May be called from any thread, never inside a transaction."""

    def signing_key(  # noqa: PLR0917 -- the key core's signature
        self, sealed: bytes, account: str, access_key_id: str, date: str, region: str, service: str
    ) -> bytes:
        """Derive the 32-byte signing key of one day, region and service; the secret stays in the core."""
        ...


@dataclass(frozen=True, slots=True)
class Holder:
    """An active access key and the principal who holds it."""

    principal: Principal
    sealed: bytes


@dataclass(slots=True)
class _Cache:
    """What is known at one generation. Replaced whole, never emptied: a late writer fills a cache nobody reads."""

    generation: int
    holders: dict[str, Holder | None] = field(default_factory=dict)
    keys: dict[tuple[str, str, str, str], tuple[bytes, datetime]] = field(default_factory=dict)


class Keyring:
    """Finds access keys; thread-safe."""

    def __init__(self, store: Store, keys: SigningKeys, wall: Callable[[], datetime]) -> None:
        self._store = store
        self._core = keys
        self._wall = wall
        self._cache = _Cache(generation=-1)

    def look_up(
        self, access_key_id: str, date: str, region: str, service: str
    ) -> tuple[Holder | None, bytes]:
        """Return an active key's holder and the key's signing key for one day, region and service.

        None and a key that signs nothing for a key that is unknown or disabled.
        """
        cache = self._current()
        if access_key_id in cache.holders:
            holder = cache.holders[access_key_id]
        else:
            holder = self._read(access_key_id)
            _remember(cache.holders, access_key_id, holder)
        if holder is None:
            return None, NO_KEY
        place = (access_key_id, date, region, service)
        known = cache.keys.get(place)
        if known is not None and self._wall() - known[1] < LONGEST:
            return holder, known[0]
        derived = self._core.signing_key(holder.sealed, holder.principal.account, *place)
        _remember(cache.keys, place, (derived, self._wall()))
        return holder, derived

    def _current(self) -> _Cache:
        # The generation is read before the rows: what is read later may be newer than its label, never older.
        generation = self._store.generation(GENERATION)
        cache = self._cache
        if cache.generation != generation:
            cache = self._cache = _Cache(generation)
        return cache

    def _read(self, access_key_id: str) -> Holder | None:
        unit = self._store.unit(SYSTEM)
        with unit.read() as session:
            key = session.get(AccessKey, access_key_id)
        if key is None or not key.active:
            return None
        owner = unit.at(
            Scope(key.account, SYSTEM.region), because="the account that the access key belongs to"
        )
        with owner.read() as session:
            principal = principal_by_id(session, key.account, key.principal_id)
        return None if principal is None else Holder(principal, key.sealed)


def principal_by_id(session: Session, account: str, principal_id: str) -> Principal | None:
    """Find a principal by its unique id, with the policies attached to it; None when it is gone."""
    if principal_id == account:
        return Principal(
            account=account, arn=root_arn(account), principal_id=account, kind="root", name="root"
        )
    user = session.exec(select(User).where(User.user_id == principal_id)).one_or_none()
    if user is None:
        return None
    attached = session.exec(select(AttachedPolicy).where(AttachedPolicy.principal_id == principal_id)).all()
    return Principal(
        account=account,
        arn=user_arn(account, user.name),
        principal_id=principal_id,
        kind="user",
        name=user.name,
        policies=tuple(sorted(policy.policy_arn for policy in attached)),
    )


def root_arn(account: str) -> str:
    """Give the ARN of an account's root."""
    return f"arn:aws:iam::{account}:root"


def user_arn(account: str, name: str) -> str:
    """Give the ARN of a user."""
    return f"arn:aws:iam::{account}:user/{name}"


def _remember(cache: dict[K, V], key: K, value: V) -> None:
    """Keep a value; a full cache is emptied, since strangers choose the key ids that are asked for."""
    if len(cache) >= MOST_CACHED:
        cache.clear()
    cache[key] = value
