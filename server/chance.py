"""Randomness: the operating system's, handed down as an argument to whoever needs it."""

import os
import threading

_DRAWN = 4096


def entropy(count: int) -> bytes:
    """`count` random bytes."""
    return os.urandom(count)


class _Drawn(threading.local):
    """One thread's bytes that were drawn ahead, by the process `pid`."""

    pid = 0
    octets = b""
    used = 0


_drawn = _Drawn()


def identifiers(count: int) -> bytes:
    """`count` random bytes that need not be secret: ids of requests and events.

    Drawn ahead in one piece, for each draw gives up the GIL; a fork draws its own.
    """
    if _drawn.pid != os.getpid() or _drawn.used + count > len(_drawn.octets):
        _drawn.octets, _drawn.used, _drawn.pid = os.urandom(max(count, _DRAWN)), 0, os.getpid()
    start = _drawn.used
    _drawn.used = start + count
    return _drawn.octets[start : start + count]
