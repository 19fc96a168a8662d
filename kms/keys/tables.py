"""What KMS keeps: what the Regions' keys of one id share, each Region's key, its materials, aliases and grants.

Every row that decides something carries a MAC made by the core (`kms.keys.rows`): a row that was changed behind keystead's
back is refused.
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import BigInteger, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from foundation.store import AccountOwned, Global, Tenant, UtcDateTime


class KeyFamily(AccountOwned, table=True):
    """What all keys of one id share (TRAPS 16): for a single-Region key a family of one.

    It belongs to the account and no Region, so that a change of the whole set is one commit.
    """

    __tablename__: ClassVar[str] = "kms_family"

    key_id: str = Field(primary_key=True)
    manager: str  # CUSTOMER | AWS
    spec: str  # kms.keys.specs.KEY_SPECS
    usage: str
    origin: str  # AWS_KMS | EXTERNAL
    multi_region: bool
    primary_region: str
    regions: str = Field(sa_type=Text)  # JSON list, in the order in which they were made
    next_primary: str | None = None  # while UpdatePrimaryRegion is under way
    primary_deleting: bool = False  # the primary is pending (replica) deletion: no new replicas
    rotation_days: int | None = None  # None: no automatic rotation
    rotation_due: datetime | None = Field(default=None, sa_type=UtcDateTime)
    rotated_automatically_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    on_demand_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # one that is under way
    on_demand_count: int = 0
    row_version: int = 0
    mac: bytes = Field(default=b"", sa_type=LargeBinary)


class Key(Tenant, table=True):
    """One key in one Region: what is its own."""

    __tablename__: ClassVar[str] = "kms_key"

    id: str = Field(primary_key=True)
    state: str  # kms.keys.states.KeyState; never Updating, which is the family's doing
    description: str = Field(default="", sa_type=Text)
    policy: str = Field(sa_type=Text)  # JSON, its principals as unique ids (foundation.identity.policy.pin)
    tags: str = Field(default="{}", sa_type=Text)  # JSON object, key to value
    created_at: datetime = Field(sa_type=UtcDateTime)
    window_days: int | None = None  # of a scheduled deletion
    deletion_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waited_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # up to when the window was seen to pass
    row_version: int = 0
    mac: bytes = Field(default=b"", sa_type=LargeBinary)


class KeyMaterial(AccountOwned, table=True):
    """One material of a key in one Region: its token opens for that Region only.

    It belongs to the account, as its family does: a rotation of a set is one commit. Without a token it was deleted,
    has expired, or has not been imported yet.
    """

    __tablename__: ClassVar[str] = "kms_material"

    key_id: str = Field(primary_key=True)
    region: str = Field(primary_key=True)
    version: int = Field(primary_key=True)  # from 1; ciphertexts name it
    material_id: str  # 64 hex digits, of key id and material: the same in every Region
    token: bytes | None = Field(default=None, sa_type=LargeBinary)
    public_key: bytes = Field(default=b"", sa_type=LargeBinary)  # SPKI DER; empty for secret keys
    state: str  # the model's KeyMaterialState
    created_at: datetime = Field(sa_type=UtcDateTime)
    rotated_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # when it became current by rotation
    rotation_type: str | None = None  # AUTOMATIC | ON_DEMAND
    description: str | None = None  # of imported material
    valid_to: datetime | None = Field(default=None, sa_type=UtcDateTime)  # imported material that expires
    row_version: int = 0
    mac: bytes = Field(default=b"", sa_type=LargeBinary)


class Alias(Tenant, table=True):
    """One alias. AWS's own (alias/aws/...) have a row from the first use on."""

    __tablename__: ClassVar[str] = "kms_alias"
    __table_args__: ClassVar[tuple[Index, ...]] = (
        Index("ix_kms_alias_key_id", "account", "region", "key_id", "name"),
    )

    name: str = Field(primary_key=True)  # with its prefix
    key_id: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    row_version: int = 0
    mac: bytes = Field(default=b"", sa_type=LargeBinary)


class KeyCount(Tenant, table=True):
    """How many customer managed keys the account has in the Region: the quota is counted in the creating commit."""

    __tablename__: ClassVar[str] = "kms_key_count"

    keys: int = 0
    row_version: int = 0


class Grant(Tenant, table=True):
    """One grant on a key, in the key's account and Region.

    Principals are pinned as in policies: unique ids, roots' ARNs, names of services. `fingerprint` is a digest of
    everything that a caller named the grant by; None for a grant without a name.
    """

    __tablename__: ClassVar[str] = "kms_grant"
    __table_args__: ClassVar[tuple[Index | UniqueConstraint, ...]] = (
        UniqueConstraint("account", "region", "key_id", "fingerprint", name="uq_kms_grant_fingerprint"),
        Index("ix_kms_grant_grantee", "account", "region", "key_id", "grantee", "id"),
    )

    key_id: str = Field(primary_key=True)
    id: str = Field(primary_key=True)  # 64 hex digits
    name: str | None = None
    grantee: str
    retiring: str | None = None
    operations: str = Field(sa_type=Text)  # JSON list, in the model's order
    context_equals: str | None = Field(
        default=None, sa_type=Text
    )  # JSON object, as the two below: constraints
    context_subset: str | None = Field(default=None, sa_type=Text)
    source_arn: str | None = None
    issuing_account: str
    fingerprint: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    row_version: int = 0
    mac: bytes = Field(default=b"", sa_type=LargeBinary)


class RetirableGrant(Global, table=True):
    """Where the grants are that a principal may retire: its account need not be the key's.

    Only a finding aid, so it has no MAC: what it leads to has one.
    """

    __tablename__: ClassVar[str] = "kms_retirable_grant"
    __table_args__: ClassVar[tuple[Index, ...]] = (
        Index("ix_kms_retirable_grant_key", "account", "region", "key_id", "grant_id"),
    )

    region: str = Field(primary_key=True)
    retiring: str = Field(primary_key=True)
    account: str = Field(primary_key=True)  # the key's
    key_id: str = Field(primary_key=True)
    grant_id: str = Field(primary_key=True)


class ChangedSubject(Global, table=True):
    """What one generation of KMS's rows changed: caches drop that, and keep the rest. The newest ones are kept.

    `subject`: see `kms.keys.changelog`. It only says what to read again, so it has no MAC.
    """

    __tablename__: ClassVar[str] = "kms_change"

    generation: int = Field(primary_key=True, sa_type=BigInteger)
    subject: str = Field(primary_key=True)
