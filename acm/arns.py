"""The ARN of a certificate: taken apart and put together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from acm.errors import InvalidArn
from foundation.store import Scope

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_CERTIFICATE = re.compile(rf"arn:aws:acm:([a-z0-9-]+):([0-9]{{12}}):certificate/({_UUID})")


@dataclass(frozen=True, slots=True)
class CertificateArn:
    """Whose certificate, where, and which."""

    scope: Scope
    id: str

    def __str__(self) -> str:
        return certificate_arn(self.scope, self.id)


def certificate_arn(scope: Scope, certificate_id: str) -> str:
    """Write the ARN of a certificate in this account and Region."""
    return f"arn:aws:acm:{scope.region}:{scope.account}:certificate/{certificate_id}"


def parse_certificate_arn(arn: str) -> CertificateArn:
    """Take an ARN apart; raise InvalidArn when it cannot be a certificate's."""
    match = _CERTIFICATE.fullmatch(arn)
    if match is None:
        raise InvalidArn(
            f"Invalid ARN: {arn}; a certificate's is arn:aws:acm:REGION:ACCOUNT:certificate/UUID"
        )
    region, account, certificate_id = match.groups()
    return CertificateArn(Scope(account, region), certificate_id)
