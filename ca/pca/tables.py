"""What the acm-pca API alone keeps: audit reports that were asked for."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field

from foundation.store import Tenant, UtcDateTime


class AuditReportRow(Tenant, table=True):
    """An audit report of an authority: CREATING until its object is in the bucket, then SUCCESS, or FAILED."""

    __tablename__ = "ca_audit_report"

    authority_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)  # a UUID
    bucket: str
    key: str  # of the object in the bucket
    format: str  # JSON | CSV
    status: str  # CREATING | SUCCESS | FAILED
    reason: str = Field(sa_type=Text)  # why it failed, for the operator
    created_at: datetime = Field(sa_type=UtcDateTime)
