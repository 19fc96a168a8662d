"""The states of authorities and certificates, as tables: what each allows, and what follows."""

from datetime import datetime
from types import MappingProxyType
from typing import Final

from ca.errors import AuthorityState, CertificateState

# State -> what may be done with an authority in it -> the state that follows.
# EXPIRED is never stored: an ACTIVE or DISABLED authority is EXPIRED once its certificate has run out.
# "restore" gives back what was before the deletion (TRAPS 35); an authority without a certificate waits for one.
AUTHORITY_STATES: Final = MappingProxyType(
    {
        "CREATING": {"activate": "ACTIVE", "delete": "DELETED"},
        "PENDING_CERTIFICATE": {
            "csr": "PENDING_CERTIFICATE",
            "self-sign": "PENDING_CERTIFICATE",
            "import": "ACTIVE",
            "delete": "DELETED",
        },
        "ACTIVE": {
            "issue": "ACTIVE",
            "crl": "ACTIVE",
            "ocsp": "ACTIVE",
            "audit": "ACTIVE",
            "revoke": "ACTIVE",
            "disable": "DISABLED",
            "update": "ACTIVE",
            "csr": "ACTIVE",
            "self-sign": "ACTIVE",
            "import": "ACTIVE",
        },
        "DISABLED": {
            "crl": "DISABLED",
            "ocsp": "DISABLED",
            "audit": "DISABLED",
            "revoke": "DISABLED",
            "enable": "ACTIVE",
            "update": "DISABLED",
            "csr": "DISABLED",
            "import": "DISABLED",
            "delete": "DELETED",
        },
        "EXPIRED": {"audit": "EXPIRED", "csr": "EXPIRED", "import": "ACTIVE", "delete": "DELETED"},
        "FAILED": {"delete": "DELETED"},
        "DELETED": {"restore": "PENDING_CERTIFICATE"},
    }
)

# State -> what may happen to a certificate in it -> the state that follows.
# "sign" on ISSUED is the second of two callers with one claim: it gets the certificate that is there.
CERTIFICATE_STATES: Final = MappingProxyType(
    {
        "INTENT": {"sign": "ISSUED", "revoke": "REVOKED"},
        "ISSUED": {"sign": "ISSUED", "revoke": "REVOKED"},
        "REVOKED": {},
    }
)

# AWS's names of revocation reasons (acm-pca RevokeCertificate) -> RFC 5280 5.3.1 as pyca names them.
REVOCATION_REASONS: Final = MappingProxyType(
    {
        "UNSPECIFIED": "unspecified",
        "KEY_COMPROMISE": "keyCompromise",
        "CERTIFICATE_AUTHORITY_COMPROMISE": "cACompromise",
        "AFFILIATION_CHANGED": "affiliationChanged",
        "SUPERSEDED": "superseded",
        "CESSATION_OF_OPERATION": "cessationOfOperation",
        "PRIVILEGE_WITHDRAWN": "privilegeWithdrawn",
        "A_A_COMPROMISE": "aACompromise",
    }
)


# The same reasons -> CRLReason (RFC 5280 5.3.1), which CRLs and OCSP answers carry.
REASON_CODES: Final = MappingProxyType(
    {
        "UNSPECIFIED": 0,
        "KEY_COMPROMISE": 1,
        "CERTIFICATE_AUTHORITY_COMPROMISE": 2,
        "AFFILIATION_CHANGED": 3,
        "SUPERSEDED": 4,
        "CESSATION_OF_OPERATION": 5,
        "PRIVILEGE_WITHDRAWN": 9,
        "A_A_COMPROMISE": 10,
    }
)

COMPROMISES: Final = frozenset({"KEY_COMPROMISE", "CERTIFICATE_AUTHORITY_COMPROMISE"})
"""Reasons after which the key is never certified again (SECURITY 2.9)."""


def state_at(status: str, not_after: datetime | None, now: datetime) -> str:
    """The state to act on: the stored one, or EXPIRED when the authority's certificate has run out."""
    runs = status in {"ACTIVE", "DISABLED"} and not_after is not None
    return "EXPIRED" if runs and not_after is not None and not_after < now else status


def next_authority_state(authority_id: str, status: str, action: str) -> str:
    """The state after `action`, or AuthorityState."""
    try:
        return AUTHORITY_STATES[status][action]
    except KeyError:
        raise AuthorityState(authority_id, status, action) from None


def next_certificate_state(serial: str, status: str, action: str) -> str:
    """The state after `action`, or CertificateState."""
    try:
        return CERTIFICATE_STATES[status][action]
    except KeyError:
        raise CertificateState(f"certificate {serial} is {status}, which does not allow: {action}") from None
