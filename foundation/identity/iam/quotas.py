"""IAM's quotas and limits in one place (IAM User Guide, "IAM and AWS STS quotas"); sizes leave out white space."""

from typing import Final

__all__ = [
    "ATTACHED",
    "ENTITIES",
    "INLINE_SIZE",
    "MANAGED_SIZE",
    "POLICIES",
    "TAGS",
    "TRUST_SIZE",
    "VERSIONS",
]

ENTITIES: Final = {"user": 5_000, "role": 1_000}
"""Users and roles of an account."""
POLICIES: Final = 1_500
"""Customer managed policies of an account."""
VERSIONS: Final = 5
"""Versions of a customer managed policy."""
ATTACHED: Final = 10
"""Managed policies attached to one user or role."""
INLINE_SIZE: Final = {"user": 2_048, "role": 10_240}
"""Characters of all inline policies of one user or role."""
MANAGED_SIZE: Final = 6_144
"""Characters of a managed policy."""
TRUST_SIZE: Final = 2_048
"""Characters of a role's trust policy."""
TAGS: Final = 50
"""Tags of a user, role or policy."""
