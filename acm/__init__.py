"""Certificates that people ask for: request, prove, issue, renew.

The wire's declarations are in `acm.operations`, loaded by server/assembly.py.
"""

from __future__ import annotations

from acm.errors import (
    InvalidArgs,
    InvalidArn,
    InvalidDomainValidationOptions,
    InvalidParameter,
    InvalidTag,
    LimitExceeded,
    RequestInProgress,
    ResourceNotFound,
    TooManyTags,
)
from acm.jobs import JobContext, jobs
from acm.listing import ListQuery
from acm.operations import operations
from acm.ports import Prover, RecordPublisher
from acm.proving import DnsProver
from acm.service import AcmService
from acm.settings import AcmSettings
from acm.states import DomainStatus, RenewalStatus, Status
from acm.views import CertificateView, DomainView, RenewalView

__all__ = [
    "AcmService",
    "AcmSettings",
    "CertificateView",
    "DnsProver",
    "DomainStatus",
    "DomainView",
    "InvalidArgs",
    "InvalidArn",
    "InvalidDomainValidationOptions",
    "InvalidParameter",
    "InvalidTag",
    "JobContext",
    "LimitExceeded",
    "ListQuery",
    "Prover",
    "RecordPublisher",
    "RenewalStatus",
    "RenewalView",
    "RequestInProgress",
    "ResourceNotFound",
    "Status",
    "TooManyTags",
    "jobs",
    "operations",
]
