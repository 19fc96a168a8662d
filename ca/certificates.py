"""Certificates as the issuing path keeps and finds them: by prepared statements, without the ORM."""

import hashlib
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from ca import der
from ca.tables import AuthorityRow, CertificateRow, CompromisedKeyRow, PlaceRow
from foundation.store import Add, Change, Find, Rows, Scope, rows_of


@dataclass(frozen=True, slots=True)
class KeptCertificate:
    """A `CertificateRow` that nobody changes: a serial number given out, from the intent on."""

    account: str
    region: str
    authority_id: str
    serial: str
    claim: str
    order_digest: bytes
    profile: str
    status: str
    tbs: bytes | None
    certificate: bytes | None
    not_before: datetime
    not_after: datetime
    created_at: datetime
    shard: int | None

    @classmethod
    def of(cls, row: CertificateRow) -> "KeptCertificate":
        """The same as the ORM's row says."""
        return cls(**row.model_dump())

    @property
    def scope(self) -> Scope:
        return Scope(self.account, self.region)

    def issued(self, certificate: bytes) -> "KeptCertificate":
        """The same with its certificate, DER."""
        return replace(self, status="ISSUED", certificate=certificate, tbs=None)


_COLUMNS: Final = tuple(each.name for each in fields(KeptCertificate))[2:]
_KEEP: Final = Change(
    CertificateRow, ("status", "certificate", "tbs"), by=("authority_id", "serial", "status")
)
_BY_CLAIM: Final = Find(CertificateRow, _COLUMNS, by=("claim",))
_BY_SERIAL: Final = Find(CertificateRow, _COLUMNS, by=("authority_id", "serial"))
_STANDS: Final = Find(AuthorityRow, ("status", "not_after"), by=("id",))
_PLACE: Final = Find(PlaceRow, ("authority_id",), by=("key_digest",))
_STILL: Final = Find(AuthorityRow, ("id",), by=("id", "status"))
_COMPROMISED: Final = Find(CompromisedKeyRow, ("key_digest",), by=("key_digest",))
_COMPROMISE: Final = Add(CompromisedKeyRow, ("key_digest",), unless_there=True)
_PUT: Final = Add(CertificateRow, _COLUMNS, if_found=_STILL, if_not_found=(_PLACE, _COMPROMISED))
_PUT_AUTHORITYS: Final = Add(CertificateRow, _COLUMNS, if_found=_STILL, if_not_found=(_COMPROMISED,))


def put_intent(
    session: Session, certificate: KeptCertificate, status: str, key_digest: bytes, *, authority: bool
) -> bool:
    """Give the serial number out, in one statement with the looks that must still hold.

    False, and nothing was done, when the authority is not in `status` any more, or when `key_digest` is that of a
    compromised key or, unless the certificate is an `authority`'s own, of any authority's key. Raises Duplicate (of `uq_ca_certificate_claim`, or of the primary key).
    """
    values = {name: getattr(certificate, name) for name in _COLUMNS}
    values |= {"if_id": certificate.authority_id, "if_status": status}
    put = _PUT_AUTHORITYS if authority else _PUT
    return rows_of(session).run(put, values | {"not_key_digest": key_digest}) == 1


def put_result(session: Session, issued: KeptCertificate) -> bool:
    """Keep the certificate of an intent; False when it is no intent any more."""
    values = {
        "authority_id": issued.authority_id,
        "serial": issued.serial,
        "status": "INTENT",
        "new_status": issued.status,
        "new_certificate": issued.certificate,
        "new_tbs": None,
    }
    return rows_of(session).run(_KEEP, values) == 1


def by_claim(rows: Rows, scope: Scope, claim: str) -> KeptCertificate | None:
    """The certificate of a claim, in the scope that the rows are of."""
    return _kept(scope, rows.one(_BY_CLAIM, {"claim": claim}))


def by_serial(rows: Rows, scope: Scope, authority_id: str, serial: str) -> KeptCertificate | None:
    """The certificate of a serial number in lower-case hex."""
    return _kept(scope, rows.one(_BY_SERIAL, {"authority_id": authority_id, "serial": serial}))


def stands(session: Session, authority_id: str) -> tuple[str, datetime | None] | None:
    """Status and end of the authority as they are in this transaction."""
    found = rows_of(session).one(_STANDS, {"id": authority_id})
    return None if found is None else (found[0], found[1])


def is_an_authoritys(session: Session, key_digest: bytes) -> bool:
    """Whether any authority of this deployment has, or had, the key of that digest (SECURITY 2.9)."""
    return rows_of(session).one(_PLACE, {"key_digest": key_digest}) is not None


def is_compromised(session: Session, key_digest: bytes) -> bool:
    """Whether a certificate of that key was revoked for compromise in the unit's account and Region."""
    return rows_of(session).one(_COMPROMISED, {"key_digest": key_digest}) is not None


def keep_compromised(session: Session, tbs: bytes) -> None:
    """Certify the key of these to-be-signed bytes no more in the unit's account and Region."""
    key_digest = hashlib.sha256(der.certified_public_key(tbs)).digest()
    rows_of(session).run(_COMPROMISE, {"key_digest": key_digest})


def _kept(scope: Scope, found: tuple[Any, ...] | None) -> KeptCertificate | None:
    return None if found is None else KeptCertificate(scope.account, scope.region, *found)
