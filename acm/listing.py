"""ListCertificates: the filters, what they hide by default, and pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from acm.catalogue import build_view
from acm.errors import InvalidArgs
from acm.extensions import EXTENDED_KEY_USAGES, KEY_USAGES, to_bits
from acm.orders import AWS_MANAGED, CUSTOMER_PROVIDED
from acm.settings import AcmSettings
from acm.tables import Certificate
from acm.views import CertificateView
from foundation.store import Unit
from foundation.wire import BadToken, Keyset, Page, TokenSeal, page

DEFAULT_PAGE = 100
DEFAULT_KEY_TYPES = ("RSA_1024", "RSA_2048")  # TRAPS 28
DEFAULT_ORIGINS = (AWS_MANAGED, CUSTOMER_PROVIDED)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """ListCertificates' input, judged. Empty tuples filter nothing."""

    statuses: tuple[str, ...] = ()
    origins: tuple[str, ...] = DEFAULT_ORIGINS
    root_hierarchies: tuple[str, ...] = ()
    key_types: tuple[str, ...] = DEFAULT_KEY_TYPES
    key_usages: tuple[str, ...] = ()
    extended_key_usages: tuple[str, ...] = ()
    export: str | None = None
    managed_by: str | None = None
    newest_first: bool = False
    limit: int = DEFAULT_PAGE
    token: str | None = None

    @property
    def binding(self) -> tuple[str, ...]:
        """Every filter, as text: a page's token is good for the same question only."""
        asked = {name: getattr(self, name) for name in self.__slots__ if name not in {"limit", "token"}}
        return (json.dumps(asked, sort_keys=True),)


def judge_query(params: Mapping[str, Any]) -> ListQuery:
    """ListCertificates' parameters as a query; raise InvalidArgs when SortBy and SortOrder are not together."""
    if ("SortBy" in params) != ("SortOrder" in params):
        raise InvalidArgs("SortBy and SortOrder go together: give both or neither")
    includes = params.get("Includes", {})
    return ListQuery(
        statuses=tuple(params.get("CertificateStatuses", ())),
        origins=tuple(params.get("CertificateKeyPairOrigins", ())) or DEFAULT_ORIGINS,
        root_hierarchies=tuple(params.get("RootHierarchyTypes", ())),
        key_types=tuple(includes.get("keyTypes", ())) or DEFAULT_KEY_TYPES,
        key_usages=tuple(includes.get("keyUsage", ())),
        extended_key_usages=tuple(includes.get("extendedKeyUsage", ())),
        export=includes.get("exportOption"),
        managed_by=includes.get("managedBy"),
        newest_first=params.get("SortOrder") == "DESCENDING",
        limit=params.get("MaxItems", DEFAULT_PAGE),
        token=params.get("NextToken"),
    )


def list_certificates(
    unit: Unit, seal: TokenSeal, query: ListQuery, settings: AcmSettings, caller: str
) -> Page[CertificateView]:
    """One page of views, without the names' validation; raise InvalidArgs for a token of another question."""

    def fetch(after: Keyset | None, count: int) -> Sequence[CertificateView]:
        if query.root_hierarchies:
            return ()  # keystead has no certificate under Amazon's N2 roots
        with unit.read() as session:
            rows = _rows(session, query, after, count)
            return [build_view(unit.scope, row, (), {}, settings) for row in rows]

    scope = unit.scope
    try:
        return page(
            fetch,
            key=lambda view: (view.created_at.isoformat(), view.id),
            token=query.token,
            limit=query.limit,
            seal=seal,
            bound_to=(caller, scope.account, scope.region, "ListCertificates", *query.binding),
        )
    except BadToken as bad:
        raise InvalidArgs(f"NextToken is not valid here: {bad.message}") from bad


def _rows(session: Session, query: ListQuery, after: Keyset | None, count: int) -> list[Certificate]:
    created, ident = col(Certificate.created_at), col(Certificate.id)
    statement = select(Certificate).where(*_conditions(query))
    if after is not None:
        moment, last = datetime.fromisoformat(str(after[0])), str(after[1])
        if query.newest_first:
            beyond = or_(created < moment, and_(created == moment, ident < last))
        else:
            beyond = or_(created > moment, and_(created == moment, ident > last))
        statement = statement.where(beyond)
    order = (created.desc(), ident.desc()) if query.newest_first else (created, ident)
    return list(session.exec(statement.order_by(*order).limit(count)))


def _conditions(query: ListQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        col(Certificate.key_algorithm).in_(query.key_types),
        col(Certificate.key_pair_origin).in_(query.origins),
    ]
    if query.statuses:
        conditions.append(col(Certificate.status).in_(query.statuses))
    if query.key_usages:
        wanted = to_bits(query.key_usages, KEY_USAGES)
        conditions.append(col(Certificate.key_usages).bitwise_and(wanted) != 0)
    if query.extended_key_usages:
        wanted = to_bits(query.extended_key_usages, EXTENDED_KEY_USAGES)
        conditions.append(col(Certificate.extended_key_usages).bitwise_and(wanted) != 0)
    if query.export is not None:
        conditions.append(col(Certificate.export) == query.export)
    if query.managed_by is not None:
        conditions.append(col(Certificate.managed_by) == query.managed_by)
    return conditions
