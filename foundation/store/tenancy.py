"""Whose a row is: the bases that every table in keystead derives from."""

from typing import Any, Final

import msgspec
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

import foundation.store.columns as _columns  # noqa: F401 -- names and widths must be set before the first table

# Every table that belongs to no account, by name. Each has its reason.
GLOBAL_TABLES: Final = frozenset(
    {
        "deployment",  # the one row that says what this database is
        "outbox",  # trail events on their way to the core; drained for all accounts at once
        "generation",  # counters that caches follow
        "clock_beat",  # one row for each start of a machine
        "clock_leap",  # what its clock gained without it
        "account",  # accounts are what all else belongs to
        "access_key",  # the caller's account is not known until the key has been found
        "bearer_token",  # the same
        "trail_head",  # how far each core's chain is known to reach
        "ca_place",  # whose an authority is: who fetches a CRL under /pki/ names no account
        "ca_share",  # which authorities of others an account may use: it begins with who is named, not with whose it is
        "ca_log_pending",  # one log for all accounts; its entries hold digests (docs/log.md)
        "ca_log_tile",  # the same
        "ca_log_head",  # the same
        "kms_change",  # what each generation of KMS changed: caches read it for all accounts at once
        "kms_retirable_grant",  # who may retire a grant need not be of the account whose key it is on
    }
)


class Scope(msgspec.Struct, frozen=True):
    """The tenant a unit works for: a 12-digit account and a region. (A struct: caches have it in their keys.)"""

    account: str
    region: str


SYSTEM: Final = Scope("keystead", "global")
"""Rows that belong to the deployment and to no account."""


class _Versioned(SQLModel):
    """A table with a `row_version: int` column gets it checked and raised by each update (Conflict)."""

    # Rows are persistence and never validated: the validators of sixty tables would be a fifth of the start.
    model_config = {"defer_build": True}

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 -- SQLAlchemy's directive is handed the class
        version = getattr(cls, "row_version", None) if "row_version" in cls.model_fields else None
        return {} if version is None else {"version_id_col": version}


class Tenant(_Versioned):
    """Rows of one account in one region; (account, region) leads the primary key."""

    account: str = Field(primary_key=True)
    region: str = Field(primary_key=True)


class AccountOwned(_Versioned):
    """Rows of one account in all regions (IAM, ACM's domain records); account leads the primary key."""

    account: str = Field(primary_key=True)


class Global(_Versioned):
    """Rows of no account. Each such table is named in GLOBAL_TABLES, or its class cannot be made."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if cls.__tablename__ not in GLOBAL_TABLES:
            raise TypeError(f"table {cls.__tablename__} belongs to no account and is not in GLOBAL_TABLES")
