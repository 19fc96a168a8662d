"""What /pki/ serves to anybody: certificates of authorities, bundles, CRLs, trust roots."""

import re

from sqlmodel import Session, col, select

from ca.pem import pem
from ca.tables import AuthorityRow, CrlRow, PlaceRow
from foundation.store import Scope, Unit

PEM = "application/x-pem-file"
CERTIFICATE = "application/pkix-cert"  # RFC 2585 4.1
CRL = "application/pkix-crl"  # RFC 2585 4.2

_OF_AUTHORITY = re.compile(
    r"(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P<what>\.crt|\.pem|\.crl|/bundle\.pem)"
)


class PublicPki:
    """Reads what is published, for anybody. `unit` is of the SYSTEM scope, carries no event and may serve many threads.

    roots.pem holds the roots of the deployment's own hierarchy. An account's private roots are under their ids only:
    a bundle of every account's would make each reader trust every account.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def file(self, name: str) -> tuple[str, bytes] | None:
        """(media type, body) of /pki/NAME, or None where nothing is published.

        roots.pem, ID.crt (DER), ID.pem, ID/bundle.pem (the authority, then its chain), ID.crl (DER).
        """
        if name == "roots.pem":
            return self._roots()
        match = _OF_AUTHORITY.fullmatch(name)
        scope = None if match is None else self._place(match["id"])
        if match is None or scope is None:
            return None
        with self._unit.at(scope, because="what /pki/ serves is public").read() as session:
            return _file(session, match["id"], match["what"])

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

    def _roots(self) -> tuple[str, bytes] | None:
        with self._unit.read() as session:
            roots = session.exec(
                select(AuthorityRow)
                .where(AuthorityRow.kind == "ROOT", AuthorityRow.status != "CREATING")
                .order_by(col(AuthorityRow.created_at))
            ).all()
        return (PEM, "".join(pem(row.certificate or b"") for row in roots).encode()) if roots else None

    def _place(self, authority_id: str) -> Scope | None:
        with self._unit.read() as session:
            place = session.get(PlaceRow, authority_id)
        return None if place is None else Scope(place.account, place.region)


def _file(session: Session, authority_id: str, what: str) -> tuple[str, bytes] | None:
    if what == ".crl":
        crl = session.exec(select(CrlRow.crl).where(CrlRow.authority_id == authority_id)).one_or_none()
        return None if crl is None else (CRL, crl)
    row = session.exec(select(AuthorityRow).where(AuthorityRow.id == authority_id)).one_or_none()
    if row is None or row.certificate is None:
        return None
    if what == ".crt":
        return CERTIFICATE, row.certificate
    chain = row.chain or b"" if what == "/bundle.pem" else b""
    return PEM, pem(row.certificate + chain).encode()
