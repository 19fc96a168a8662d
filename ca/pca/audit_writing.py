"""An audit report as bytes: every certificate that an authority's key signed or may have signed, as JSON or CSV.

The fields and their order are those of AWS Private CA's guide, "Use audit reports with your private CA".
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from cryptography import x509
from sqlalchemy import Row
from sqlalchemy import select as sql_select
from sqlmodel import col

from ca import der
from ca.arns import certificate_arn
from ca.tables import AuthorityRow, CertificateRow, RevocationRow
from ca.templates import TEMPLATES
from foundation.store import Scope, Unit

MEDIA_TYPES: Final = MappingProxyType({"JSON": "application/json", "CSV": "text/csv"})
FIELDS: Final = (
    "awsAccountId",
    "requestedByServicePrincipal",
    "certificateArn",
    "serial",
    "subject",
    "notBefore",
    "notAfter",
    "issuedAt",
    "revokedAt",
    "revocationReason",
    "templateArn",
)
_AT_ONCE: Final = 1000  # rows of one read
# keystead's own profiles -> the template of the same certificates
_OWN: Final = MappingProxyType(
    {
        "root": "RootCACertificate",
        "subordinate": "SubordinateCACertificate_PathLen0",
        "server": "EndEntityServerAuthCertificate",
        "ocsp-signer": "OCSPSigningCertificate",
    }
)
# Columns, not rows of the ORM: a report may be of a million certificates.
_COLUMNS: Final = (
    col(CertificateRow.serial),
    col(CertificateRow.claim),
    col(CertificateRow.profile),
    col(CertificateRow.certificate),
    col(CertificateRow.tbs),
    col(CertificateRow.not_before),
    col(CertificateRow.not_after),
    col(CertificateRow.created_at),
    col(RevocationRow.revoked_at),
    col(RevocationRow.reason),
)
_SUBJECT: Final = 5  # of a TBSCertificate's elements, its version counted


def write_report(unit: Unit, authority: AuthorityRow, format_: str) -> bytes:
    """The report of the unit's authority. format_: JSON (an array of objects) or CSV (with a header, RFC 4180)."""
    entries = _entries(unit, authority)
    if format_ == "CSV":
        return _csv(entries)
    out = io.BytesIO()
    for number, entry in enumerate(entries):
        out.write(b"[\n" if number == 0 else b",\n")
        out.write(json.dumps(entry, ensure_ascii=False).encode())
    out.write(b"\n]\n" if out.tell() else b"[]\n")
    return out.getvalue()


def _csv(entries: Iterator[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, restval="")
    writer.writeheader()
    writer.writerows(entries)
    return text.getvalue().encode()


def _entries(unit: Unit, authority: AuthorityRow) -> Iterator[dict[str, str]]:
    """By serial number, a thousand a read: a report may be long, and holds no snapshot meanwhile."""
    same = (col(RevocationRow.authority_id) == col(CertificateRow.authority_id)) & (
        col(RevocationRow.serial) == col(CertificateRow.serial)
    )
    query = (
        sql_select(*_COLUMNS)
        .select_from(CertificateRow)
        .join(RevocationRow, same, isouter=True)
        .where(col(CertificateRow.authority_id) == authority.id)
        .order_by(col(CertificateRow.serial))
        .limit(_AT_ONCE)
    )
    after = ""
    while True:
        with unit.read() as session:
            rows = session.execute(query.where(col(CertificateRow.serial) > after)).all()
        for row in rows:
            yield _entry(unit.scope, authority.id, row)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1].serial


def _entry(scope: Scope, authority_id: str, row: Row[Any]) -> dict[str, str]:
    """One certificate; what does not apply is left out. ACM's orders are told from the API's by their claims."""
    entry = {"awsAccountId": scope.account}
    if row.claim.startswith("order/"):
        entry["requestedByServicePrincipal"] = "acm.amazonaws.com"
    entry |= {
        "certificateArn": certificate_arn(scope, authority_id, row.serial),
        "serial": _with_colons(row.serial),
        "subject": _subject(row),
        "notBefore": _moment(row.not_before),
        "notAfter": _moment(row.not_after),
        "issuedAt": _moment(row.created_at),
    }
    if row.revoked_at is not None:
        entry |= {"revokedAt": _moment(row.revoked_at), "revocationReason": row.reason}
    template = row.profile if row.profile in TEMPLATES else _OWN.get(row.profile)
    if template is not None:
        entry["templateArn"] = f"arn:aws:acm-pca:::template/{template}/V1"
    return entry


def _subject(row: Row[Any]) -> str:
    """RFC 4514, with dotted object identifiers for what it has no short name for."""
    if row.certificate is not None:
        name = x509.load_der_x509_certificate(row.certificate).subject
    else:  # given out, and not signed: its to-be-signed bytes are kept
        assert row.tbs is not None
        _, start, _ = der.header(row.tbs, 0, len(row.tbs))
        name = x509.Name.from_bytes(list(der.split(row.tbs[start:]))[_SUBJECT])
    return name.rfc4514_string()


def _with_colons(serial: str) -> str:
    even = serial if len(serial) % 2 == 0 else f"0{serial}"
    return ":".join(even[at : at + 2] for at in range(0, len(even), 2))


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")
