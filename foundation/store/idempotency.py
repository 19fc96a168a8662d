"""Idempotency tokens: the second call with one token gets the first one's answer."""

import hmac
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from foundation.store.errors import TokenReused
from foundation.store.sessions import scope_of
from foundation.store.tables import Idempotency

_SWEEP: Final = 4


def recall(session: Session, operation: str, token: str, request_digest: bytes, now: datetime) -> str | None:
    """The result remembered for the token; None for a token that is new or expired.

    Raises TokenReused when the token came with another request (another digest).
    """
    row = _row(session, operation, token)
    if row is None or row.expires_at <= now:
        return None
    if not hmac.compare_digest(row.request_digest, request_digest):
        raise TokenReused(f"the token of an earlier {operation} came with different parameters")
    return row.result


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
    row = _row(session, operation, token)
    if row is None:
        scope = scope_of(session)
        row = Idempotency(
            account=scope.account,
            region=scope.region,
            operation=operation,
            token=token,
            request_digest=request_digest,
            result=result,
            expires_at=expires_at,
        )
    else:
        row.request_digest, row.result, row.expires_at = request_digest, result, expires_at
    session.add(row)
    if now is not None:
        expired = select(Idempotency).where(col(Idempotency.expires_at) <= now).limit(_SWEEP)
        for old in session.exec(expired):
            session.delete(old)


def _row(session: Session, operation: str, token: str) -> Idempotency | None:
    scope = scope_of(session)
    return session.get(Idempotency, (scope.account, scope.region, operation, token))
