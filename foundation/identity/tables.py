"""Rows of accounts, users, access keys and bearer tokens: persistence only, private to this room."""

from datetime import datetime

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field

from foundation.store import AccountOwned, Global, UtcDateTime

__all__ = ["AccessKey", "Account", "AttachedPolicy", "BearerToken", "User"]


class Account(Global, table=True):
    """One account, and with it the account's root."""

    __tablename__ = "account"

    account: str = Field(primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class User(AccountOwned, table=True):
    """An IAM user. `user_id` (AIDA…) is never reused, so that a recreated name inherits nothing."""

    __tablename__ = "iam_user"
    __table_args__ = (UniqueConstraint("user_id", name="uq_iam_user_user_id"),)

    name: str = Field(primary_key=True)
    user_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)


class AttachedPolicy(AccountOwned, table=True):
    """A managed policy's ARN attached to a principal, named by its unique id."""

    __tablename__ = "iam_attached_policy"

    principal_id: str = Field(primary_key=True)
    policy_arn: str = Field(primary_key=True)


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
