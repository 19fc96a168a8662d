"""Bounds on CBOR before it is decoded: one walk over the heads (RFC 8949 section 3), nothing allocated.

Accepted is what Smithy's RPC v2 CBOR can mean: 64-bit integers, text and octet strings, arrays, maps with
text keys, booleans, null, finite floats, and tag 1 (a timestamp) on a number.
"""

import math
import struct
from typing import Final, NoReturn

from foundation.wire.errors import SerializationError
from foundation.wire.limits import DEPTH, INTEGER_MAX, NODES

UNSIGNED, NEGATIVE, OCTETS, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
BREAK: Final = 0xFF
_INDEFINITE: Final = 31
_WIDTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS: Final = {25: ">e", 26: ">f", 27: ">d"}
_CONSTANTS: Final = range(20, 23)  # false, true, null
_EPOCH_TAG: Final = 1


def bound_cbor(body: bytes) -> None:
    """Raise SerializationError unless `body` is exactly one well-formed, bounded data item."""
    walk = _Walk(body)
    walk.items()
    if walk.position != len(body):
        _refuse("octets follow the value")


def _refuse(reason: str) -> NoReturn:
    raise SerializationError(f"The body is not acceptable CBOR: {reason}.")


class _Open:
    """A container whose items are being read: how many are left (None: until BREAK), and whether a key is next."""

    __slots__ = ("is_map", "key_next", "left")

    def __init__(self, left: int | None, *, is_map: bool) -> None:
        self.left = left
        self.is_map = is_map
        self.key_next = is_map


class _Walk:
    def __init__(self, body: bytes) -> None:
        self.body = body
        self.position = 0
        self.nodes = 0
        self.open: list[_Open] = []

    def items(self) -> None:
        """Walk one item with everything inside it."""
        self.item()
        while self.open:
            inside = self.open[-1]
            if inside.left == 0:
                self.open.pop()
            elif inside.left is None and self.octet() == BREAK:
                if inside.is_map and not inside.key_next:
                    _refuse("a map ends after a key")
                self.position += 1
                self.open.pop()
            else:
                self.inner(inside)

    def inner(self, inside: _Open) -> None:
        if inside.key_next and self.octet() >> 5 != TEXT:
            _refuse("a map key is not text")
        if inside.left is not None:
            inside.left -= 1
        inside.key_next = inside.is_map and not inside.key_next
        self.item()

    def item(self) -> None:
        self.nodes += 1
        if self.nodes > NODES:
            _refuse(f"more than {NODES} values")
        major, info, argument = self.head()
        if major in (UNSIGNED, NEGATIVE):
            self.integer(info, argument)
        elif major in (OCTETS, TEXT):
            self.string(major, info, argument)
        elif major in (ARRAY, MAP):
            self.container(major, info, argument)
        elif major == TAG:
            self.timestamp(info, argument)
        else:
            self.simple(info)

    def octet(self) -> int:
        if self.position >= len(self.body):
            _refuse("it ends early")
        return self.body[self.position]

    def head(self) -> tuple[int, int, int]:
        """Major type, additional information and argument of the item at hand; moves behind them."""
        first = self.octet()
        self.position += 1
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info, info
        if info == _INDEFINITE:
            return major, info, 0
        width = _WIDTHS.get(info)
        if width is None:
            _refuse("a reserved length")
        return major, info, int.from_bytes(self.take(width), "big")

    def take(self, count: int) -> bytes:
        self.need(count)
        taken = self.body[self.position : self.position + count]
        self.position += count
        return taken

    def need(self, count: int) -> None:
        if count > len(self.body) - self.position:
            _refuse("a length reaches beyond the end")

    def integer(self, info: int, argument: int) -> None:
        if info == _INDEFINITE:
            _refuse("an integer without a value")
        if argument > INTEGER_MAX:
            _refuse("an integer beyond 64 bits")

    def string(self, major: int, info: int, argument: int) -> None:
        if info != _INDEFINITE:
            self.need(argument)
            self.position += argument
            return
        while self.octet() != BREAK:
            self.nodes += 1
            if self.nodes > NODES:
                _refuse(f"more than {NODES} values")
            chunk_major, chunk_info, length = self.head()
            if chunk_major != major or chunk_info == _INDEFINITE:
                _refuse("a string of chunks of another kind")
            self.need(length)
            self.position += length
        self.position += 1

    def container(self, major: int, info: int, argument: int) -> None:
        if len(self.open) >= DEPTH:
            _refuse(f"nested deeper than {DEPTH} levels")
        is_map = major == MAP
        left = None
        if info != _INDEFINITE:
            left = argument * 2 if is_map else argument
            self.need(left)  # each item takes an octet at least: refused before anybody trusts the count
        self.open.append(_Open(left, is_map=is_map))

    def timestamp(self, info: int, argument: int) -> None:
        if info == _INDEFINITE or argument != _EPOCH_TAG:
            _refuse("a tag other than a timestamp")
        major, info, argument = self.head()
        if major in (UNSIGNED, NEGATIVE):
            self.integer(info, argument)
        elif major == SIMPLE and info in _FLOATS:
            self.simple(info)
        else:
            _refuse("a timestamp that is not a number")

    def simple(self, info: int) -> None:
        if info in _FLOATS:
            width = _WIDTHS[info]
            (value,) = struct.unpack(_FLOATS[info], self.body[self.position - width : self.position])
            if not math.isfinite(value):
                _refuse("a number that is not finite")
        elif info not in _CONSTANTS:
            _refuse("a simple value without a meaning")
