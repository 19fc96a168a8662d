"""acm-pca for one caller: what its operations stand on."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from ca.errors import AuthorityNotFound
from ca.pca import configuration as rules
from ca.pca.access import Access, compiled
from ca.pca.audit_reports import AuditReports
from ca.pca.context import Context, Kept, kept, of_row
from ca.pca.errors import InvalidNextToken, InvalidState, translated
from ca.pca.issuing import Issuing
from ca.pca.lifecycle import Lifecycle, refuse_deleted
from ca.pca.shapes import description
from ca.pca.shares import shared_with
from ca.pem import pem
from ca.tables import AuthorityRow, ConfigurationRow
from foundation.identity import Resource, account_resource
from foundation.wire import BadToken, Keyset, Page, Params, page

DEFAULT_PAGE: Final = 100


class Pca:
    """The authorities that the caller may speak of; whether it may is the pipeline's to ask, of `resource`."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @cached_property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(self._context)

    @cached_property
    def issuing(self) -> Issuing:
        return Issuing(self._context)

    @cached_property
    def access(self) -> Access:
        return Access(self._context, self.lifecycle)

    @cached_property
    def audit_reports(self) -> AuditReports:
        return AuditReports(self._context)

    def account_resource(self) -> Resource:
        """Creations and lists are asked about the account."""
        return account_resource(self._context.call)

    def resource(self, arn: str, conditions: Mapping[str, str] = MappingProxyType({})) -> Resource:
        """The authority as the policy engine sees it. Raises InvalidArn, ResourceNotFound.

        conditions: the service's own condition keys, in lower case, for this call.

        What does not exist in another account is asked about all the same, so that a stranger learns nothing.
        """
        unit, authority_id = self._context.place(arn)
        try:
            found = self._context.kept(unit, authority_id)
        except AuthorityNotFound:
            if unit.scope == self._context.unit.scope:
                with translated():
                    raise
            return Resource(arn=arn, account=unit.scope.account, conditions=conditions)
        policy = found.configuration.policy
        policies = () if policy is None else (compiled(policy),)
        account = unit.scope.account
        return Resource(arn=arn, account=account, policies=policies, tags=found.tags, conditions=conditions)

    def describe(self, arn: str) -> Params:
        return description(self._kept(arn))

    def certificate(self, arn: str) -> tuple[str, str | None]:
        """GetCertificateAuthorityCertificate: PEM of the certificate, and of the chain unless it is a root's."""
        found = self._kept(arn)
        refuse_deleted(found)
        if found.row.certificate is None:
            raise InvalidState(f"The private CA {arn} is {found.status}: it has no certificate")
        return pem(found.row.certificate), pem(found.row.chain) if found.row.chain else None

    def listed(self, params: Mapping[str, Any]) -> Page[Params]:
        """ListCertificateAuthorities: the caller's own, oldest first; or those of others whose policies name its account."""
        context = self._context
        others = params.get("ResourceOwner", "SELF") == "OTHER_ACCOUNTS"

        def fetch(after: Keyset | None, count: int) -> Sequence[Params]:
            if others:
                return [description(each) for each in shared_with(context, after, count)]
            with context.unit.read() as session:
                return [description(each) for each in self._after(session, after, count)]

        return self._page(
            fetch, _by_id if others else _by_age, params, "ListCertificateAuthorities", str(others)
        )

    def _page(
        self,
        fetch: Callable[[Keyset | None, int], Sequence[Params]],
        key: Callable[[Params], Keyset],
        params: Mapping[str, Any],
        *question: str,
    ) -> Page[Params]:
        """The page that the parameters ask for; the model's limit of 100 holds. Raises InvalidNextToken."""
        context, scope = self._context, self._context.unit.scope
        try:
            return page(
                fetch,
                key=key,
                token=params.get("NextToken"),
                limit=min(params.get("MaxResults", DEFAULT_PAGE), DEFAULT_PAGE),
                seal=context.seal,
                bound_to=(context.call.account, scope.account, scope.region, *question),
            )
        except BadToken as bad:
            raise InvalidNextToken(f"NextToken is not valid here: {bad.message}") from bad

    def tags(self, params: Mapping[str, Any]) -> Page[Params]:
        """ListTags, by key."""
        arn = params["CertificateAuthorityArn"]
        found = self._kept(arn)
        refuse_deleted(found)
        shown = [{"Key": key, "Value": value} for key, value in sorted(found.tags.items())]

        def fetch(after: Keyset | None, count: int) -> Sequence[Params]:
            return [each for each in shown if after is None or _by_key(each) > after][:count]

        return self._page(fetch, _by_key, params, "ListTags", arn)

    def add_tags(self, arn: str, tags: Sequence[Mapping[str, Any]]) -> None:
        judged = rules.judge_tags(tags)

        def change(configuration: ConfigurationRow) -> None:
            configuration.tags = json.dumps(rules.with_tags(json.loads(configuration.tags), judged))

        self.lifecycle.configure(arn, change)

    def remove_tags(self, arn: str, tags: Sequence[Mapping[str, Any]]) -> None:
        """By key alone, or where a value is given, only if it is the tag's."""

        def change(configuration: ConfigurationRow) -> None:
            present = json.loads(configuration.tags)
            gone = {
                tag["Key"]
                for tag in tags
                if tag.get("Value", present.get(tag["Key"])) == present.get(tag["Key"])
            }
            configuration.tags = json.dumps({key: value for key, value in present.items() if key not in gone})

        self.lifecycle.configure(arn, change)

    def _after(self, session: Session, after: Keyset | None, count: int) -> list[Kept]:
        age, name = col(AuthorityRow.created_at), col(AuthorityRow.id)
        statement = select(AuthorityRow).order_by(age, name).limit(count)
        if after is not None:
            since, last = datetime.fromisoformat(str(after[0])), str(after[1])
            statement = statement.where(or_(age > since, and_(age == since, name > last)))
        rows = list(session.exec(statement))
        theirs = select(ConfigurationRow).where(
            col(ConfigurationRow.authority_id).in_([row.id for row in rows])
        )
        configured = {each.authority_id: each for each in session.exec(theirs)}
        return [of_row(row, configured.get(row.id), self._context.now()) for row in rows]

    def _kept(self, arn: str) -> Kept:
        unit, authority_id = self._context.place(arn)
        with translated(), unit.read() as session:
            return kept(session, authority_id, self._context.now())


def _by_key(item: Params) -> Keyset:
    return (item["Key"],)


def _by_id(item: Params) -> Keyset:
    return (item["Arn"].rpartition("/")[2],)


def _by_age(item: Params) -> Keyset:
    return item["CreatedAt"].isoformat(), item["Arn"].rpartition("/")[2]
