"""Access keys as the hot path needs them: whose they are, and their derived signing keys, cached.

Both follow the store's generation "identity", which every change of a key, user, role or policy raises in its own
transaction; so a disabled key or detached policy is dropped as soon as the generation is seen (within 1 s on every worker).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from foundation.identity.calls import Principal
from foundation.identity.canonical import Sign, signer
from foundation.identity.keys import GENERATION
from foundation.identity.principals import Principals
from foundation.identity.records import key_record
from foundation.identity.sessions import Claims, Sessions
from foundation.identity.tables import AccessKey
from foundation.store import SYSTEM, Store
from foundation.wire import BadToken, ExpiredToken

__all__ = ["Holder", "Keyring", "SigningKeys"]

LONGEST = timedelta(days=1)
LONGEST_TOKEN = 8_192
MOST_CACHED = 10_000
NO_KEY = signer(bytes(32))

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
    """An active access key and the principal who holds it. `claims` are those of temporary credentials."""

    principal: Principal
    sealed: bytes
    claims: Claims | None = None


Credential = tuple[str, str]
"""An access key id, and the session token that came with it ("": none)."""


@dataclass(slots=True)
class _Cache:
    """What is known at one generation. Replaced whole, never emptied: a late writer fills a cache nobody reads."""

    generation: int
    holders: dict[Credential, Holder | None] = field(default_factory=dict)
    keys: dict[tuple[Credential, str, str, str], tuple[Sign, datetime]] = field(default_factory=dict)


class Keyring:
    """Finds access keys; thread-safe. `sessions` opens tokens; without one none is taken."""

    def __init__(
        self,
        store: Store,
        keys: SigningKeys,
        wall: Callable[[], datetime],
        principals: Principals,
        sessions: Sessions | None = None,
    ) -> None:
        self._store = store
        self._core = keys
        self._wall = wall
        self._principals = principals
        self._sessions = sessions
        self._cache = _Cache(generation=-1)

    def look_up(
        self, access_key_id: str, token: str, date: str, region: str, service: str
    ) -> tuple[Holder | None, Sign]:
        """Return an active key's holder and what signs with the key on one day, in one region, for one service.

        None and what signs with nobody's key for a key that is unknown or disabled, and for one whose token is missing,
        superfluous or of another key. Raises ExpiredToken for a session that is over, Tampered.
        """
        cache = self._current()
        credential = (access_key_id, token)
        if credential in cache.holders:
            holder = cache.holders[credential]
        else:
            holder = self._read_session(access_key_id, token) if token else self._read(access_key_id)
            if holder is not None or not token:  # strangers' tokens are long, and no two are alike
                _remember(cache.holders, credential, holder)
        if holder is None:
            return None, NO_KEY
        if holder.claims is not None and holder.claims.over(self._wall()):
            raise ExpiredToken("The security token included in the request is expired")
        place = (credential, date, region, service)
        known = cache.keys.get(place)
        if known is not None and self._wall() - known[1] < LONGEST:
            return holder, known[0]
        account = holder.principal.account
        derived = signer(self._core.signing_key(holder.sealed, account, access_key_id, date, region, service))
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
        with self._store.unit(SYSTEM).read() as session:
            row = session.get(AccessKey, access_key_id)
        if row is None:
            return None
        key = key_record(row)
        self._principals.watch.hold(key, row.mac)
        principal = self._principals.by_id(key.account, key.principal_id) if key.active else None
        return None if principal is None else Holder(principal, key.sealed)

    def _read_session(self, access_key_id: str, token: str) -> Holder | None:
        if self._sessions is None or len(token) > LONGEST_TOKEN:
            return None
        try:
            claims = self._sessions.open(token, access_key_id)
        except BadToken:
            return None
        principal = self._principals.by_id(claims.account, claims.principal_id, claims)
        return None if principal is None else Holder(principal, claims.sealed, claims)


def _remember(cache: dict[K, V], key: K, value: V) -> None:
    """Keep a value; a full cache is emptied, since strangers choose the key ids that are asked for."""
    if len(cache) >= MOST_CACHED:
        cache.clear()
    cache[key] = value
