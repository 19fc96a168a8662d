"""Bearer tokens for /v1: 256 random bits, shown once, stored only as a MAC made in the key core."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlmodel import Session, select

from foundation.identity.accounts import Accounts
from foundation.identity.calls import Call, Principal
from foundation.identity.errors import BearerRefused, InvalidInput, NoSuchEntity
from foundation.identity.principals import Principals
from foundation.identity.tables import BearerToken
from foundation.store import SYSTEM, Scope, Store, Unit
from foundation.wire import Request

__all__ = ["Bearer", "NewToken", "TokenMac"]

PREFIX = "ks_"
PURPOSE = "bearer"
_TOKEN = re.compile(r"ks_[A-Za-z0-9_-]{43}")
_REFUSED = "The bearer token is not valid."


class TokenMac(Protocol):
    """The key core, as far as bearer tokens need it. Never called inside a transaction."""

    def mac(self, purpose: str, data: bytes) -> bytes:
        """Give the MAC of `data` under the deployment's key for this purpose."""
        ...


@dataclass(frozen=True, slots=True, repr=False)
class NewToken:
    """What is shown once, at creation. Has no repr: it holds the token. `token_id` names it for revocation."""

    token: str
    token_id: str
    principal_arn: str
    expires_at: datetime | None


class Bearer:
    """Makes, checks and revokes bearer tokens, on the wall clock. `region` is where their calls take place."""

    def __init__(  # noqa: PLR0917 -- every collaborator is an argument (ARCHITECTURE 5)
        self,
        store: Store,
        core: TokenMac,
        accounts: Accounts,
        entropy: Callable[[int], bytes],
        wall: Callable[[], datetime],
        region: str,
    ) -> None:
        self._store = store
        self._core = core
        self._accounts = accounts
        self._principals: Principals = accounts.principals
        self._entropy = entropy
        self._wall = wall
        self._region = region

    def create(
        self,
        principal_arn: str,
        *,
        expires_in: timedelta | None = None,
        unit: Unit | None = None,
    ) -> NewToken:
        """Make a token that acts as the principal, for ever or for `expires_in`.

        `unit` is the caller's, whose trail event is committed with it. Raises NoSuchEntity when the principal does not exist, InvalidInput for a lifetime that is not one.
        """
        principal = self._accounts.principal(principal_arn)
        created_at = self._wall()
        expires_at = None if expires_in is None else _after(created_at, expires_in)
        token = PREFIX + base64.urlsafe_b64encode(self._entropy(32)).decode().rstrip("=")
        token_id = "tok-" + self._entropy(8).hex()
        mac = self._core.mac(PURPOSE, token.encode())
        row_mac = self._row_mac(mac, token_id, principal.account, principal.principal_id, expires_at)

        def write(session: Session) -> None:
            session.add(
                BearerToken(
                    mac=mac,
                    token_id=token_id,
                    account=principal.account,
                    principal_id=principal.principal_id,
                    created_at=created_at,
                    expires_at=expires_at,
                    row_mac=row_mac,
                )
            )

        own = (unit or self._store.unit(SYSTEM)).at(
            Scope(principal.account, self._region), because="the operator makes a token for this principal"
        )
        own.write(write)
        return NewToken(token, token_id, principal.arn, expires_at)

    def revoke(self, token_id: str) -> None:
        """Delete a token; NoSuchEntity when there is none. It stops at once: tokens are not cached."""

        def write(session: Session) -> None:
            row = session.exec(select(BearerToken).where(BearerToken.token_id == token_id)).one_or_none()
            if row is None:
                raise NoSuchEntity(f"There is no token {token_id[:64]}.")
            session.delete(row)

        self._store.unit(SYSTEM).write(write)

    def authenticate(self, request: Request, *, request_id: str, service: str = "acm") -> Call:
        """Find out who holds the request's bearer token (RFC 6750 2.1); `service` is what the call is about.

        Raises BearerRefused, in the same words whatever is wrong with a token that was sent.
        """
        headers = request.all("authorization")
        if not headers:
            raise BearerRefused("Send a bearer token: 'Authorization: Bearer ks_...'.")
        scheme, _, token = headers[0].strip().partition(" ")
        if len(headers) != 1 or scheme.lower() != "bearer" or not _TOKEN.fullmatch(token.strip()):
            raise BearerRefused(_REFUSED)
        principal, token_id = self._holder(token.strip())
        return Call(
            principal=principal,
            account=principal.account,
            region=self._region,
            service=service,
            request_id=request_id,
            at=self._wall(),
            source_ip=request.source_ip,
            user_agent=", ".join(request.all("user-agent")),
            access_key_id=token_id,
            secure=request.secure,
        )

    def _holder(self, token: str) -> tuple[Principal, str]:
        mac = self._core.mac(PURPOSE, token.encode())
        with self._store.unit(SYSTEM).read() as session:
            row = session.get(BearerToken, mac)
        if row is None or (row.expires_at is not None and row.expires_at <= self._wall()):
            raise BearerRefused(_REFUSED)
        watch = self._principals.watch
        wanted = self._row_mac(mac, row.token_id, row.account, row.principal_id, row.expires_at)
        watch.compare(row.account, f"bearer token {row.token_id}", row.row_mac, wanted)
        principal = self._principals.by_id(row.account, row.principal_id)
        if principal is None:
            raise BearerRefused(_REFUSED)
        return principal, row.token_id

    def _row_mac(
        self, mac: bytes, token_id: str, account: str, principal_id: str, expires_at: datetime | None
    ) -> bytes:
        watch = self._principals.watch
        return watch.mac_of("bearer token", [mac, token_id, account, principal_id, expires_at])


def _after(start: datetime, lifetime: timedelta) -> datetime:
    if lifetime <= timedelta(0):
        raise InvalidInput("A token's lifetime must be longer than nothing.")
    try:
        return start + lifetime
    except OverflowError as error:
        raise InvalidInput("A token's lifetime must end before the year 10000.") from error
