"""Which authorities of others an account is named by (PutPolicy), so that it can list them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session, col, select

from ca.errors import AuthorityNotFound
from ca.pca.context import Context, Kept
from ca.tables import ShareRow
from foundation.identity.policy import Document
from foundation.store import Scope
from foundation.wire import Keyset

_ARN_PARTS = 6
_ACCOUNT_DIGITS = 12


def replace_shares(session: Session, authority: Kept, document: Document | None) -> None:
    """The accounts that the policy names, in place of those before. Its own account and everybody are not written."""
    own = authority.scope
    for row in session.exec(select(ShareRow).where(col(ShareRow.authority_id) == authority.row.id)):
        session.delete(row)
    session.flush()
    for consumer in {*_named(document)} - {own.account} if document is not None else ():
        session.add(
            ShareRow(consumer=consumer, region=own.region, authority_id=authority.row.id, owner=own.account)
        )


def shared_with(context: Context, after: Keyset | None, count: int) -> list[Kept]:
    """The authorities of others whose policies name the caller's account, by id. One that has just ended is passed over."""
    shared: list[Kept] = []
    last = "" if after is None else str(after[0])
    while len(shared) < count:
        rows = _shares(context, last, count - len(shared))
        if not rows:
            break
        last = rows[-1].authority_id
        shared.extend(found for row in rows if (found := _kept(context, row)) is not None)
    return shared


def _shares(context: Context, after: str, count: int) -> list[ShareRow]:
    scope = context.unit.scope
    mine = select(ShareRow).where(
        col(ShareRow.consumer) == scope.account,
        col(ShareRow.region) == scope.region,
        col(ShareRow.authority_id) > after,
    )
    with context.unit.read() as session:
        return list(session.exec(mine.order_by(col(ShareRow.authority_id)).limit(count)))


def _kept(context: Context, share: ShareRow) -> Kept | None:
    """The authority, or None where it ended after its share was read."""
    because = "a resource policy of the CA names this account"
    try:
        return context.kept(
            context.unit.at(Scope(share.owner, share.region), because=because), share.authority_id
        )
    except AuthorityNotFound:
        return None


def _named(document: Document) -> Iterator[str]:
    statements = document.tree["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        for principal in _principals(statement):
            account = principal.split(":")[4] if len(principal.split(":")) == _ARN_PARTS else principal
            if account.isdigit() and len(account) == _ACCOUNT_DIGITS:
                yield account


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement["Principal"]
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return named if isinstance(named, list) else [named]
