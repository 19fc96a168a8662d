"""The hierarchy that signs: authorities, profiles, signing requests, lints, issuance, revocation lists."""

from ca.csr import judge_csr
from ca.errors import (
    AuthorityNotFound,
    AuthorityState,
    BadCsr,
    BadKey,
    CaError,
    CertificateNotFound,
    CertificateState,
    ClaimTaken,
    LintFailure,
    NotPublished,
    OrderRefused,
    SerialsExhausted,
    SignatureMismatch,
)
from ca.jobs import jobs
from ca.orders import AuthorityView, Beside, CaSettings, Issued, IssueOrder, JudgedCsr
from ca.pca import Context as PcaContext
from ca.pca import Pca
from ca.pca import operations as pca
from ca.pki import PublicPki
from ca.service import CaService
from ca.sinks import Credentials, FolderSink, ObjectSink, S3Endpoint, S3Sink

__all__ = [
    "AuthorityNotFound",
    "AuthorityState",
    "AuthorityView",
    "BadCsr",
    "BadKey",
    "Beside",
    "CaError",
    "CaService",
    "CaSettings",
    "CertificateNotFound",
    "CertificateState",
    "ClaimTaken",
    "Credentials",
    "FolderSink",
    "IssueOrder",
    "Issued",
    "JudgedCsr",
    "LintFailure",
    "NotPublished",
    "ObjectSink",
    "OrderRefused",
    "Pca",
    "PcaContext",
    "PublicPki",
    "S3Endpoint",
    "S3Sink",
    "SerialsExhausted",
    "SignatureMismatch",
    "jobs",
    "judge_csr",
    "pca",
]
