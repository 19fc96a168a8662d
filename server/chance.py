"""Randomness: the operating system's, handed down as an argument to whoever needs it."""

import os

_SIZE, _DRAWN = 16, 256


def entropy(count: int) -> bytes:
    """`count` random bytes."""
    return os.urandom(count)


def identifiers(count: int) -> bytes:
    """`count` random bytes that need not be secret: ids of requests and events.

    Those of the usual size are drawn ahead, many at a time, for each draw gives up the GIL; a fork draws its own.
    """
    if count != _SIZE:
        return os.urandom(count)
    try:
        return _ahead.pop()  # one operation: no two threads get the same
    except IndexError:
        octets = os.urandom(_SIZE * _DRAWN)
        first, *others = (octets[start : start + _SIZE] for start in range(0, len(octets), _SIZE))
        _ahead.extend(others)
        return first


_ahead: list[bytes] = []
os.register_at_fork(after_in_child=_ahead.clear)
