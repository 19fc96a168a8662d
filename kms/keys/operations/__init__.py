"""What KMS answers on the wire. Each topic's module declares its operations in the one registry."""

from kms.keys.operations import (
    agreement,
    aliases,
    data_keys,
    encryption,
    grants,
    imports,
    keys,
    lives,
    policies,
    regions,
    rotations,
    signing,
    tags,
)
from kms.keys.operations.registry import operations

__all__ = [
    "agreement",
    "aliases",
    "data_keys",
    "encryption",
    "grants",
    "imports",
    "keys",
    "lives",
    "operations",
    "policies",
    "regions",
    "rotations",
    "signing",
    "tags",
]
