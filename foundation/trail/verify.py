"""Walks the whole chain, for `keystead trail verify`: says what there is, or names the first bad record."""

from dataclasses import dataclass
from pathlib import Path

from foundation.trail import chain

__all__ = ["TrailBroken", "Verdict", "verify_trail"]


class TrailBroken(Exception):
    """The trail is not what was written. `line` counts from 1 within `segment`; `record` is its sequence."""

    def __init__(self, *, segment: str, line: int, record: int, reason: str) -> None:
        super().__init__(f"{segment}, line {line} (record {record}): {reason}")
        self.segment = segment
        self.line = line
        self.record = record
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """A chain that holds: how many records, by kind, in how many segments, and its last record's hash (hex)."""

    records: int
    kinds: dict[str, int]
    segments: int
    head_sequence: int
    head_hash: str


def verify_trail(directory: Path, *, head: chain.Head | None = None) -> Verdict:
    """Walk all segments. `head` is a record known to have been written: a cut tail is found only by one.

    Raises TrailBroken at the first record that is changed, missing, moved or added. Works beside a live core.
    """
    kinds: dict[str, int] = {}
    sequence, last = -1, chain.NOTHING
    try:
        for record in chain.walk(directory, head=head):
            kinds[record.kind] = kinds.get(record.kind, 0) + 1
            sequence, last = record.sequence, record.hash
    except chain.ChainBroken as broken:
        first = int(Path(broken.segment).stem)
        raise TrailBroken(
            segment=broken.segment,
            line=broken.sequence - first + 1,
            record=broken.sequence,
            reason=broken.reason,
        ) from broken
    return Verdict(
        records=sequence + 1,
        kinds=kinds,
        segments=len(chain.segments(directory)),
        head_sequence=sequence,
        head_hash=last.hex(),
    )
