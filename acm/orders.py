"""What is asked for, judged and in one value, before anything is stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from acm.names import RequestedName

AWS_MANAGED = "AWS_MANAGED"
CUSTOMER_PROVIDED = "CUSTOMER_PROVIDED"
AMAZON_ISSUED = "AMAZON_ISSUED"
PRIVATE = "PRIVATE"

# RequestCertificate's own list; the enum's other members are for imports and CSRs.
REQUESTABLE_ALGORITHMS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")
CSR_ALGORITHMS = ("RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1")


@dataclass(frozen=True, slots=True)
class Order:
    """A judged request for one certificate.

    `public_key` is the SPKI DER of a CSR; None has the core make a key for each period.
    `authority_arn` names a private CA of the caller's; None means the deployment's own hierarchy, after
    every name has been proven by DNS.
    """

    names: tuple[RequestedName, ...]
    key_algorithm: str
    public_key: bytes | None = field(default=None, repr=False)
    authority_arn: str | None = None
    token: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    transparency: str = "ENABLED"
    export: str = "DISABLED"
    managed_by: str | None = None

    @property
    def type(self) -> str:
        """CertificateType of the model."""
        return AMAZON_ISSUED if self.authority_arn is None else PRIVATE

    @property
    def validation_method(self) -> str | None:
        """Private certificates need no proof (TRAPS 26)."""
        return "DNS" if self.authority_arn is None else None

    @property
    def key_pair_origin(self) -> str:
        """CertificateKeyPairOrigin of the model."""
        return AWS_MANAGED if self.public_key is None else CUSTOMER_PROVIDED

    def digest(self) -> bytes:
        """SHA-256 over everything but the token: the same token must come with the same request."""
        asked = {
            "names": [[name.name, name.validation_domain] for name in self.names],
            "key_algorithm": self.key_algorithm,
            "public_key": self.public_key.hex() if self.public_key is not None else None,
            "authority_arn": self.authority_arn,
            "tags": dict(self.tags),
            "transparency": self.transparency,
            "export": self.export,
            "managed_by": self.managed_by,
        }
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()
