"""What an operator may set for KMS; AWS's quotas are the defaults."""

from dataclasses import dataclass

from cryptography.x509 import Certificate


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """keys: customer managed keys per account and Region. The others count per key; tracking_days bounds nothing."""

    keys: int = 100_000
    aliases_per_key: int = 50
    grants_per_key: int = 50_000
    grants_per_grantee: int = 500
    on_demand_rotations: int = 25
    tags_per_key: int = 50
    attestation_root: Certificate | None = None  # of attestation documents; without one Recipient is refused
    regions: tuple[str, ...] = ()  # that can hold replicas; empty: every one
