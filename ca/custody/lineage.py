"""The hierarchy of an account as one looks at it: who is below whom, in what state, how fresh its CRLs, how long yet."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from sqlmodel import Session, col, select

from ca.arns import authority_arn
from ca.lineage_tables import CrossRow, LockRow, SuccessionRow
from ca.revocation_settings import read_settings
from ca.states import state_at
from ca.tables import AuthorityRow, CrlRow, PlaceRow
from foundation.store import Scope, Unit


@dataclass(frozen=True, slots=True)
class CrlState:
    """The stalest of an authority's CRLs. `freshness`: "off", "none" (not published yet), "fresh", "old" or "expired"."""

    freshness: str
    number: int | None = None
    next_update: datetime | None = None


@dataclass(frozen=True, slots=True)
class CrossView:
    """Another certificate for the authority's name and key; `path` is where /pki/ has it with its chain."""

    issuer_arn: str
    serial: str
    not_after: datetime
    path: str


@dataclass(frozen=True, slots=True)
class LineageNode:
    """An authority and what is below it. `locked`: None, "locked", or until when it is unlocked (RFC 3339)."""

    arn: str
    account: str
    region: str
    kind: str
    status: str
    subject: str
    key_spec: str
    key_origin: str
    serial: str | None
    not_before: datetime | None
    not_after: datetime | None
    days_left: int | None
    locked: str | None
    successor_arn: str | None
    revoked: int
    crl: CrlState
    crosses: tuple[CrossView, ...]
    below: list["LineageNode"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What other tables say of the authorities of one scope, by their ids."""

    locks: dict[str, LockRow]
    successors: dict[str, str]
    crosses: list[CrossRow]
    crls: list[tuple[str, int, datetime, datetime]]


def lineage(unit: Unit, now: datetime, *, every: bool) -> list[LineageNode]:
    """The trees of the unit's account and Region, or of `every` one; roots first, oldest first."""
    scopes: Iterable[Scope] = (unit.scope,)
    if every:
        with unit.read() as session:
            places = {Scope(place.account, place.region) for place in session.exec(select(PlaceRow)).all()}
        scopes = sorted(places, key=lambda scope: (scope.account, scope.region))
    trees = []
    for scope in scopes:
        of = unit if scope == unit.scope else unit.at(scope, because="the operator looks at every hierarchy")
        with of.read() as session:
            trees += _trees(session, scope, now)
    return trees


def _trees(session: Session, scope: Scope, now: datetime) -> list[LineageNode]:
    rows = session.exec(
        select(AuthorityRow).order_by(col(AuthorityRow.created_at), col(AuthorityRow.id))
    ).all()
    crls = select(CrlRow.authority_id, CrlRow.number, CrlRow.this_update, CrlRow.next_update)
    beside = _Beside(
        {row.authority_id: row for row in session.exec(select(LockRow)).all()},
        {row.authority_id: row.successor_id for row in session.exec(select(SuccessionRow)).all()},
        list(session.exec(select(CrossRow).order_by(col(CrossRow.number))).all()),
        list(session.exec(crls).all()),
    )
    nodes = {row.id: _node(row, beside, scope, now) for row in rows}
    certificates = {row.certificate: row.id for row in rows if row.certificate}
    tops: list[LineageNode] = []
    for row in rows:
        parent = row.parent_id or _parent_by_chain(row, certificates)
        (nodes[parent].below if parent in nodes else tops).append(nodes[row.id])
    return sorted(tops, key=lambda node: node.kind != "ROOT")


def _parent_by_chain(row: AuthorityRow, certificates: dict[bytes, str]) -> str | None:
    """Of an authority whose certificate was imported: the one whose certificate its chain begins with."""
    chain = row.chain or b""
    return next(
        (known for der, known in certificates.items() if chain.startswith(der) and known != row.id), None
    )


def _node(row: AuthorityRow, beside: _Beside, scope: Scope, now: datetime) -> LineageNode:
    successor, lock = beside.successors.get(row.id), beside.locks.get(row.id)
    return LineageNode(
        arn=authority_arn(scope, row.id),
        account=row.account,
        region=row.region,
        kind=row.kind,
        status=state_at(row.status, row.not_after, now),
        subject=x509.Name.from_bytes(row.subject).rfc4514_string(),
        key_spec=row.key_spec,
        key_origin=row.key_origin,
        serial=row.serial,
        not_before=row.not_before,
        not_after=row.not_after,
        days_left=None if row.not_after is None else (row.not_after - now).days,
        locked=None if lock is None else _lock_state(lock),
        successor_arn=None if successor is None else authority_arn(scope, successor),
        revoked=row.revocations,
        crl=_crl_state(row, beside.crls, now),
        crosses=tuple(
            CrossView(
                authority_arn(scope, each.issuer_id),
                each.serial,
                each.not_after,
                chain_path(row.id, each.number),
            )
            for each in beside.crosses
            if each.authority_id == row.id
        ),
    )


def _lock_state(lock: LockRow) -> str:
    return "locked" if lock.unlocked_until is None else f"{lock.unlocked_until:%Y-%m-%dT%H:%M:%SZ}"


def _crl_state(row: AuthorityRow, crls: list[tuple[str, int, datetime, datetime]], now: datetime) -> CrlState:
    if not read_settings(row.revocation).crl or row.certificate is None:
        return CrlState("off")
    mine = [each for each in crls if each[0] == row.id]
    if not mine:
        return CrlState("none")
    _, number, this_update, next_update = min(mine, key=lambda each: each[3])
    if next_update <= now:
        return CrlState("expired", number, next_update)
    # At half of its life the next one is due; a tenth more is a scheduler that lags, or an authority that is locked.
    old = now - this_update > (next_update - this_update) * 0.6
    return CrlState("old" if old else "fresh", number, next_update)


def chain_path(authority_id: str, number: int) -> str:
    """Where /pki/ has a cross certificate with its chain, PEM."""
    return f"/pki/{authority_id}/chains/{number}.pem"
