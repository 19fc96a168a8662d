"""What a certificate looks like from outside: read by server/v1, and by Describe and List."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from acm.states import DomainStatus, RenewalStatus, Status


@dataclass(frozen=True, slots=True)
class DomainView:
    """One name: the CNAME to publish, how its proof stands, and what is wrong in words."""

    name: str
    validation_domain: str
    cname_name: str | None  # with its final dot, e.g. _0123….example.com. ; None for private certificates
    cname_value: str | None  # with its final dot, under acm-validations.aws.
    status: DomainStatus
    detail: str | None  # the last failure, for people; None when nothing is wrong
    published_at: datetime | None  # when keystead itself wrote the CNAME by RFC 2136
    publish_error: str | None
    renewal_status: DomainStatus | None
    renewal_detail: str | None


@dataclass(frozen=True, slots=True)
class RenewalView:
    """How the managed renewal stands; reason is of the model's FailureReason, detail for people."""

    status: RenewalStatus
    reason: str | None
    detail: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class CertificateView:
    """One certificate, whole. Times are aware UTC on the service clock; serial is colon-separated hex."""

    id: str
    arn: str
    status: Status
    type: str  # AMAZON_ISSUED | PRIVATE
    failure_reason: str | None
    failure_detail: str | None
    domain_name: str
    names: tuple[str, ...]
    domains: tuple[DomainView, ...]
    key_algorithm: str
    key_pair_origin: str
    authority_arn: str | None
    validation_method: str | None
    transparency: str
    export: str
    managed_by: str | None
    created_at: datetime
    issued_at: datetime | None
    certificate_pem: str | None
    chain_pem: str | None  # issuer first, up to the root; the leaf is not in it
    serial: str | None
    not_before: datetime | None
    not_after: datetime | None
    key_usages: tuple[str, ...]
    extended_key_usages: tuple[str, ...]
    renewal: RenewalView | None
    renewal_eligible: bool
    renews_at: datetime | None  # when the next renewal is due; None when none is
