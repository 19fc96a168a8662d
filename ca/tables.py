"""What the CA keeps: authorities, the certificates they signed or may have signed, revocations, published CRLs."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field

from foundation.store import Global, Tenant, UtcDateTime


class AuthorityRow(Tenant, table=True):
    """A certificate authority. Its private key is `key_token`, which only the core can open."""

    __tablename__ = "ca_authority"
    __table_args__ = (UniqueConstraint("account", "region", "role", name="uq_ca_authority_role"),)
    cached_under: ClassVar[str] = "ca.authorities"
    uncached: ClassVar[frozenset[str]] = frozenset({"revocations", "crl_number"})

    id: str = Field(primary_key=True)  # a UUID
    role: str | None  # unique where present: which authority of keystead's own making this is
    kind: str  # ROOT | SUBORDINATE
    status: str  # ca.states.AUTHORITY_STATES
    parent_id: str | None
    key_spec: str
    key_token: bytes
    public_key: bytes  # SPKI, DER
    subject: bytes  # Name, DER
    serial: str | None  # of its own certificate
    certificate: bytes | None  # DER
    chain: bytes | None  # DER certificates one after another, parent first, root last; empty for a root
    not_before: datetime | None = Field(sa_type=UtcDateTime)
    not_after: datetime | None = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    key_origin: str = Field(  # KEYSTEAD, or EXTERNAL: brought in, and known elsewhere
        default="KEYSTEAD", sa_column_kwargs={"server_default": "KEYSTEAD"}
    )
    revocations: int = 0  # how many ever; a CRL says which count it covers
    crl_number: int = 0  # the highest number ever reserved, by any of its CRLs; it never goes back
    revocation: str = Field(  # JSON: see ca.revocation_settings
        default="{}", sa_type=Text, sa_column_kwargs={"server_default": "{}"}
    )


class CertificateRow(Tenant, table=True):
    """A serial number given out, from the intent on (ARCHITECTURE 4). INTENT rows hold `tbs`, later ones `certificate`."""

    __tablename__ = "ca_certificate"
    __table_args__ = (
        UniqueConstraint("account", "region", "claim", name="uq_ca_certificate_claim"),
        Index(  # what is still to be signed: few among millions
            "ix_ca_certificate_intent",
            "account",
            "region",
            "created_at",
            sqlite_where=text("status = 'INTENT'"),
            postgresql_where=text("status = 'INTENT'"),
        ),
    )

    authority_id: str = Field(primary_key=True)
    serial: str = Field(primary_key=True)  # lower-case hex; unique per issuer because it ends the primary key
    claim: str
    order_digest: bytes  # what the claim was made for
    profile: str  # ca.profiles.PROFILES
    status: str  # ca.states.CERTIFICATE_STATES
    tbs: bytes | None
    certificate: bytes | None
    not_before: datetime = Field(sa_type=UtcDateTime)
    not_after: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    shard: int | None = (
        None  # which of its issuer's partitioned CRLs will list it, fixed at issue; None: none of them
    )


class CompromisedKeyRow(Tenant, table=True):
    """A key of which a certificate was revoked for compromise: it is certified no more in this account and Region.

    Not in others: whoever has somebody's signing request could have it certified, and take the key away from him.
    """

    __tablename__ = "ca_compromised_key"

    key_digest: bytes = Field(primary_key=True)  # SHA-256 of the SPKI


class RevocationRow(Tenant, table=True):
    """A revoked serial number, with what its CRL entry says (RFC 5280 5.3)."""

    __tablename__ = "ca_revocation"
    __table_args__ = (
        Index("ix_ca_revocation_not_after", "account", "region", "authority_id", "not_after"),
        Index("ix_ca_revocation_shard", "account", "region", "authority_id", "shard", "ordinal"),
    )

    authority_id: str = Field(primary_key=True)
    serial: str = Field(primary_key=True)
    reason: str  # ca.states.REVOCATION_REASONS
    revoked_at: datetime = Field(sa_type=UtcDateTime)
    not_after: datetime = Field(sa_type=UtcDateTime)  # of the certificate; one CRL after it the entry may go
    shard: int | None = None  # the certificate's
    ordinal: int = Field(  # AuthorityRow.revocations with this one: a CRL that covers less does not say it
        default=0, sa_column_kwargs={"server_default": "0"}
    )


class ShardRow(Tenant, table=True):
    """A CRL that an authority keeps up: number 0 is the complete one, the others are partitions of what it issued."""

    __tablename__ = "ca_crl_shard"

    authority_id: str = Field(primary_key=True)
    shard: int = Field(primary_key=True)
    urls: str = Field(
        sa_type=Text
    )  # JSON, a list: every URL that certificates name it by, the current one first


class CrlRow(Tenant, table=True):
    """The newest published CRL of a shard."""

    __tablename__ = "ca_published_crl"

    authority_id: str = Field(primary_key=True)
    shard: int = Field(primary_key=True)
    number: int
    covers: int  # AuthorityRow.revocations when it was drawn up
    this_update: datetime = Field(sa_type=UtcDateTime)
    next_update: datetime = Field(sa_type=UtcDateTime)
    crl: bytes  # DER


class PlaceRow(Global, table=True):
    """Whose an authority is. /pki/ is public and knows only ids; and no CA's key may be certified as anyone's."""

    __tablename__ = "ca_place"
    __table_args__ = (Index("ix_ca_place_key_digest", "key_digest"),)

    authority_id: str = Field(primary_key=True)
    account: str
    region: str
    key_digest: bytes  # SHA-256 of the SPKI


class ConfigurationRow(Tenant, table=True):
    """What the acm-pca API says of an authority beyond its row. One made by `keystead ca init` gets its row when changed."""

    __tablename__ = "ca_configuration"
    cached_under: ClassVar[str] = AuthorityRow.cached_under

    authority_id: str = Field(primary_key=True)
    usage_mode: str = "GENERAL_PURPOSE"
    signing_algorithm: str
    subject: str = Field(sa_type=Text)  # JSON, the model's ASN1Subject
    csr_extensions: str | None = Field(default=None, sa_type=Text)  # JSON, the model's CsrExtensions
    key_storage: str = "FIPS_140_2_LEVEL_3_OR_HIGHER"
    tags: str = Field(default="{}", sa_type=Text)  # JSON, key to value
    policy: str | None = Field(default=None, sa_type=Text)  # the resource policy, principals pinned
    before_deletion: str | None = None  # the status that a restore gives back
    restorable_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    waited_until: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # how much of its window was seen to pass
    changed_at: datetime = Field(sa_type=UtcDateTime)  # when the status last did


class ShareRow(Global, table=True):
    """An account that an authority's resource policy names: what ListCertificateAuthorities of OTHER_ACCOUNTS reads."""

    __tablename__ = "ca_share"
    __table_args__ = (Index("ix_ca_share_authority_id", "authority_id"),)

    consumer: str = Field(primary_key=True)  # an account
    region: str = Field(primary_key=True)
    authority_id: str = Field(primary_key=True)
    owner: str  # the authority's account


class PermissionRow(Tenant, table=True):
    """What an AWS service principal may do with an authority (CreatePermission)."""

    __tablename__ = "ca_permission"

    authority_id: str = Field(primary_key=True)
    principal: str = Field(primary_key=True)
    source_account: str = Field(primary_key=True)
    actions: str = Field(sa_type=Text)  # JSON, a list
    created_at: datetime = Field(sa_type=UtcDateTime)
