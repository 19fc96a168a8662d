"""Rows of accounts, users, roles, policies, access keys and bearer tokens: persistence only, private to this room.

Rows that decide what somebody may do carry a MAC that the key core makes (`foundation.identity.records`).
"""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from foundation.store import AccountOwned, Global, UtcDateTime

__all__ = [
    "AccessKey",
    "Account",
    "AttachedPolicy",
    "BearerToken",
    "Entity",
    "InlinePolicy",
    "ManagedPolicy",
    "PolicyVersion",
]


class Account(Global, table=True):
    """One account, and with it the account's root."""

    __tablename__ = "account"

    account: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class Entity(AccountOwned, table=True):
    """An IAM user or role. `id` (AIDA…, AROA…) is never reused, so that a recreated name inherits nothing.

    `name_key` is the name in lower case: two names differ by more than case. `tags` is a JSON object. `boundary` is
    a policy's ARN or "". `trust` and `longest_session` (seconds) are a role's; the trust policy's principals are
    unique ids. `mac` covers the row, its inline policies and its attachments together: none can be taken away.
    """

    __tablename__ = "iam_entity"
    __table_args__ = (UniqueConstraint("account", "kind", "name_key", name="uq_iam_entity_name"),)

    id: str = Field(primary_key=True)
    kind: str
    name: str
    name_key: str
    path: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    tags: str = Field(sa_type=Text)
    boundary: str
    trust: str = Field(sa_type=Text)
    description: str = Field(sa_type=Text)
    longest_session: int
    mac: bytes = Field(sa_type=LargeBinary)
    row_version: int = 0


class InlinePolicy(AccountOwned, table=True):
    """A policy that lives and dies with its user or role."""

    __tablename__ = "iam_inline_policy"

    entity_id: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    document: str = Field(sa_type=Text)


class AttachedPolicy(AccountOwned, table=True):
    """A managed policy attached to a user or role."""

    __tablename__ = "iam_attached_policy"
    __table_args__ = (Index("ix_iam_attached_policy_arn", "account", "policy_arn"),)

    entity_id: str = Field(primary_key=True)
    policy_arn: str = Field(primary_key=True)


class ManagedPolicy(AccountOwned, table=True):
    """A customer managed policy. `mac` covers the row and its versions; the two counts are kept for DeletePolicy."""

    __tablename__ = "iam_policy"
    __table_args__ = (UniqueConstraint("account", "name_key", name="uq_iam_policy_name"),)

    id: str = Field(primary_key=True)
    name: str
    name_key: str
    path: str
    description: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    default_version: int
    last_version: int
    tags: str = Field(sa_type=Text)
    attachments: int = 0
    boundaries: int = 0
    mac: bytes = Field(sa_type=LargeBinary)
    row_version: int = 0


class PolicyVersion(AccountOwned, table=True):
    """One of up to five documents of a customer managed policy."""

    __tablename__ = "iam_policy_version"

    policy_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    document: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UtcDateTime)


class AccessKey(Global, table=True):
    """A key id, found before it is known whose it is: therefore no tenant leads the key.

    `principal_id` is a user's unique id, or the account's id for its root. `sealed` is the core's token of the secret.
    """

    __tablename__ = "access_key"

    access_key_id: str = Field(primary_key=True)
    account: str = Field(index=True)
    principal_id: str
    sealed: bytes = Field(sa_type=LargeBinary)
    active: bool = True
    created_at: datetime = Field(sa_type=UtcDateTime)
    mac: bytes = Field(sa_type=LargeBinary)


class BearerToken(Global, table=True):
    """A bearer token, known by the core's MAC of it only. `expires_at` is wall-clock time."""

    __tablename__ = "bearer_token"
    __table_args__ = (UniqueConstraint("token_id", name="uq_bearer_token_token_id"),)

    mac: bytes = Field(primary_key=True, sa_type=LargeBinary)
    token_id: str
    account: str = Field(index=True)
    principal_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime, nullable=True)
    row_mac: bytes = Field(sa_type=LargeBinary)
