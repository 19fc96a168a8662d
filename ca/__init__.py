"""The hierarchy that signs: authorities, profiles, signing requests, lints, issuance, revocation lists."""

from ca.bundles import FORMS as BUNDLE_FORMS
from ca.bundles import PASSWORD as TRUSTSTORE_PASSWORD
from ca.bundles import BadPassword, bundle, certificates_in
from ca.crl_journal import TrailJournal
from ca.csr import judge_csr
from ca.custody import (
    Confinement,
    Crossed,
    Custody,
    LineageNode,
    NewSubordinate,
    Offer,
    Rotated,
    Wrapping,
    chain_path,
)
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
    NotPermitted,
    NotPublished,
    OrderRefused,
    SerialsExhausted,
    SignatureMismatch,
)
from ca.jobs import jobs
from ca.known import KnownAuthorities
from ca.linting import Finding, NoPkilint, NothingToLint, lint_file, second_opinion
from ca.log import (
    BadNote,
    LogBroken,
    LogFile,
    MerkleLog,
    PublicLog,
    ReadLog,
    Verifier,
    open_checkpoint,
    read_log,
    read_verifier,
)
from ca.log import audit as audit_log
from ca.log import tiles_of as log_tiles
from ca.ocsp import MAX_REQUEST as MAX_OCSP_REQUEST
from ca.ocsp import Answer as OcspAnswer
from ca.ocsp import Malformed as OcspMalformed
from ca.ocsp import Refused as OcspRefused
from ca.ocsp import Responder as OcspResponder
from ca.ocsp import TryLater as OcspTryLater
from ca.ocsp import unsuccessful as ocsp_unsuccessful
from ca.orders import AuthorityView, Beside, CaSettings, Issued, IssueOrder, JudgedCsr
from ca.pca import Context as PcaContext
from ca.pca import Pca
from ca.pca import operations as pca
from ca.pki import PublicPki, PublishedCrl
from ca.service import CaService
from ca.sinks import Credentials, FolderSink, ObjectSink, S3Endpoint, S3Sink

__all__ = [
    "BUNDLE_FORMS",
    "MAX_OCSP_REQUEST",
    "TRUSTSTORE_PASSWORD",
    "AuthorityNotFound",
    "AuthorityState",
    "AuthorityView",
    "BadCsr",
    "BadKey",
    "BadNote",
    "BadPassword",
    "Beside",
    "CaError",
    "CaService",
    "CaSettings",
    "CertificateNotFound",
    "CertificateState",
    "ClaimTaken",
    "Confinement",
    "Credentials",
    "Crossed",
    "Custody",
    "Finding",
    "FolderSink",
    "IssueOrder",
    "Issued",
    "JudgedCsr",
    "KnownAuthorities",
    "LineageNode",
    "LintFailure",
    "LogBroken",
    "LogFile",
    "MerkleLog",
    "NewSubordinate",
    "NoPkilint",
    "NotPermitted",
    "NotPublished",
    "NothingToLint",
    "ObjectSink",
    "OcspAnswer",
    "OcspMalformed",
    "OcspRefused",
    "OcspResponder",
    "OcspTryLater",
    "Offer",
    "OrderRefused",
    "Pca",
    "PcaContext",
    "PublicLog",
    "PublicPki",
    "PublishedCrl",
    "ReadLog",
    "Rotated",
    "S3Endpoint",
    "S3Sink",
    "SerialsExhausted",
    "SignatureMismatch",
    "TrailJournal",
    "Verifier",
    "Wrapping",
    "audit_log",
    "bundle",
    "certificates_in",
    "chain_path",
    "jobs",
    "judge_csr",
    "lint_file",
    "log_tiles",
    "ocsp_unsuccessful",
    "open_checkpoint",
    "pca",
    "read_log",
    "read_verifier",
    "second_opinion",
]
