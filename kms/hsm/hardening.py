"""What a process that holds keys asks of the kernel: no core files, no ptrace, no swap, no life after its parent."""

import ctypes
import os
import resource
import signal

from kms.hsm.errors import CoreError

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4


def harden(parent: int) -> None:
    """No core file, not dumpable (which also closes /proc/PID/mem to others of this uid), killed with its parent.

    parent: the pid that must still be the parent. Raises CoreError when the kernel refuses, or the parent is gone.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for option, value in ((PR_SET_DUMPABLE, 0), (PR_SET_PDEATHSIG, signal.SIGKILL)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise CoreError(f"prctl {option}: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it ended before the kernel was told
        raise CoreError("the parent process is gone")


def lock_memory() -> bool:
    """Keep this process out of swap, where it is permitted; whether it was.

    Not tried under a memory-lock limit: with MCL_FUTURE every later allocation beyond the limit would fail.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    locked: int = libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)
    return locked == 0
