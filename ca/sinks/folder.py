"""Buckets as folders on this host: `DIR/buckets/NAME`, made by the operator with mkdir."""

import contextlib
import os
import tempfile
from pathlib import Path

from ca.errors import BucketDenied, BucketMissing, SinkUnavailable
from ca.sinks.sink import check_names


class FolderSink:
    """An ObjectSink over `folder`. A folder that is missing is a bucket that does not exist: none is made here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check(self, bucket: str, *, public: bool = False) -> None:
        """See `ObjectSink.check`; every reader of the folder may read what is `public`."""
        del public
        check_names(bucket)
        if not (self._folder / bucket).is_dir():
            raise BucketMissing(
                f"There is no bucket {bucket}: the operator makes one as a folder of that name under DIR/buckets"
            )
        if not os.access(self._folder / bucket, os.W_OK | os.X_OK):
            raise BucketDenied(f"keystead may not write to the bucket {bucket}")

    def put(self, bucket: str, key: str, body: bytes, *, media_type: str, public: bool = False) -> None:
        """See `ObjectSink.put`. The file has mode 0644 if `public`, else 0600; a folder keeps no media type."""
        del media_type
        self.check(bucket)
        check_names(bucket, key)
        target = self._folder / bucket / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, body, 0o644 if public else 0o600)
        except OSError as error:
            raise SinkUnavailable(f"the object could not be written to {bucket}: {error.strerror}") from error

    def address(self, bucket: str) -> str | None:
        """None: nobody serves the folder; CRLs are under /pki/."""
        del bucket
        return None


def _replace(target: Path, body: bytes, mode: int) -> None:
    """Write beside, make durable, put in place."""
    descriptor, written = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(written).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(written).unlink()
        raise
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
