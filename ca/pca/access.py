"""Who else may use an authority: its resource policy, and the permissions of AWS services."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlmodel import Session, col, select

from ca.pca.context import Context, Kept, kept
from ca.pca.errors import (
    InvalidNextToken,
    InvalidPolicy,
    PermissionExists,
    RequestFailed,
    ResourceNotFound,
    translated,
)
from ca.pca.lifecycle import Lifecycle, refuse_deleted
from ca.pca.shares import replace_shares
from ca.pca.sharing import check_sharing
from ca.tables import ConfigurationRow, PermissionRow
from foundation.identity.policy import (
    Document,
    Kind,
    MalformedPolicy,
    Policy,
    PolicyTooLong,
    parse,
    pin,
    show,
)
from foundation.store import Scope
from foundation.wire import BadToken, Keyset, Page, Params, page

SERVICE: Final = "acm.amazonaws.com"
"""The one service that AWS lets CreatePermission name."""
DEFAULT_PAGE: Final = 100


class Access:
    """PutPolicy, GetPolicy, DeletePolicy, CreatePermission, ListPermissions, DeletePermission."""

    def __init__(self, context: Context, lifecycle: Lifecycle) -> None:
        self._context = context
        self._lifecycle = lifecycle

    def put_policy(self, arn: str, text: str) -> None:
        """Keep the policy with its principals pinned to their ids. Raises InvalidPolicy, InvalidState."""
        try:
            document = parse(text, Kind.RESOURCE)
            check_sharing(document, arn)
            pinned = pin(document, self._context.principals.id_of)
        except PolicyTooLong as error:
            raise InvalidPolicy(str(error)) from error
        except MalformedPolicy as error:
            raise InvalidPolicy(error.reason) from error
        kept_text = json.dumps(pinned.tree)

        def change(configuration: ConfigurationRow) -> None:
            configuration.policy = kept_text

        self._lifecycle.configure(
            arn, change, lambda session, authority: replace_shares(session, authority, document)
        )

    def policy(self, arn: str) -> str:
        """The policy as its readers see it. Raises ResourceNotFound when there is none."""
        stored = self._kept(arn).configuration.policy
        if stored is None:
            raise ResourceNotFound(f"The private CA {arn} has no policy")
        return json.dumps(show(_document(stored), self._context.principals.arn_of).tree)

    def delete_policy(self, arn: str) -> None:
        """Remove the policy; without one, nothing happens."""

        def change(configuration: ConfigurationRow) -> None:
            configuration.policy = None

        self._lifecycle.configure(
            arn, change, lambda session, authority: replace_shares(session, authority, None)
        )

    def create_permission(self, params: Mapping[str, Any]) -> None:
        """Raises RequestFailed for a service that cannot be named, PermissionExists, InvalidState."""
        arn, principal = params["CertificateAuthorityArn"], params["Principal"]
        if principal != SERVICE:
            raise RequestFailed(f"A permission is for {SERVICE}; other principals are named in a policy")
        source = params.get("SourceAccount", self._context.call.account)
        unit, authority_id = self._context.place(arn)
        now = self._context.now()

        def body(session: Session) -> None:
            authority = kept(session, authority_id, now)
            refuse_deleted(authority)
            if _permission(session, authority, principal, source) is not None:
                raise PermissionExists(f"{principal} has a permission on {arn} already")
            row = PermissionRow(
                account=authority.scope.account,
                region=authority.scope.region,
                authority_id=authority_id,
                principal=principal,
                source_account=source,
                actions=json.dumps(params["Actions"]),
                created_at=now,
            )
            session.add(row)

        with translated():
            unit.write(body)

    def delete_permission(self, params: Mapping[str, Any]) -> None:
        """Raises ResourceNotFound when there is no such permission."""
        arn, principal = params["CertificateAuthorityArn"], params["Principal"]
        source = params.get("SourceAccount", self._context.call.account)
        unit, authority_id = self._context.place(arn)

        def body(session: Session) -> None:
            authority = kept(session, authority_id, self._context.now())
            refuse_deleted(authority)
            row = _permission(session, authority, principal, source)
            if row is None:
                raise ResourceNotFound(f"{principal} has no permission on {arn}")
            session.delete(row)

        with translated():
            unit.write(body)

    def permissions(self, params: Mapping[str, Any]) -> Page[Params]:
        """ListPermissions, by principal and source account."""
        arn = params["CertificateAuthorityArn"]
        authority = self._kept(arn)
        unit, authority_id = self._context.place(arn)

        def fetch(after: Keyset | None, count: int) -> Sequence[Params]:
            mine = select(PermissionRow).where(PermissionRow.authority_id == authority_id)
            with unit.read() as session:
                rows = session.exec(
                    mine.order_by(col(PermissionRow.principal), col(PermissionRow.source_account))
                )
                shown = [_shown(authority, row) for row in rows]
            return [each for each in shown if after is None or _key(each) > after][:count]

        call, scope = self._context.call, unit.scope
        try:
            return page(
                fetch,
                key=_key,
                token=params.get("NextToken"),
                limit=params.get("MaxResults", DEFAULT_PAGE),
                seal=self._context.seal,
                bound_to=(call.account, scope.account, scope.region, "ListPermissions", authority_id),
            )
        except BadToken as bad:
            raise InvalidNextToken(f"NextToken is not valid here: {bad.message}") from bad

    def _kept(self, arn: str) -> Kept:
        unit, authority_id = self._context.place(arn)
        with translated(), unit.read() as session:
            found = kept(session, authority_id, self._context.now())
        refuse_deleted(found)
        return found


@lru_cache(maxsize=1024)
def compiled(stored: str) -> Policy:
    """A stored policy as the engine evaluates it."""
    return Policy(_document(stored), "resource policy")


def _document(stored: str) -> Document:
    return parse(stored, Kind.RESOURCE)


def _permission(session: Session, authority: Kept, principal: str, source: str) -> PermissionRow | None:
    scope: Scope = authority.scope
    key = (scope.account, scope.region, authority.row.id, principal, source)
    return session.get(PermissionRow, key)


def _key(shown: Params) -> Keyset:
    return shown["Principal"], shown["SourceAccount"]


def _shown(authority: Kept, row: PermissionRow) -> Params:
    actions = json.loads(row.actions)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": row.principal},
        "Action": [f"acm-pca:{action}" for action in actions],
        "Resource": authority.arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": row.source_account}},
    }
    return {
        "CertificateAuthorityArn": authority.arn,
        "CreatedAt": row.created_at,
        "Principal": row.principal,
        "SourceAccount": row.source_account,
        "Actions": actions,
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    }
