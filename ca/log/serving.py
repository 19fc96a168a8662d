"""What /log/ serves to anybody: the checkpoint, tiles of the tree, bundles of entries (C2SP tlog-tiles)."""

from dataclasses import dataclass
from typing import Final

from sqlmodel import select

from ca.log.notes import Verifier
from ca.log.sequencer import verifier_of
from ca.log.tables import HeadRow, TileRow
from ca.log.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, entries_in, read_path
from foundation.store import Unit
from kms.hsm import HASH_BYTES

TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of the log. One that is `final` never changes; hashes are not `compressible`."""

    media_type: str
    body: bytes
    final: bool
    compressible: bool = False


class PublicLog:
    """Reads the log for anybody. `unit` is of the SYSTEM scope, carries no event and may serve many threads."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def file(self, path: str) -> LogFile | None:
        """The file of /log/PATH, or None: NAME/checkpoint, NAME/tile/L/N, NAME/tile/entries/N, partial ones too."""
        name, _, rest = path.partition("/")
        tile = read_path(rest)
        if rest != CHECKPOINT and tile is None:
            return None
        with self._unit.read() as session:
            head = session.exec(select(HeadRow).where(HeadRow.name == name)).one_or_none()
            if head is None:
                return None
            if tile is None:
                return LogFile(TEXT, head.checkpoint, final=False) if head.checkpoint else None
            row = session.get(TileRow, (tile.level, tile.number))
        content = None if row is None else cut(row.content, tile)
        return (
            None
            if content is None
            else LogFile(BYTES, content, final=True, compressible=tile.level == ENTRIES)
        )

    def known(self) -> tuple[str, Verifier] | None:
        """The name of the log and its key; None before it has begun."""
        with self._unit.read() as session:
            head = session.exec(select(HeadRow)).one_or_none()
        return None if head is None else (head.name, verifier_of(head))


def cut(content: bytes, tile: Tile) -> bytes | None:
    """As much of the stored content as the tile asks for; None when there is less."""
    if tile.level == ENTRIES:
        entries = entries_in(content)
        if len(entries) < tile.width:
            return None
        return content[: sum(2 + len(entry) for entry in entries[: tile.width])]
    end = tile.width * HASH_BYTES
    whole = len(content) == WIDTH * HASH_BYTES
    return content[:end] if len(content) >= end and (tile.width < WIDTH or whole) else None
