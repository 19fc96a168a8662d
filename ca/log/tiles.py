"""Where things are in a log that is served as static files (C2SP tlog-tiles): tiles of 256 hashes, bundles of 256 entries."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

WIDTH: Final = 256
ENTRIES: Final = -1
"""The level of the bundles of entries, in the database and here; in a path it is "entries"."""
CHECKPOINT: Final = "checkpoint"
LONGEST_ENTRY: Final = 0xFFFF

_PATH: Final = re.compile(
    r"tile/(?P<level>entries|[0-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/){0,5}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


class Tile(NamedTuple):
    """`width` is how many of its 256 places are asked for."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        level = "entries" if self.level == ENTRIES else str(self.level)
        parts, rest = [f"{self.number % 1000:03}"], self.number // 1000
        while rest:
            parts.append(f"x{rest % 1000:03}")
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(parts))}{partial}"


def read_path(path: str) -> Tile | None:
    """The tile of a path, or None for a path that no tile has."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    number = int(match["number"].replace("x", "").replace("/", ""))
    width = int(match["width"] or WIDTH)
    level = ENTRIES if match["level"] == "entries" else int(match["level"])
    tile = Tile(level, number, width)
    return tile if tile.path == path and width <= WIDTH and number < 2**40 else None


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile and bundle of a tree, the bundles first; the last of a level may be partial."""
    level, hashes = ENTRIES, size
    while hashes:
        full, rest = divmod(hashes, WIDTH)
        yield from (Tile(level, number) for number in range(full))
        if rest:
            yield Tile(level, full, rest)
        hashes = hashes if level == ENTRIES else full
        level += 1


def bundled(entry: bytes) -> bytes:
    """An entry in its bundle, its length before it."""
    return len(entry).to_bytes(2, "big") + entry


def entries_in(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when it ends in the middle of one."""
    found, at = [], 0
    while at < len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle) or at + 2 > len(bundle):
            raise ValueError("the bundle ends in the middle of an entry")
        found.append(bundle[at + 2 : end])
        at = end
    return found
