"""A CA gets a new key under its old name, or another CA certifies its key: both chains are published.

    old-with-new   the old key certified by the new one: what was issued before is accepted by who trusts the new root only
    new-with-old   the new key certified by the old one: what is issued from now on, by who trusts the old root only

(RFC 4210 4.4.) The old authority stays, DISABLED: its CRLs and OCSP answers go on under its key until it expires.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from cryptography import x509
from sqlalchemy import func
from sqlmodel import Session, select

from ca.arns import authority_arn
from ca.authorities import NewAuthority, found
from ca.certificates import KeptCertificate
from ca.custody.likeness import cross_profile, like
from ca.custody.work import Work
from ca.errors import AuthorityState, OrderRefused
from ca.issue import Wanted
from ca.lineage_tables import CrossRow, SuccessionRow
from ca.pem import pem
from ca.profiles import PROFILES
from ca.states import next_authority_state, state_at
from ca.tables import AuthorityRow
from foundation.store import Unit

# A CA's certificate of profile "root" or "subordinate" lives no longer; see ca.profiles.
LONGEST: Final = PROFILES["subordinate"].max_validity


@dataclass(frozen=True, slots=True)
class Crossed:
    """Another certificate for an authority's name and key; `number` is its place under /pki/ID/chains/."""

    authority_id: str
    number: int
    certificate_pem: str
    chain_pem: str


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change of key made. A subordinate's parent vouches for both of its keys: then there are no crosses."""

    old: AuthorityRow
    new: AuthorityRow
    old_with_new: Crossed | None
    new_with_old: Crossed | None


class Succession:
    """Changes keys of authorities of one account and Region, and has them certify each other."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def rotate(self, authority_id: str, spec: str | None, validity: timedelta | None) -> Rotated:
        """Give the authority a new key of `spec` (its own by default), in a certificate like the one that it has.

        Raises OrderRefused, AuthorityNotFound, AuthorityState; a call that was cut short may have
        left a CA of the name beside, and is made again.
        """
        refuse_succeeded(self._work.unit, authority_id)
        old = self._work.authorities.find(authority_id)
        certificate = self._usable(old)
        if old.kind != "ROOT" and old.parent_id is None:
            raise OrderRefused(
                "its parent is not in this account, so nobody here can certify a new key of its:"
                " make a CA with CreateCertificateAuthority, have its CSR signed there, and import what comes back"
            )
        new = self._successor(old, certificate, spec, validity)
        crosses: tuple[Crossed | None, Crossed | None] = (None, None)
        if old.kind == "ROOT":
            crosses = self.cross(old.id, new.id, None), self.cross(new.id, old.id, None)
        self._work.unit.write(lambda session: self._succeed(session, old.id, new.id))
        return Rotated(old, new, *crosses)

    def cross(self, authority_id: str, issuer_id: str, validity: timedelta | None) -> Crossed:
        """Have the issuer certify the authority's name and key, for no longer than either of them lives.

        Asked for again, it is a new certificate beside the earlier. Raises OrderRefused, AuthorityNotFound,
        AuthorityState.
        """
        if authority_id == issuer_id:
            raise OrderRefused("an authority does not cross-sign itself: name another with --by")
        refuse_succeeded(self._work.unit, issuer_id)
        subject, issuer = (self._work.authorities.find(each) for each in (authority_id, issuer_id))
        certificate, above = self._usable(subject), self._usable(issuer)
        now = self._work.now().replace(microsecond=0)
        ends = min(certificate.not_valid_after_utc, above.not_valid_after_utc, now + LONGEST)
        if validity is not None:
            ends = min(ends, now + validity)
        mark = self._work.entropy(8).hex()
        issued, _ = self._work.issuance.issue(
            Wanted(
                authority_id=issuer.id,
                profile=cross_profile(certificate, above),
                subject=certificate.subject,
                names=(),
                public_key=subject.public_key,
                valid_for=ends - now,
                not_before=None,
                not_after=ends,
                claim=f"cross/{subject.id}/{issuer.id}/{mark}",
            )
        )
        return self._work.unit.write(lambda session: self._keep(session, subject.id, issuer.id, issued))

    def _usable(self, row: AuthorityRow) -> x509.Certificate:
        state = state_at(row.status, row.not_after, self._work.now())
        next_authority_state(row.id, state, "issue")
        if row.certificate is None:
            raise AuthorityState(row.id, state, "certify")
        return x509.load_der_x509_certificate(row.certificate)

    def _successor(
        self, old: AuthorityRow, certificate: x509.Certificate, spec: str | None, validity: timedelta | None
    ) -> AuthorityRow:
        whole = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        profile = PROFILES["root" if old.kind == "ROOT" else "subordinate"]
        return self._work.authorities.create(
            NewAuthority(
                subject=certificate.subject,
                spec=spec or old.key_spec,
                validity=validity or min(whole, profile.max_validity - timedelta(days=1)),
                parent_id=old.parent_id,
                ends_with_parent=True,
                role=self._role(old),
                profile=like(certificate, profile),
            )
        )

    def _role(self, old: AuthorityRow) -> str | None:
        """Keystead's own hierarchies know their authorities by roles: the successor has the next one of its level."""
        if old.role is None:
            return None
        series = old.role.rpartition("-")[0] + "-"
        return (
            f"{series}{max(int(row.role.rpartition('-')[2]) for row in self._roles(series) if row.role) + 1}"
        )

    def _roles(self, series: str) -> list[AuthorityRow]:
        return self._work.authorities.with_role(series)

    def _keep(self, session: Session, authority_id: str, issuer_id: str, issued: KeptCertificate) -> Crossed:
        issuer = found(session, issuer_id)
        mine = select(func.max(CrossRow.number)).where(CrossRow.authority_id == authority_id)
        assert issued.certificate is not None  # `Issuance.issue` signed it
        assert issuer.certificate is not None  # so it had one
        row = CrossRow(
            account=issuer.account,
            region=issuer.region,
            authority_id=authority_id,
            number=(session.exec(mine).one() or 0) + 1,
            issuer_id=issuer_id,
            serial=issued.serial,
            certificate=issued.certificate,
            chain=issuer.certificate + (issuer.chain or b""),
            not_after=issued.not_after,
            created_at=self._work.now(),
        )
        session.add(row)
        return Crossed(row.authority_id, row.number, pem(row.certificate), pem(row.chain))

    def _succeed(self, session: Session, old_id: str, new_id: str) -> None:
        old = found(session, old_id)
        old.status = next_authority_state(
            old.id, state_at(old.status, old.not_after, self._work.now()), "disable"
        )
        succession = SuccessionRow(
            account=old.account,
            region=old.region,
            authority_id=old_id,
            successor_id=new_id,
            succeeded_at=self._work.now(),
        )
        session.add_all((old, succession))


def successor_of(session: Session, authority_id: str) -> str | None:
    """Who issues in the place of the authority now; of several changes of key the last."""
    last, seen = authority_id, {authority_id}
    while True:
        row = session.exec(select(SuccessionRow).where(SuccessionRow.authority_id == last)).one_or_none()
        if row is None or row.successor_id in seen:
            return None if last == authority_id else last
        last = row.successor_id
        seen.add(last)


def refuse_succeeded(unit: Unit, authority_id: str) -> None:
    """Raise AuthorityState for an authority that changed its key: the message names who issues in its place."""
    with unit.read() as session:
        successor = successor_of(session, authority_id)
    if successor is not None:
        arn = authority_arn(unit.scope, successor)
        raise AuthorityState(authority_id, "DISABLED", f"issue (its key was changed: name {arn} instead)")
