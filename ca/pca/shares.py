"""Which authorities of others an account is named by (PutPolicy), so that it can list them."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session, col, select

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
    """The authorities of others whose policies name the caller's account, by id."""
    scope = context.unit.scope
    mine = select(ShareRow).where(
        col(ShareRow.consumer) == scope.account, col(ShareRow.region) == scope.region
    )
    if after is not None:
        mine = mine.where(col(ShareRow.authority_id) > str(after[0]))
    with context.unit.read() as session:
        rows = list(session.exec(mine.order_by(col(ShareRow.authority_id)).limit(count)))
    because = "a resource policy of the CA names this account"
    return [
        context.kept(context.unit.at(Scope(row.owner, row.region), because=because), row.authority_id)
        for row in rows
    ]


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
