"""What the supervisor tells a core at its start, over a pipe: nothing secret is in arguments or environment."""

import os

import msgspec

from foundation.trail.chain import SEGMENT_BYTES
from kms.hsm.custody import Stretch
from kms.hsm.labels import Role

EXIT_TRAIL = 3
EXIT_SECRET = 4
EXIT_BOOT = 5


class Boot(msgspec.Struct, frozen=True):
    """For a core that serves. uids: which users may take each role. kek: 32 bytes."""

    deployment_id: str
    kek: bytes
    sealed_domain_keys: bytes
    key_check: bytes
    trail_directory: str
    uids: dict[Role, list[int]]
    segment_bytes: int = SEGMENT_BYTES

    def __repr__(self) -> str:
        return f"Boot({self.deployment_id!r})"


class DomainOrder(msgspec.Struct, frozen=True):
    """For the one-shot core that makes or rotates domain keys; answered by (sealed, check) on its standard output."""

    deployment_id: str
    kek: bytes
    stretch: Stretch
    sealed_domain_keys: bytes = b""  # of the domain to rotate; none: make a new one
    key_check: bytes = b""

    def __repr__(self) -> str:
        return f"DomainOrder({self.deployment_id!r})"


def read_all(descriptor: int) -> bytes:
    """Everything up to the end of the pipe, then close it."""
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()
