"""What KMS answers on the wire. Each topic's module declares its operations in the one registry."""

from kms.keys.operations import aliases, keys, lives, policies, regions, rotations, tags
from kms.keys.operations.registry import operations

__all__ = ["aliases", "keys", "lives", "operations", "policies", "regions", "rotations", "tags"]
