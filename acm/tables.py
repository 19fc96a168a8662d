"""What ACM keeps: certificates, their names, the CNAME of each domain, tags."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from sqlalchemy import Index, LargeBinary, Text
from sqlmodel import Field

from foundation.store import AccountOwned, Tenant, UtcDateTime


class Certificate(Tenant, table=True):
    """One certificate ARN, from the request on; a renewal changes the row, not the ARN."""

    __tablename__: ClassVar[str] = "acm_certificate"
    __table_args__: ClassVar[tuple[Index, ...]] = (
        Index("ix_acm_certificate_listed", "account", "region", "created_at", "id"),
    )

    id: str = Field(primary_key=True)  # the UUID that ends the ARN
    status: str
    type: str  # AMAZON_ISSUED | PRIVATE
    failure_reason: str | None = None  # of the model's enum
    failure_detail: str | None = Field(default=None, sa_type=Text)  # the same for people
    domain_name: str
    names: str = Field(sa_type=Text)  # JSON list, the domain name first, in the order asked
    key_algorithm: str
    key_pair_origin: str  # AWS_MANAGED | CUSTOMER_PROVIDED (from a CSR)
    authority_arn: str | None = None  # as asked; None: the deployment's own hierarchy
    validation_method: str | None = None  # None for private certificates
    transparency: str = "ENABLED"
    export: str = "DISABLED"
    managed_by: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    sweep_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # proofs before this do not count
    # The key in force and, while a period is being issued, the next one. Tokens open in the core only.
    period: int = 0  # certificates issued under this ARN so far
    key_token: bytes | None = Field(default=None, sa_type=LargeBinary)
    public_key: bytes | None = Field(default=None, sa_type=LargeBinary)  # SPKI DER; a CSR's from the start
    next_key_token: bytes | None = Field(default=None, sa_type=LargeBinary)
    next_public_key: bytes | None = Field(default=None, sa_type=LargeBinary)
    next_authority_arn: str | None = (
        None  # chosen with the next key, so that a resume asks the same of the CA
    )
    certificate_pem: str | None = Field(default=None, sa_type=Text)
    chain_pem: str | None = Field(default=None, sa_type=Text)
    serial: str | None = None  # hex, as the CA writes it
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_after: datetime | None = Field(default=None, sa_type=UtcDateTime)
    issued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    key_usages: int = 0  # bits in the order of the model's KeyUsageName enum
    extended_key_usages: int = 0  # bits in the order of the model's ExtendedKeyUsageName enum
    renew_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    renewal_status: str | None = None
    renewal_reason: str | None = None
    renewal_detail: str | None = Field(default=None, sa_type=Text)
    renewal_updated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    row_version: int = 0


class CertificateDomain(Tenant, table=True):
    """One name of one certificate, and how its proof stands."""

    __tablename__: ClassVar[str] = "acm_certificate_domain"

    certificate_id: str = Field(primary_key=True)
    position: int = Field(primary_key=True)
    name: str
    record_domain: str = Field(index=True)  # the name without "*."
    validation_domain: str
    status: str
    detail: str | None = Field(default=None, sa_type=Text)  # what is wrong, for people
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    proved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    renewal_status: str | None = None
    renewal_detail: str | None = Field(default=None, sa_type=Text)


class DomainRecord(AccountOwned, table=True):
    """The CNAME that proves a domain: drawn once per account, the same in all Regions, kept for ever."""

    __tablename__: ClassVar[str] = "acm_domain_record"

    domain: str = Field(primary_key=True)
    label: str  # "_" and 32 hex digits
    target: str  # under acm-validations.aws., with its final dot
    created_at: datetime = Field(sa_type=UtcDateTime)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by RFC 2136
    publish_error: str | None = Field(default=None, sa_type=Text)


class CertificateTag(Tenant, table=True):
    """One tag of one certificate."""

    __tablename__: ClassVar[str] = "acm_certificate_tag"

    certificate_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    value: str | None = None
