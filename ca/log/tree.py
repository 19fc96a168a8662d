"""The tree over tiles: how it grows, its root, and proofs (RFC 6962 2.1), of any size that its tiles reach."""

from collections.abc import Callable

from ca.log.tiles import ENTRIES, WIDTH, bundled
from kms.hsm import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash

HEIGHT = 8
Read = Callable[[int, int], bytes]
"""(level, number) → at least as much of the tile as the tree's size asks for; empty for one that has not begun."""


def grow(read: Read, size: int, entries: list[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles and bundles that change when the entries are appended to a tree of `size`: their whole content.

    (level, number) → content.
    """
    changed: dict[tuple[int, int], bytearray] = {}

    def append(level: int, number: int, more: bytes) -> bytearray:
        tile = changed.get((level, number))
        if tile is None:
            tile = changed[level, number] = bytearray(read(level, number))
        tile += more
        return tile

    for index, entry in enumerate(entries, size):
        append(ENTRIES, index // WIDTH, bundled(entry))
        level, place, hash_ = 0, index, leaf_hash(entry)
        while True:
            tile = append(level, place // WIDTH, hash_)
            if place % WIDTH != WIDTH - 1:
                break
            hash_ = fold(bytes(tile))
            level, place = level + 1, place // WIDTH
    return {key: bytes(tile) for key, tile in changed.items()}


class Tree:
    """A tree of `size` entries whose hashes `read` has."""

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.size = size

    @property
    def root(self) -> bytes:
        return self._hash(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of an entry (RFC 6962 2.1.1), from its sibling to the child of the root."""
        path: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int) -> list[bytes]:
        """The proof that the tree begins with that of its first `old` entries (RFC 6962 2.1.2)."""
        if old in {0, self.size}:
            return []
        proof: list[bytes] = []
        start, end, whole = 0, self.size, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start, whole = middle, False
        return [*([] if whole else [self._hash(start, end)]), *proof[::-1]]

    def _hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]) of a range that the recursion of RFC 6962 comes by: `start` is aligned to its left half."""
        size = end - start
        if size & (size - 1) == 0:
            return self._complete(start, size)
        middle = start + _split(size)
        return node_hash(self._hash(start, middle), self._hash(middle, end))

    def _complete(self, start: int, size: int) -> bytes:
        """The hash above `size` leaves, a power of two, from the hashes of one tile."""
        level, rest = divmod(size.bit_length() - 1, HEIGHT)
        first = start >> (level * HEIGHT)
        at = first % WIDTH * HASH_BYTES
        hashes = self._read(level, first // WIDTH)[at : at + HASH_BYTES * (1 << rest)]
        if len(hashes) != HASH_BYTES << rest:
            raise LookupError(f"tile {level}/{first // WIDTH} is too short for a tree of {self.size}")
        return fold(hashes)


def fold(hashes: bytes) -> bytes:
    """The root over a power of two of hashes."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _split(size: int) -> int:
    """The largest power of two below `size` (RFC 6962 2.1)."""
    return 1 << (size - 1).bit_length() - 1
