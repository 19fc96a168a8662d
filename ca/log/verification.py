"""Reading a log through, from nothing but its files and its key: every hash, every entry, the root that is signed."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ca.log.entries import BadEntry, Entry, read_entry
from ca.log.notes import BadNote, Checkpoint, Verifier, open_checkpoint
from ca.log.tiles import CHECKPOINT, ENTRIES, WIDTH, Tile, entries_in, tiles_of
from ca.log.tree import Tree, fold
from kms.hsm import HASH_BYTES, ProofFailed, check_consistency, check_inclusion, leaf_hash

Files = Callable[[str], bytes | None]
"""The content of a file of the log by its path (as under /log/NAME/), or None for one that is not there."""


class LogBroken(Exception):
    """The log does not hold together; the message names the first thing that is wrong."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """A log that was read through. `note` is its checkpoint as it was signed."""

    checkpoint: Checkpoint
    note: bytes
    tree: Tree
    leaves: dict[bytes, int] = field(repr=False)  # leaf hash → index
    entries: list[Entry] = field(repr=False)

    def index_of(self, serial: str, tbs_digest: str) -> int:
        """Where a certificate is: its serial in lower-case hex, its TBSCertificate's SHA-256. Raises LogBroken."""
        for index, entry in enumerate(self.entries):
            if (entry.type, entry.serial, entry.about) == ("issued", serial, tbs_digest):
                return index
        raise LogBroken(f"the certificate with serial number {serial} is not in the log")

    def revocation_of(self, issued: Entry) -> Entry | None:
        """The entry by which what was issued is revoked, if it is."""
        same = (issued.issuer, issued.serial)
        return next(
            (each for each in self.entries if each.type == "revoked" and (each.issuer, each.serial) == same),
            None,
        )

    def proof(self, index: int) -> str:
        """A proof that the entry at `index` is in the log, to be checked without it (C2SP tlog-proof)."""
        path = self.tree.inclusion(index)
        leaf = next(leaf for leaf, at in self.leaves.items() if at == index)
        check_inclusion(leaf, index, self.checkpoint.size, path, self.checkpoint.root)
        hashes = [base64.b64encode(each).decode() for each in path]
        return "\n".join(["c2sp.org/tlog-proof@v1", f"index {index}", *hashes, "", self.note.decode()])

    def check_since(self, older: Checkpoint) -> None:
        """Raises LogBroken unless this log begins with the one of the older checkpoint."""
        if older.size > self.checkpoint.size:
            raise LogBroken(
                f"the log has shrunk: {older.size} entries were signed before, and now {self.checkpoint.size}"
            )
        try:
            check_consistency(
                older.size,
                self.checkpoint.size,
                self.tree.consistency(older.size),
                older.root,
                self.checkpoint.root,
            )
        except ProofFailed as failed:
            raise LogBroken(f"the log was rewritten: {failed}") from failed


def read_log(files: Files, verifier: Verifier) -> ReadLog:
    """Check the checkpoint's signature, every tile and bundle, and the root. Raises LogBroken."""
    note = files(CHECKPOINT)
    if note is None:
        raise LogBroken("there is no checkpoint")
    try:
        checkpoint = open_checkpoint(note, verifier)
    except BadNote as bad:
        raise LogBroken(str(bad)) from bad
    tiles: dict[tuple[int, int], bytes] = {}
    leaves: dict[bytes, int] = {}
    entries: list[Entry] = []
    for tile in tiles_of(checkpoint.size):
        if tile.level == ENTRIES:
            for entry in _bundle(files, tile):
                leaf = leaf_hash(entry)
                if leaf in leaves:
                    raise LogBroken(f"entry {len(entries)} is the same as entry {leaves[leaf]}")
                leaves[leaf] = len(entries)
                entries.append(_entry(entry, len(entries)))
            continue
        tiles[tile.level, tile.number] = _hashes(files, tile)
    tree = Tree(lambda level, number: tiles.get((level, number), b""), checkpoint.size)
    _check_leaves(leaves, tiles)
    _check_levels(tiles)
    if tree.root != checkpoint.root:
        raise LogBroken("the tiles' root is not the one that the checkpoint says")
    return ReadLog(checkpoint, note, tree, leaves, entries)


def _check_leaves(leaves: dict[bytes, int], tiles: dict[tuple[int, int], bytes]) -> None:
    for leaf, index in leaves.items():
        at = index % WIDTH * HASH_BYTES
        if tiles[0, index // WIDTH][at : at + HASH_BYTES] != leaf:
            raise LogBroken(
                f"entry {index} is not the one that {Tile(0, index // WIDTH).path} has the hash of"
            )


def _check_levels(tiles: dict[tuple[int, int], bytes]) -> None:
    """Each hash above the first level is that of the full tile below it."""
    for (level, number), content in tiles.items():
        for place in range(len(content) // HASH_BYTES if level else 0):
            below = number * WIDTH + place
            lower = fold(tiles[level - 1, below])
            if lower != content[place * HASH_BYTES : (place + 1) * HASH_BYTES]:
                raise LogBroken(
                    f"{Tile(level, number, len(content) // HASH_BYTES).path} has another hash of {Tile(level - 1, below).path}"
                )


def _bundle(files: Files, tile: Tile) -> Iterator[bytes]:
    content = _either(files, tile)
    try:
        found = entries_in(content)[: tile.width]
    except ValueError as malformed:
        raise LogBroken(f"{tile.path}: {malformed}") from malformed
    if len(found) < tile.width:
        raise LogBroken(f"{tile.path} has {len(found)} entries of {tile.width}")
    return iter(found)


def _hashes(files: Files, tile: Tile) -> bytes:
    content = _either(files, tile)[: tile.width * HASH_BYTES]
    if len(content) != tile.width * HASH_BYTES:
        raise LogBroken(f"{tile.path} has {len(content)} bytes of {tile.width * HASH_BYTES}")
    return content


def _either(files: Files, tile: Tile) -> bytes:
    """A partial tile may be gone where the full one is there (tlog-tiles, "Partial Tiles")."""
    content = files(tile.path)
    if content is None and tile.width < WIDTH:
        content = files(tile._replace(width=WIDTH).path)
    if content is None:
        raise LogBroken(f"{tile.path} is missing")
    return content


def _entry(entry: bytes, index: int) -> Entry:
    try:
        return read_entry(entry)
    except BadEntry as bad:
        raise LogBroken(f"entry {index}: {bad}") from bad
