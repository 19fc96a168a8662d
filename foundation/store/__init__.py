"""The database: engine, tenancy, units of work, due work, idempotency, migrations."""

from foundation.store.columns import UtcDateTime
from foundation.store.deployment import ClockRefused, Deployment
from foundation.store.due import Claim, Job, cancel, schedule
from foundation.store.engine import BEGIN_OPTION, sqlite_engine
from foundation.store.errors import (
    BadValue,
    Conflict,
    Duplicate,
    ForeignRow,
    LostClaim,
    SchemaTooNew,
    SchemaTooOld,
    StatementRefused,
    StoreError,
    StoreUnavailable,
    TokenReused,
    TransactionOpen,
    UnsafeDatabase,
)
from foundation.store.generations import bump
from foundation.store.idempotency import recall, remember
from foundation.store.store import Store
from foundation.store.tenancy import SYSTEM, AccountOwned, Global, Scope, Tenant
from foundation.store.units import Unit, faults_translated, unchanged

__all__ = [
    "BEGIN_OPTION",
    "SYSTEM",
    "AccountOwned",
    "BadValue",
    "Claim",
    "ClockRefused",
    "Conflict",
    "Deployment",
    "Duplicate",
    "ForeignRow",
    "Global",
    "Job",
    "LostClaim",
    "SchemaTooNew",
    "SchemaTooOld",
    "Scope",
    "StatementRefused",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Tenant",
    "TokenReused",
    "TransactionOpen",
    "Unit",
    "UnsafeDatabase",
    "UtcDateTime",
    "bump",
    "cancel",
    "faults_translated",
    "recall",
    "remember",
    "schedule",
    "sqlite_engine",
    "unchanged",
]
