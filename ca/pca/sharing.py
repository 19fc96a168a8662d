"""What a private CA's resource policy may say (Private CA guide, "Resource-based policies"): who else may use it, and how."""

from collections.abc import Mapping
from typing import Any, Final

from ca.pca.errors import InvalidPolicy
from foundation.identity.policy import Document

# What AWS lets be shared, by a managed permission or one of the customer's own.
SHARED: Final = frozenset(
    f"acm-pca:{action}".lower()
    for action in (
        "DescribeCertificateAuthority",
        "GetCertificate",
        "GetCertificateAuthorityCertificate",
        "IssueCertificate",
        "ListPermissions",
        "ListTags",
        "RevokeCertificate",
    )
)
_NEGATIVE: Final = ("NotPrincipal", "NotAction", "NotResource")


def check_sharing(document: Document, arn: str) -> None:
    """Raise InvalidPolicy for a statement that is not allowed.

    Statements allow, name principals (everybody only with a condition), shareable actions, and this CA. Since none can
    deny, and none can give away PutPolicy, no policy that passes locks anybody out.
    """
    statements = document.tree["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        _check(statement, arn)


def _check(statement: Mapping[str, Any], arn: str) -> None:
    for name in _NEGATIVE:
        if name in statement:
            raise InvalidPolicy(f"A private CA's policy cannot use {name}")
    if statement["Effect"] != "Allow":
        raise InvalidPolicy("A private CA's policy shares the CA: its statements allow, and deny nothing")
    for action in _listed(statement["Action"]):
        if action.lower() not in SHARED:
            raise InvalidPolicy(f"A private CA's policy cannot share the action {action[:128]}")
    for resource in _listed(statement["Resource"]):
        if resource != arn:
            raise InvalidPolicy(f"A private CA's policy is about itself alone, {arn}, not {resource[:256]}")
    principal = statement["Principal"]
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    if "*" in _listed(named) and not statement.get("Condition"):
        raise InvalidPolicy("A private CA's policy names everybody only under a condition")


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
