"""The unseal secret between two starts of the core: in one page of memory that the supervisor's children do not get."""

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import contextmanager

_libc = ctypes.CDLL(None, use_errno=True)


class SecretPage:
    """Holds at most a page less two bytes. Written and read only in short-lived children that it is lent to.

    The supervisor itself never has the secret among its objects, where a copy could outlive its use and be inherited
    by a worker: it owns the page, which is shared memory, left out of core files, kept out of swap where the system
    allows it, and absent from every child that is forked while it is not lent.
    """

    def __init__(self) -> None:
        self._page = mmap.mmap(-1, mmap.PAGESIZE)
        self._page.madvise(mmap.MADV_DONTDUMP)
        view = (ctypes.c_char * mmap.PAGESIZE).from_buffer(self._page)
        _libc.mlock(
            view, ctypes.c_size_t(mmap.PAGESIZE)
        )  # refused where RLIMIT_MEMLOCK is used up: best effort
        del view
        self._page.madvise(mmap.MADV_DONTFORK)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Children forked inside inherit the page."""
        self._page.madvise(mmap.MADV_DOFORK)
        try:
            yield
        finally:
            self._page.madvise(mmap.MADV_DONTFORK)

    def write(self, secret: bytes) -> None:
        """In a child: leaves the secret for the others. Raises `ValueError` when it is too long or empty."""
        if not 0 < len(secret) <= mmap.PAGESIZE - 2:
            raise ValueError("an unseal secret has 1 to 4094 bytes")
        self._page[: 2 + len(secret)] = len(secret).to_bytes(2) + secret

    def read(self) -> bytes:
        """In a child: what was written, b"" when nothing was."""
        return self._page[2 : 2 + int.from_bytes(self._page[:2])]

    def wipe(self) -> None:
        """Before the end."""
        self._page[:] = bytes(mmap.PAGESIZE)
