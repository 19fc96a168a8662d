"""What a process of ours gives up at its start: core files, being read by its neighbours, outliving its parent."""

import ctypes
import os
import resource
import signal

# prctl(2), <sys/prctl.h>
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4

# The exit status of a child that found its parent gone; nobody is left to read it, but strace and tests are.
ORPHANED = 86

_libc = ctypes.CDLL(None, use_errno=True)


def hide_memory() -> None:
    """No core file, and no ptrace or /proc/PID/mem for other processes of this user; forked children inherit it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _prctl(PR_SET_DUMPABLE, 0)


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when `parent` (a pid) dies; one that is dead already ends this process at once."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died between fork and prctl
        os._exit(ORPHANED)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}, {value}): {os.strerror(number)}")
