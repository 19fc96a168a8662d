"""The trail's record and chain format: append, segments, recovery of a torn tail, and the walk that verifies.

A record is one line: ``<sequence> <kind> <hash> <body>\\n``. Sequence counts from 0 without gaps; kind is a short
lower-case word; body is one JSON object without a newline; hash is hexadecimal

    SHA-256(hash of the record before (32 zero bytes at the start) || "<sequence> <kind> " || body)

so that an edited, deleted, inserted or moved record breaks the chain there, and a cut tail is found by whoever knows
a later head. A segment is a file named by its first sequence; its first record has kind "segment" and names the chain.
An open segment may end in zeros, written ahead so that an fdatasync has no file size to store. One writer per
directory, held by a lock; readers need none. This module imports nothing of ours: the key core writes by it.
"""

import fcntl
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SUFFIX = ".trail"
NOTHING = bytes(32)
SEGMENT_BYTES = 8 * 1024 * 1024
AHEAD_BYTES = 1024 * 1024
READ_BYTES = 1024 * 1024
LOCK_WAIT = 5.0  # seconds: a killed predecessor's lock goes with it
_LINE = re.compile(rb"(0|[1-9]\d{0,18}) ([a-z]{1,16}) ([0-9a-f]{64}) (\{.*\})", re.DOTALL)


class ChainError(Exception):
    """The trail cannot be written or is not ours to write; the core ends."""


class ChainBroken(ChainError):
    """The first record that is not what was written: `sequence` is the one that should stand there."""

    def __init__(self, reason: str, *, segment: str, offset: int, sequence: int) -> None:
        super().__init__(f"record {sequence} ({segment} at byte {offset}): {reason}")
        self.reason = reason
        self.segment = segment
        self.offset = offset
        self.sequence = sequence


class Position(NamedTuple):
    """Just after a record: where a reader goes on. `segment` is the first sequence of its file."""

    segment: int
    offset: int
    sequence: int  # of the record before; -1 at the start of the chain
    hash: bytes


START = Position(0, 0, -1, NOTHING)


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain, kept elsewhere (database, another host) to find a cut tail."""

    sequence: int
    hash: bytes


class Record(NamedTuple):
    """One verified record. body: JSON bytes. position: just after it."""

    sequence: int
    kind: str
    body: bytes
    hash: bytes
    position: Position


def record_hash(previous: bytes, named: bytes, body: bytes) -> bytes:
    """named: "<sequence> <kind> ", as the line has it."""
    return hashlib.sha256(b"".join((previous, named, body))).digest()


def segments(directory: Path) -> list[int]:
    """The first sequences of the segments present, in order."""
    return sorted(int(path.stem) for path in directory.glob(f"*{SUFFIX}") if path.stem.isdecimal())


def segment_path(directory: Path, first: int) -> Path:
    return directory / f"{first:016d}{SUFFIX}"


def walk(directory: Path, after: Position = START, *, head: Head | None = None) -> Iterator[Record]:
    """Verified records after a position, in order, up to the last whole one; works beside a live writer.

    head: a record known to exist. Raises ChainBroken at the first bad record, or when the head is missing or differs.
    """
    reached = after.sequence
    for record in _records(directory, after):
        if head is not None and record.sequence == head.sequence and record.hash != head.hash:
            raise _broken("it is not the record that the known head names", record.position, record.sequence)
        reached = record.sequence
        yield record
    if head is not None and reached < head.sequence:
        end = Position(reached + 1, 0, reached, NOTHING)
        raise _broken(f"the trail ends before its known head, record {head.sequence}", end, reached + 1)


def _records(directory: Path, position: Position) -> Iterator[Record]:
    while True:
        present = segments(directory)
        if not present and position == START:
            return
        if position.segment not in present:
            raise _broken("its segment is missing", position, position.sequence + 1)
        # Asked before the reading: a segment has its last record before the next one exists.
        followed = present[-1] > position.segment
        with segment_path(directory, position.segment).open("rb") as file:
            file.seek(position.offset)
            rest = b""
            while chunk := file.read(READ_BYTES):
                lines = (rest + chunk).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    record = _parse(line, position)
                    position = record.position
                    yield record
                if rest[:1] == b"\0":
                    break
        if not followed:
            return
        if rest:
            raise _broken("its segment ends in the middle of it", position, position.sequence + 1)
        position = Position(position.sequence + 1, 0, position.sequence, position.hash)


def _parse(line: bytes, before: Position) -> Record:
    sequence = before.sequence + 1
    match = _LINE.fullmatch(line)
    if match is None:
        raise _broken("it does not have the form of a record", before, sequence)
    stated, kind, body = int(match[1]), match[2].decode(), match[4]
    if stated != sequence:
        raise _broken(f"it says that it is record {stated}", before, sequence)
    if (before.offset == 0) != (kind == "segment"):
        raise _broken("a segment starts with its 'segment' record and has one", before, sequence)
    computed = record_hash(before.hash, line[: match.start(3)], body)
    if match[3] != computed.hex().encode():
        raise _broken("its hash does not fit its content and the record before it", before, sequence)
    after = Position(before.segment, before.offset + len(line) + 1, sequence, computed)
    return Record(sequence, kind, body, computed, after)


def _broken(reason: str, at: Position, sequence: int) -> ChainBroken:
    name = segment_path(Path(), at.segment).name
    return ChainBroken(reason, segment=name, offset=at.offset, sequence=sequence)


class ChainWriter:
    """The one writer of a directory's chain. Not thread-safe. After any error it is dead: the process ends.

    `append` buffers; `commit` writes what was buffered in one write and one fdatasync, and only then is it durable.
    """

    def __init__(
        self,
        directory: Path,
        chain: str,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        ahead: int = AHEAD_BYTES,
        recall: Callable[[Record], None] = lambda _: None,
        born: str = "",
    ) -> None:
        """Open or begin the chain, cutting off a torn tail (recorded as "recovered", with how much).

        born: goes into the first record of a new chain, so that two hosts' chains of one deployment differ.
        recall: gets the records of the last two segments, which are verified on the way.
        Raises ChainBroken when the last segment is damaged in any way that a crash does not explain, ChainError
        when the directory belongs to another chain or to a living writer.
        """
        self._directory = directory
        self._chain = chain
        self._born = born
        self._segment_bytes = segment_bytes
        self._ahead = ahead
        self._recall = recall
        self._buffer: list[bytes] = []
        self._file = -1
        self._reserved = 0
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self._at = START
        try:
            present = segments(directory)
            if present:
                self._recover(present)
            else:
                self._begin_segment()
        except OSError as error:
            raise ChainError(f"the trail cannot be opened: {error}") from error

    @property
    def head(self) -> Head:
        """The last record appended (durable once committed)."""
        return Head(self._at.sequence, self._at.hash)

    def append(self, kind: str, body: bytes) -> int:
        """Add a record (a JSON object as bytes, without a newline) to the batch; its sequence."""
        if b"\n" in body:
            raise ChainError("the body of a record is one line")
        at = self._at
        sequence = at.sequence + 1
        named = b"%d %b " % (sequence, kind.encode())
        computed = record_hash(at.hash, named, body)
        line = b"%b%b %b\n" % (named, computed.hex().encode(), body)
        self._buffer.append(line)
        self._at = Position(at.segment, at.offset + len(line), sequence, computed)
        return sequence

    def commit(self) -> None:
        """Make everything appended durable. Any error is final: ChainError, and nothing of the batch counts."""
        if not self._buffer:
            return
        batch = b"".join(self._buffer)
        self._buffer.clear()
        start = self._at.offset - len(batch)
        try:
            if self._at.offset > self._reserved:
                self._reserve()
            if os.pwrite(self._file, batch, start) != len(batch):
                raise ChainError("the trail took only a part of a batch: the disk is full")
            os.fdatasync(self._file)
            if self._at.offset >= self._segment_bytes and self._at.sequence > self._at.segment:
                self._begin_segment()
        except OSError as error:
            raise ChainError(f"the trail cannot be written: {error}") from error

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        os.close(self._lock)

    def _take_lock(self) -> int:
        lock = os.open(self._directory / "writer.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        until = time.monotonic() + LOCK_WAIT
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(lock)
                    raise ChainError("another process writes this trail") from None
                time.sleep(0.02)
            else:
                return lock

    def _begin_segment(self) -> None:
        """Close the segment at its true size, then make the next one durable with its first record."""
        if self._file >= 0:
            os.ftruncate(self._file, self._at.offset)
            os.fsync(self._file)
            os.close(self._file)
        first = self._at.sequence + 1
        path = segment_path(self._directory, first)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        os.ftruncate(self._file, 0)
        self._reserved = 0
        self._at = Position(first, 0, first - 1, self._at.hash)
        about = {"chain": self._chain, "format": 1} | (
            {"born": self._born} if first == 0 and self._born else {}
        )
        self.append("segment", json.dumps(about).encode())
        self.commit()
        directory = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _reserve(self) -> None:
        """Write zeros ahead, so that the fdatasyncs that follow store data only."""
        size = self._at.offset + self._ahead - self._reserved
        if os.pwrite(self._file, bytes(size), self._reserved) != size:
            raise ChainError("no room to write the trail ahead: the disk is full")
        os.fsync(self._file)
        self._reserved += size

    def _recover(self, present: list[int]) -> None:
        """Stand after the last good record; cut what a crash tore, refuse what a crash cannot have done."""
        first = present[-2:][0]
        before = self._last_hash(present[-3]) if len(present) > 2 else NOTHING
        position = Position(first, 0, first - 1, before)
        try:
            for record in _records(self._directory, position):
                position = record.position
                if record.kind == "segment" and json.loads(record.body).get("chain") != self._chain:
                    raise ChainError("this trail belongs to another deployment")
                self._recall(record)
        except ChainBroken as broken:
            position = self._torn(broken, position)
        if position.segment != present[-1]:  # the next segment was made, and its first record torn away
            position = Position(present[-1], 0, position.sequence, position.hash)
        self._file = os.open(segment_path(self._directory, position.segment), os.O_RDWR | os.O_CLOEXEC)
        os.lseek(self._file, position.offset, os.SEEK_SET)
        rest = os.read(self._file, self._segment_bytes).rstrip(b"\0")
        os.ftruncate(self._file, position.offset)
        os.fsync(self._file)
        self._reserved = position.offset
        self._at = position
        if position.offset == 0:
            os.close(self._file)
            self._file = -1
            self._begin_segment()
        if rest:
            self.append("recovered", json.dumps({"torn_bytes": len(rest)}).encode())
            self.commit()

    def _torn(self, broken: ChainBroken, position: Position) -> Position:
        """After a crash, blocks of the last batch may be missing (zeros); nothing else damages whole lines."""
        with segment_path(self._directory, position.segment).open("rb") as file:
            file.seek(position.offset)
            rest = file.read().rstrip(b"\0")
        if b"\0" in rest:
            return position
        raise broken

    def _last_hash(self, first: int) -> bytes:
        path = segment_path(self._directory, first)
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 2 * READ_BYTES))
            lines = file.read().rstrip(b"\0").split(b"\n")
        match = _LINE.fullmatch(lines[-2]) if len(lines) > 1 else None
        if match is None:
            end = Position(first, path.stat().st_size, first, NOTHING)
            raise _broken("the last record of a full segment is damaged", end, first)
        return bytes.fromhex(match[3].decode())
