"""ARNs of authorities and certificates (acm-pca's forms; a certificate's ends in its serial number, TRAPS 33)."""

import re

from ca.errors import AuthorityNotFound
from foundation.store import Scope

_AUTHORITY = re.compile(
    r"arn:aws:acm-pca:(?P<region>[a-z0-9-]{1,32}):(?P<account>[a-z0-9]{1,32}):certificate-authority/"
    r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)


def authority_arn(scope: Scope, authority_id: str) -> str:
    return f"arn:aws:acm-pca:{scope.region}:{scope.account}:certificate-authority/{authority_id}"


def certificate_arn(scope: Scope, authority_id: str, serial: str) -> str:
    return f"{authority_arn(scope, authority_id)}/certificate/{serial}"


def parse_authority_arn(arn: str) -> tuple[Scope, str]:
    """Whose the authority is, and its id. Raises AuthorityNotFound for what is no ARN of an authority."""
    match = _AUTHORITY.fullmatch(arn)
    if match is None:
        raise AuthorityNotFound(f"{arn[:200]!r} is not the ARN of a certificate authority")
    return Scope(match["account"], match["region"]), match["id"]
