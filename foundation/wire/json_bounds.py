"""Bounds on JSON before it is decoded: what a decoder may be handed without harm."""

import re
from typing import Final

from foundation.wire.errors import SerializationError
from foundation.wire.limits import DEPTH, NODES

# Always consumes up to the closing quote or the end, so that hostile quotes cannot make it start over (linear).
_string = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_OPENING: Final = b"[{"
_NOT_BRACKETS: Final = bytes(octet for octet in range(256) if octet not in b"[]{}")


def bound_json(body: bytes) -> None:
    """Raise SerializationError when `body` nests deeper than DEPTH or holds more than NODES values.

    Values are counted as commas and opening brackets outside strings, plus one: an upper bound, equal when
    no container is empty. What is not JSON at all is left to the decoder.
    """
    if _opening(body) <= DEPTH and body.count(b",") < NODES - DEPTH:
        return  # even if every bracket and comma stood outside strings
    bare = _string.sub(b"", body)
    if bare.count(b",") + _opening(bare) >= NODES:
        raise SerializationError(f"The body has more than {NODES} values.")
    depth = 0
    for bracket in bare.translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in _OPENING else -1
        if depth > DEPTH:
            raise SerializationError(f"The body is nested deeper than {DEPTH} levels.")
        if depth < 0:
            raise SerializationError("The body is not valid JSON.")


def _opening(text: bytes) -> int:
    return text.count(b"[") + text.count(b"{")
