"""Locked keys: a token that opens nothing, and one that an operator opens for a stated window of time.

    4b 04 | sealed                    locked: no use of any kind; only `unlock` reads it
    4b 05 | until (8, seconds) | sealed   open until then by the wall clock, and locked again by itself

Both are sealed apart from ordinary tokens and bound to the key's label, the second also to its end; so neither can be
turned into the other, nor stretched, by whoever holds the database.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kms.hsm.errors import BadSeal, KeyRefused
from kms.hsm.labels import KeyLabel, canonical, token_binding

if TYPE_CHECKING:  # callers read tokens by this module, and load nothing that works with keys
    from kms.hsm.hierarchy import DomainKeys

LOCKED = b"\x4b\x04"
WINDOW = b"\x4b\x05"
LONGEST = timedelta(hours=24)
_HEAD = 2 + 8


def is_locked(token: bytes) -> bool:
    """Whether the token is one that opens nothing, whatever the time."""
    return token[:2] == LOCKED


def window_end(token: bytes) -> int | None:
    """The end of the token's window, in seconds since 1970, or None for one without. Authenticated when it opens."""
    return int.from_bytes(token[2:_HEAD], "big") if token[:2] == WINDOW and len(token) > _HEAD else None


def lock(domain: "DomainKeys", label: KeyLabel, raw: bytes) -> bytes:
    """The key's bytes as a token that no use opens."""
    return LOCKED + domain.seal(f"locked {label.purpose}", token_binding(label), raw)


def unlock(domain: "DomainKeys", label: KeyLabel, token: bytes, until: int, now: datetime) -> bytes:
    """The token for a window that ends at `until`. Raises BadSeal, and KeyRefused for a window that may not be."""
    if not is_locked(token):
        raise KeyRefused("the key is not locked")
    if not now.timestamp() < until <= (now + LONGEST).timestamp():
        raise KeyRefused(f"a key is unlocked for {int(LONGEST.total_seconds() // 3600)} hours at most")
    raw = domain.open(f"locked {label.purpose}", token_binding(label), token[2:])
    return (
        WINDOW + until.to_bytes(8, "big") + domain.seal(f"window {label.purpose}", _bound(label, until), raw)
    )


def check_window(token: bytes, now: datetime) -> None:
    """Raises KeyRefused for a locked token, and for one whose window is over."""
    if is_locked(token):
        raise KeyRefused("the key is locked: an operator unlocks it for a stated time")
    until = window_end(token)
    if until is not None and now.timestamp() >= until:
        raise KeyRefused("the key has locked itself again: the time for which it was unlocked is over")


def open_window(domain: "DomainKeys", label: KeyLabel, token: bytes, now: datetime) -> bytes:
    """The key's bytes of a token of this module. Raises KeyRefused unless its window is open, and BadSeal."""
    check_window(token, now)
    until = window_end(token)
    if until is None:
        raise BadSeal("it was not sealed by this deployment")
    return domain.open(f"window {label.purpose}", _bound(label, until), token[_HEAD:])


def _bound(label: KeyLabel, until: int) -> bytes:
    return canonical("keystead unlocked key 1", token_binding(label), until)
