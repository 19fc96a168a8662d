"""What a bucket name in the API stands for: the place that CRLs and audit reports are put, as an argument."""

import re
from typing import Final, Protocol

from ca.errors import BucketDenied, BucketMissing

# S3's own naming rules for general purpose buckets; it also keeps a name inside its folder.
_BUCKET: Final = re.compile(r"[a-z0-9](?:[a-z0-9]|[.-](?![.-])){1,61}[a-z0-9]")
_KEY_LIMIT: Final = 1024  # S3's, in bytes


class ObjectSink(Protocol):
    """Buckets that exist outside of this room. Safe to share between threads."""

    def check(self, bucket: str, *, public: bool = False) -> None:
        """Raise BucketMissing unless the bucket exists, and BucketDenied if it may not be written (`public`: by what all may read).

        SinkUnavailable when that cannot be found out now.
        """

    def put(self, bucket: str, key: str, body: bytes, *, media_type: str, public: bool = False) -> None:
        """Store the object, durably, in place of an earlier one: readers see either. Raises as `check`."""

    def address(self, bucket: str) -> str | None:
        """The URL that keys follow after a slash, or None where clients cannot read the bucket itself."""


def check_names(bucket: str, key: str = "-") -> None:
    """Raise BucketMissing or BucketDenied for names that no bucket or object has."""
    if _BUCKET.fullmatch(bucket) is None or bucket.endswith("-"):
        raise BucketMissing(f"{bucket[:80]!r} is not the name of a bucket (S3's naming rules)")
    parts = key.split("/")
    if any(part in {"", ".", ".."} for part in parts) or len(key.encode()) > _KEY_LIMIT or "\x00" in key:
        raise BucketDenied(f"{key[:80]!r} is not a key that an object may have")
