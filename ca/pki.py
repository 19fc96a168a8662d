"""What /pki/ serves to anybody: certificates of authorities, bundles, CRLs, trust roots."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select as sql_select
from sqlmodel import Session, col, select

from ca.bundles import FORMS, bundle, split
from ca.lineage_tables import CrossRow
from ca.locations import COMPLETE, partition_named
from ca.pem import pem
from ca.revocation_settings import read_settings
from ca.shards import publishes
from ca.tables import AuthorityRow, CrlRow, PlaceRow
from foundation.store import Scope, Unit

PEM = "application/x-pem-file"
CERTIFICATE = "application/pkix-cert"  # RFC 2585 4.1
CRL = "application/pkix-crl"  # RFC 2585 4.2

_OF_AUTHORITY = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
    r"(?P<what>\.crt|\.pem|\.crl|/bundle\.(?P<form>pem|p7b|jks|p12)|/chains/(?P<number>[1-9][0-9]{0,5})\.pem"
    r"|/(?P<part>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.crl)"
)

_PATIENCE: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PublishedCrl:
    """A CRL as it is served. `tag` changes with each publication; `crl` is DER, empty where the reader has it."""

    tag: str
    this_update: datetime
    next_update: datetime
    crl: bytes


class PublicPki:
    """Reads what is published, for anybody. `unit` is of the SYSTEM scope, carries no event and may serve many threads.

    roots.pem holds the roots of the deployment's own hierarchy. An account's private roots are under their ids only:
    a bundle of every account's would make each reader trust every account.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def file(self, name: str) -> tuple[str, bytes] | None:
        """(media type, body) of /pki/NAME, or None where nothing is published.

        roots.FORM, ID.crt (DER), ID.pem, ID/bundle.FORM (the authority, then its chain; a truststore holds its root
        alone), ID/chains/N.pem (another certificate for its name and key, then that one's chain), and CRLs as `crl` has
        them. FORM is one of `ca.bundles.FORMS`.
        """
        if name.startswith("roots."):
            return self._roots(name.removeprefix("roots."))
        if name.endswith(".crl"):
            published = self.crl(name)
            return None if published is None else (CRL, published.crl)
        match = _OF_AUTHORITY.fullmatch(name)
        scope = None if match is None else self._place(match["id"])
        if match is None or scope is None:
            return None
        with self._unit.at(scope, because="what /pki/ serves is public").read() as session:
            if match["number"] is not None:
                return _cross(session, match["id"], int(match["number"]))
            if match["form"] is not None:
                return _bundle(session, match["id"], match["form"])
            return _file(session, match["id"], match["what"])

    def crl(self, name: str, known: Callable[[str], bool] = lambda _: False) -> PublishedCrl | None:
        """The CRL of /pki/NAME, or None: ID.crl is the complete one, ID/GUID.crl a partition.

        Its bytes are not read when the caller says that its entity tag is `known`. An authority whose configuration has
        no CRL has none, whatever it published before.
        """
        match = _OF_AUTHORITY.fullmatch(name)
        scope = None if match is None else self._place(match["id"])
        if match is None or scope is None:
            return None
        authority_id = match["id"]
        shard = COMPLETE if match["part"] is None else partition_named(authority_id, match["part"])
        if shard is None:
            return None
        of = (col(CrlRow.authority_id) == authority_id, col(CrlRow.shard) == shard)
        with self._unit.at(scope, because="what /pki/ serves is public").read() as session:
            row = session.execute(
                sql_select(
                    col(CrlRow.number),
                    col(CrlRow.this_update),
                    col(CrlRow.next_update),
                    col(AuthorityRow.revocation),
                )
                .join(AuthorityRow, col(AuthorityRow.id) == col(CrlRow.authority_id))
                .where(*of)
            ).one_or_none()
            if row is None or not read_settings(row.revocation).crl:
                return None
            tag = f"{row.number:x}-{int(row.this_update.timestamp()):x}"
            body = b"" if known(tag) else session.exec(select(CrlRow.crl).where(*of)).one()
        return PublishedCrl(tag, row.this_update, row.next_update, body)

    def late_crls(self, now: datetime) -> list[tuple[str, datetime]]:
        """(authority id, end) of every CRL, of all accounts, that should have been replaced: for the operator.

        That is an hour past half of its life, and of authorities that publish.
        """
        with self._unit.read() as session:
            places = {Scope(place.account, place.region) for place in session.exec(select(PlaceRow)).all()}
        late = []
        for scope in sorted(places, key=lambda scope: (scope.account, scope.region)):
            with self._unit.at(scope, because="the operator looks after every CRL").read() as session:
                rows = session.execute(
                    sql_select(col(CrlRow.this_update), col(CrlRow.next_update), AuthorityRow).join(
                        AuthorityRow, col(AuthorityRow.id) == col(CrlRow.authority_id)
                    )
                ).all()
            for this_update, next_update, authority in rows:
                half = this_update + (next_update - this_update) / 2
                if now > half + _PATIENCE and publishes(authority, now):
                    late.append((authority.id, next_update))
        return late

    def every_root(self) -> str:
        """PEM of the roots of all accounts, the deployment's own first: for the operator, who trusts them all."""
        with self._unit.read() as session:
            places = {Scope(place.account, place.region) for place in session.exec(select(PlaceRow)).all()}
        own = self._unit.scope
        pems = []
        for scope in sorted(places, key=lambda scope: (scope != own, scope.account, scope.region)):
            with self._unit.at(scope, because="the operator lists every root").read() as session:
                rows = session.exec(
                    select(AuthorityRow).where(AuthorityRow.kind == "ROOT", AuthorityRow.status != "CREATING")
                ).all()
            pems += [pem(row.certificate or b"") for row in rows]
        return "".join(pems)

    def _roots(self, form: str) -> tuple[str, bytes] | None:
        if form not in FORMS:
            return None
        with self._unit.read() as session:
            roots = session.exec(
                select(AuthorityRow)
                .where(AuthorityRow.kind == "ROOT", AuthorityRow.status != "CREATING")
                .order_by(col(AuthorityRow.created_at))
            ).all()
        found = [row.certificate for row in roots if row.certificate is not None]
        return (FORMS[form].media_type, bundle(form, found)) if found else None

    def _place(self, authority_id: str) -> Scope | None:
        with self._unit.read() as session:
            place = session.get(PlaceRow, authority_id)
        return None if place is None else Scope(place.account, place.region)


def _cross(session: Session, authority_id: str, number: int) -> tuple[str, bytes] | None:
    row = session.exec(
        select(CrossRow).where(CrossRow.authority_id == authority_id, CrossRow.number == number)
    ).one_or_none()
    return None if row is None else (PEM, pem(row.certificate + row.chain).encode())


def _bundle(session: Session, authority_id: str, form: str) -> tuple[str, bytes] | None:
    row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
    if row is None or row.certificate is None:
        return None
    chain = split(row.certificate + (row.chain or b""))
    return FORMS[form].media_type, bundle(form, chain[-1:] if FORMS[form].anchors else chain)


def _file(session: Session, authority_id: str, what: str) -> tuple[str, bytes] | None:
    row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
    if row is None or row.certificate is None:
        return None
    if what == ".crt":
        return CERTIFICATE, row.certificate
    return PEM, pem(row.certificate).encode()
