"""CreateCertificateAuthorityAuditReport and DescribeCertificateAuthorityAuditReport, and the job that writes the reports."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session, col, select

from ca.errors import BucketDenied, BucketMissing, SinkUnavailable
from ca.pca.audit_writing import MEDIA_TYPES, write_report
from ca.pca.context import Context, kept
from ca.pca.errors import RequestFailed, RequestInProgress, ResourceNotFound, translated
from ca.pca.tables import AuditReportRow
from ca.sinks import ObjectSink
from ca.tables import AuthorityRow
from foundation.store import Claim, Scope, Unit, schedule

AUDIT_JOB: Final = "ca.audit"
APART: Final = timedelta(minutes=30)
TRIES: Final = 5


class AuditReports:
    """Audit reports of the authorities that the caller may speak of."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def create(self, params: Mapping[str, Any]) -> tuple[str, str]:
        """The report's id and its key in the bucket; the job writes it.

        Raises RequestInProgress while another of the authority is being written, RequestFailed within 30 minutes of the
        last that did not fail (TRAPS 36), InvalidState, and what `ObjectSink.check` does.
        """
        context = self._context
        unit, authority_id = context.place(params["CertificateAuthorityArn"])
        format_, bucket = params["AuditReportResponseFormat"], params["S3BucketName"]
        report = str(uuid.UUID(bytes=context.entropy(16), version=4))
        key = f"audit-report/{authority_id}/{report}.{format_.lower()}"
        with translated():
            with unit.read() as session:
                kept(session, authority_id, context.now()).allows("audit")
            try:
                context.sink.check(bucket)
            except BucketDenied as denied:  # InvalidPolicyException is none of this operation's errors
                raise RequestFailed(str(denied)) from denied

        def body(session: Session) -> None:
            now = context.now()
            authority = kept(session, authority_id, now)
            authority.allows("audit")
            _admit(session, authority_id, now)
            row = AuditReportRow(
                account=authority.scope.account,
                region=authority.scope.region,
                authority_id=authority_id,
                id=report,
                bucket=bucket,
                key=key,
                format=format_,
                status="CREATING",
                reason="",
                created_at=now,
            )
            session.add(row)
            schedule(session, AUDIT_JOB, f"{authority_id}/{report}", now)

        with translated():
            unit.write(body)
        return report, key

    def describe(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Raises ResourceNotFound, which is also what an authority without this report answers."""
        unit, authority_id = self._context.place(params["CertificateAuthorityArn"])
        with translated(), unit.read() as session:
            kept(session, authority_id, self._context.now())
            row = _report(session, unit.scope, authority_id, params["AuditReportId"])
        if row is None:
            raise ResourceNotFound(f"There is no audit report {params['AuditReportId']} of this private CA")
        return {
            "AuditReportStatus": row.status,
            "S3BucketName": row.bucket,
            "S3Key": row.key,
            "CreatedAt": row.created_at,
        }


def write_due(unit: Unit, claim: Claim, sink: ObjectSink | None) -> None:
    """The job "ca.audit": write the report that the claim names, "<authority>/<report>", and say how it went.

    A sink that cannot be reached is tried again by the scheduler; after five tries, or where the bucket refuses, the report
    has FAILED.
    """
    if sink is None:
        raise SinkUnavailable("this service has no place for objects")
    authority_id, _, report = claim.subject.partition("/")
    with unit.read() as session:
        row = _report(session, unit.scope, authority_id, report)
        of = AuthorityRow.id == authority_id
        authority = session.exec(select(AuthorityRow).where(of)).one_or_none()
    if row is None or authority is None or row.status != "CREATING":
        unit.write(claim.finish)
        return
    status, reason = "SUCCESS", ""
    try:
        body = write_report(unit, authority, row.format)
        sink.put(row.bucket, row.key, body, media_type=MEDIA_TYPES[row.format])
    except (BucketMissing, BucketDenied) as refused:
        status, reason = "FAILED", str(refused)
    except SinkUnavailable as away:
        if claim.attempts + 1 < TRIES:
            raise
        status, reason = "FAILED", str(away)
    # In two commits: a report may take longer than a claim holds, and whoever comes next must find it done.
    unit.write(lambda session: _ended(session, row, status, reason))
    unit.write(claim.finish)


def _admit(session: Session, authority_id: str, now: datetime) -> None:
    newest = session.exec(
        select(AuditReportRow)
        .where(AuditReportRow.authority_id == authority_id, AuditReportRow.status != "FAILED")
        .order_by(col(AuditReportRow.created_at).desc())
        .limit(1)
    ).one_or_none()
    if newest is None:
        return
    if newest.status == "CREATING":
        raise RequestInProgress(f"The audit report {newest.id} of this private CA is being written")
    if now < newest.created_at + APART:
        raise RequestFailed("An audit report of a private CA can be made every 30 minutes")


def _report(session: Session, scope: Scope, authority_id: str, report: str) -> AuditReportRow | None:
    return session.get(AuditReportRow, (scope.account, scope.region, authority_id, report))


def _ended(session: Session, row: AuditReportRow, status: str, reason: str) -> None:
    current = session.get_one(AuditReportRow, (row.account, row.region, row.authority_id, row.id))
    current.status, current.reason = status, reason
    session.add(current)
