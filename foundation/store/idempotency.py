"""Idempotency tokens: the second call with one token gets the first one's answer."""

import hmac
from datetime import datetime
from typing import Final

from sqlmodel import Session

from foundation.store.errors import TokenReused
from foundation.store.prepared import Add, Change, Find, Remove
from foundation.store.sessions import rows_of
from foundation.store.tables import Idempotency

_SWEEP: Final = 4
_KEPT: Final = ("request_digest", "result", "expires_at")
_FIND: Final = Find(Idempotency, _KEPT, by=("operation", "token"))
_ADD: Final = Add(Idempotency, ("operation", "token", *_KEPT))
_EXPIRED: Final = Find(Idempotency, ("operation", "token"), by=(), up_to="expires_at", most=_SWEEP)
_REMOVE: Final = Remove(Idempotency, by=("operation", "token"))
_CHANGE: Final = Change(Idempotency, _KEPT, by=("operation", "token"))


def recall(session: Session, operation: str, token: str, request_digest: bytes, now: datetime) -> str | None:
    """The result remembered for the token; None for a token that is new or expired.

    Raises TokenReused when the token came with another request (another digest).
    """
    found = rows_of(session).one(_FIND, {"operation": operation, "token": token})
    if found is None:
        return None
    digest, result, expires_at = found
    if expires_at <= now:
        return None
    if not hmac.compare_digest(digest, request_digest):
        raise TokenReused(f"the token of an earlier {operation} came with different parameters")
    return str(result)


def remember(  # noqa: PLR0917 -- what a token stands for, in the order of its columns
    session: Session,
    operation: str,
    token: str,
    request_digest: bytes,
    result: str,
    expires_at: datetime,
    *,
    now: datetime | None = None,
) -> None:
    """Keep the result in the transaction that made it. With `now`, also forget a few expired tokens of the tenant.

    Two calls that race with one token: the second write is a Duplicate on PostgreSQL, which is tried again and
    then recalls.
    """
    rows, named = rows_of(session), {"operation": operation, "token": token}
    kept = dict(zip(_KEPT, (request_digest, result, expires_at), strict=True))
    if rows.run(_CHANGE, {**named, **{f"new_{name}": value for name, value in kept.items()}}) == 0:
        rows.run(_ADD, {**named, **kept})
    if now is not None:
        for old in rows.all(_EXPIRED, {"expires_at": now}):
            rows.run(_REMOVE, dict(zip(("operation", "token"), old, strict=True)))
