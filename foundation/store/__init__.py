"""The database: engine, tenancy, units of work, due work, idempotency, migrations."""

from foundation.store.columns import UtcDateTime
from foundation.store.deployment import ClockRefused, Deployment
from foundation.store.due import Claim, Job, cancel, schedule, schedule_once
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
from foundation.store.generations import boottime, bump
from foundation.store.idempotency import recall, remember
from foundation.store.leaps import Leaps, Machine, Timekeeper
from foundation.store.prepared import Add, Change, Find, Remove, Rows
from foundation.store.sessions import rows_of
from foundation.store.store import Store
from foundation.store.tenancy import SYSTEM, AccountOwned, Global, Scope, Tenant
from foundation.store.units import Unit, faults_translated, unchanged

__all__ = [
    "BEGIN_OPTION",
    "SYSTEM",
    "AccountOwned",
    "Add",
    "BadValue",
    "Change",
    "Claim",
    "ClockRefused",
    "Conflict",
    "Deployment",
    "Duplicate",
    "Find",
    "ForeignRow",
    "Global",
    "Job",
    "Leaps",
    "LostClaim",
    "Machine",
    "Remove",
    "Rows",
    "SchemaTooNew",
    "SchemaTooOld",
    "Scope",
    "StatementRefused",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "Tenant",
    "Timekeeper",
    "TokenReused",
    "TransactionOpen",
    "Unit",
    "UnsafeDatabase",
    "UtcDateTime",
    "boottime",
    "bump",
    "cancel",
    "faults_translated",
    "recall",
    "remember",
    "rows_of",
    "schedule",
    "schedule_once",
    "sqlite_engine",
    "unchanged",
]
