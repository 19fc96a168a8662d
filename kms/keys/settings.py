"""What an operator may set for KMS; AWS's quotas are the defaults."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """keys: customer managed keys per account and Region. The others count per key; tracking_days bounds nothing."""

    keys: int = 100_000
    aliases_per_key: int = 50
    grants_per_key: int = 50_000
    on_demand_rotations: int = 25
    tags_per_key: int = 50
    regions: tuple[str, ...] = ()  # that can hold replicas; empty: every one
