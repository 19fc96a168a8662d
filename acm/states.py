"""The states of a certificate, as one table: what may happen in each, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """CertificateStatus of the ACM model."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    ISSUED = "ISSUED"
    INACTIVE = "INACTIVE"
    EXPIRED = "EXPIRED"
    VALIDATION_TIMED_OUT = "VALIDATION_TIMED_OUT"
    REVOKED = "REVOKED"
    FAILED = "FAILED"


class DomainStatus(StrEnum):
    """DomainStatus of the ACM model: how far one name's proof has come."""

    PENDING_VALIDATION = "PENDING_VALIDATION"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class RenewalStatus(StrEnum):
    """RenewalStatus of the ACM model."""

    PENDING_AUTO_RENEWAL = "PENDING_AUTO_RENEWAL"
    PENDING_VALIDATION = "PENDING_VALIDATION"
    SUCCESS = "SUCCESS"
    FAILED = "FAILED"


class Happening(StrEnum):
    """What can befall a certificate."""

    ISSUE = "issue"  # every name proven, or a private CA asked; the CA has signed
    TIME_OUT = "time out"  # a name stayed unproven for the whole waiting time
    REFUSE = "refuse"  # CAA or the CA says no for good
    RENEW = "renew"  # a new certificate under the same ARN
    EXPIRE = "expire"  # not_after has passed


class IllegalTransition(Exception):
    """The happening is not possible in this state; nothing was changed."""


TRANSITIONS: Mapping[Status, Mapping[Happening, Status]] = MappingProxyType(
    {
        Status.PENDING_VALIDATION: {
            Happening.ISSUE: Status.ISSUED,
            Happening.TIME_OUT: Status.VALIDATION_TIMED_OUT,
            Happening.REFUSE: Status.FAILED,
        },
        Status.ISSUED: {Happening.RENEW: Status.ISSUED, Happening.EXPIRE: Status.EXPIRED},
        Status.INACTIVE: {},
        Status.EXPIRED: {},
        Status.VALIDATION_TIMED_OUT: {},
        Status.REVOKED: {},
        Status.FAILED: {},
    }
)

# A failed or timed-out request never had a certificate; the others keep theirs readable.
READABLE = frozenset({Status.ISSUED, Status.INACTIVE, Status.EXPIRED, Status.REVOKED})


def after(status: str, happening: Happening) -> Status:
    """The state that follows; raises IllegalTransition where the table has no entry."""
    try:
        return TRANSITIONS[Status(status)][happening]
    except KeyError:
        raise IllegalTransition(f"a certificate that is {status} cannot {happening}") from None
