"""Tables that only these tests use."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from foundation.store import AccountOwned, Scope, Tenant, UtcDateTime

HERE = Scope("111111111111", "eu-west-1")
ELSEWHERE = Scope("111111111111", "us-east-1")
OTHERS = Scope("222222222222", "eu-west-1")


class Note(Tenant, table=True):
    __tablename__ = "test_note"
    __table_args__ = (
        UniqueConstraint("account", "region", "slug", name="uq_test_note_slug"),
        Index(
            "ix_test_note_one_current",
            "account",
            "region",
            "topic",
            unique=True,
            sqlite_where=text("current"),
            postgresql_where=text("current"),
        ),
    )

    name: str = Field(primary_key=True)
    slug: str | None = None
    topic: str = ""
    current: bool = False
    count: int = 0
    written_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: bytes = b""
    row_version: int = 1


class Remark(Tenant, table=True):
    __tablename__ = "test_remark"
    __table_args__ = (
        ForeignKeyConstraint(
            ["account", "region", "note"], ["test_note.account", "test_note.region", "test_note.name"]
        ),
    )

    note: str = Field(primary_key=True)
    number: int = Field(primary_key=True)


class Leaf(Tenant, table=True):
    """Without versions; caches hold it, but for `turned`."""

    __tablename__ = "test_leaf"
    __table_args__ = (UniqueConstraint("account", "region", "mark", name="uq_test_leaf_mark"),)
    cached_under: ClassVar[str] = "test.leaves"
    uncached: ClassVar[frozenset[str]] = frozenset({"turned"})

    name: str = Field(primary_key=True)
    mark: str | None = None
    grown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: bytes = b""
    turned: int = 0


class Petal(Tenant, table=True):
    """Without versions, in no cache."""

    __tablename__ = "test_petal"
    __table_args__ = (UniqueConstraint("account", "region", "mark", name="uq_test_petal_mark"),)

    name: str = Field(primary_key=True)
    mark: str | None = None
    grown_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    body: bytes = b""


class Person(AccountOwned, table=True):
    __tablename__ = "test_person"

    name: str = Field(primary_key=True)


def note(scope: Scope = HERE, name: str = "a", **values: object) -> Note:
    return Note.model_validate({"account": scope.account, "region": scope.region, "name": name, **values})
