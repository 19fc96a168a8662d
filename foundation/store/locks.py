"""Locks between processes of one host, on files beside the database."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foundation.store.errors import StoreUnavailable

_FIRST_NAP = 0.000_2
_LONGEST_NAP = 0.01


class FileLock:
    """One flock on one file; released by the kernel when its holder dies. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"the database's lock file cannot be opened: {error}") from error

    def acquire(self) -> None:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise StoreUnavailable(f"the database's lock cannot be taken: {error}") from error

    def acquire_within(self, seconds: float) -> None:
        """Raise StoreUnavailable when another process keeps the lock for longer."""
        deadline = time.monotonic() + seconds
        nap = _FIRST_NAP
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise StoreUnavailable("another process holds the database's lock") from None
                time.sleep(nap)
                nap = min(nap * 2, _LONGEST_NAP)
            else:
                return

    def release(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)


class Turnstile:
    """A lock that processes take in turn.

    flock alone is not fair: who releases and takes again at once wins over who sleeps. With two locks, the next in
    line holds the gate while it waits for the floor, so the one who leaves the floor queues behind it.
    """

    def __init__(self, path: Path) -> None:
        # For as long as the writer lives; its file is never removed, or two could lock two files of one name.
        self._gate = FileLock(path.with_name(path.name + "-gate"))
        self._floor = FileLock(path.with_name(path.name + "-writer"))

    @contextmanager
    def held(self) -> Iterator[None]:
        self._gate.acquire()
        try:
            self._floor.acquire()
        finally:
            self._gate.release()
        try:
            yield
        finally:
            self._floor.release()

    def close(self) -> None:
        self._gate.close()
        self._floor.close()
