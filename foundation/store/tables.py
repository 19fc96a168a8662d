"""The store's own rows: due work, idempotency tokens, outbox, generations, the deployment."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from foundation.store.columns import UtcDateTime
from foundation.store.tenancy import Global, Tenant


class Due(Tenant, table=True):
    """Work of one kind about one subject, due at a moment on the service's clock."""

    __tablename__ = "due"
    __table_args__ = (Index("ix_due_kind_due_at", "kind", "due_at"),)

    kind: str = Field(primary_key=True)
    subject: str = Field(primary_key=True)
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # on the wall clock
    fence: int = 0  # the number of the last claim; numbers are never given twice, even for a row made anew
    attempts: int = 0
    last_error: str = ""


class Idempotency(Tenant, table=True):
    """An answer already given to a client's token, and a digest of what was asked with it."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_expires_at", "account", "region", "expires_at"),)

    operation: str = Field(primary_key=True)
    token: str = Field(primary_key=True)
    request_digest: bytes
    result: str
    expires_at: datetime = Field(sa_type=UtcDateTime)


class Outbox(Global, table=True):
    """A mutation's trail event, committed with the mutation, until the core has written it to the trail."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_written_at", "written_at"),)

    event_id: str = Field(primary_key=True)
    written_at: datetime = Field(sa_type=UtcDateTime)
    payload: bytes


class Generation(Global, table=True):
    """A counter, raised in the transaction that changes what caches hold."""

    __tablename__ = "generation"

    name: str = Field(primary_key=True)
    value: int


class DeploymentRow(Global, table=True):
    """What this database is, in one row."""

    __tablename__ = "deployment"
    __table_args__ = (CheckConstraint("single = 1", name="single"),)

    single: int = Field(default=1, primary_key=True)
    id: str
    sealed_domain_keys: bytes
    key_check: bytes
    test_clock: bool
    clock_offset_us: int


class ClockBeat(Global, table=True):
    """One start of one machine: by its clock when that was, and when it was last seen to run."""

    __tablename__ = "clock_beat"

    boot: str = Field(primary_key=True)
    booted_at: datetime = Field(
        sa_type=UtcDateTime
    )  # the wall clock less the uptime: constant unless the clock is set
    beat_at: datetime = Field(sa_type=UtcDateTime)  # on the wall clock


class ClockLeap(Global, table=True):
    """Time on the service's clock that nobody saw pass (`foundation.store.leaps`)."""

    __tablename__ = "clock_leap"

    boot: str = Field(primary_key=True)
    ended_at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    began_at: datetime = Field(sa_type=UtcDateTime)
