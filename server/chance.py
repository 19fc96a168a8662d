"""Randomness: the operating system's, handed down as an argument to whoever needs it."""

import os


def entropy(count: int) -> bytes:
    """`count` random bytes."""
    return os.urandom(count)
