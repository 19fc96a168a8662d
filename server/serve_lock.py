"""One keeper to a data directory: DIR/serve.lock, held with flock and naming its holder's pid."""

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from server.forking import Refused


class AlreadyServed(Exception):
    """Another process keeps this directory; `pid` is 0 where it has not written its own yet."""

    def __init__(self, data: Path, pid: int) -> None:
        super().__init__(f"{data} is already served by process {pid or '(just starting)'}")
        self.pid = pid


class ServeLock:
    """Taken on construction (raises `AlreadyServed`, and `Refused` where DIR cannot be written to), released by `release`, by leaving `with`, or by death.

    The file stays behind: removing it would let two processes hold locks on two files of one name.
    """

    def __init__(self, data: Path) -> None:
        try:
            self._file = os.open(data / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Refused(
                f"{data} cannot be written to: {error.strerror}. It must belong to the user who serves it"
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(self._file, 20, 0).strip()
            os.close(self._file)
            raise AlreadyServed(data, int(holder) if holder.isdigit() else 0) from error
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        os.ftruncate(self._file, 0)
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
