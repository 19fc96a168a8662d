"""A cut end of the trail is found by the head that the database keeps."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import Session, select

from foundation.store import SYSTEM, Store
from foundation.trail import HeadAltered, Heads, TrailBroken, chain, verify_trail
from foundation.trail.tables import TrailHead


class Keyed:
    """A MAC of one key."""

    def mac(self, purpose: str, data: bytes) -> bytes:
        return hashlib.blake2b(data, key=purpose.encode(), digest_size=32).digest()


@dataclass
class Trail:
    """A chain that a test writes and cuts."""

    directory: Path

    def write(self, count: int) -> None:
        writer = chain.ChainWriter(self.directory, "deployment", ahead=4096, born=self.directory.name)
        for number in range(count):
            writer.append("event", b'{"eventID":"%d"}' % number)
        writer.commit()
        writer.close()

    def reached(self) -> chain.Position:
        position = chain.START
        for record in chain.walk(self.directory):
            position = record.position
        return position

    def cut(self) -> None:
        """Remove the last record, as somebody who can write the file would."""
        path = chain.segment_path(self.directory, chain.segments(self.directory)[-1])
        lines = path.read_bytes().rstrip(b"\0").splitlines(keepends=True)
        path.write_bytes(b"".join(lines[:-1]))


@pytest.fixture
def trail(tmp_path: Path) -> Trail:
    return Trail(tmp_path / "trail")


def kept(store: Store, trail: Trail) -> Heads:
    """Heads that have looked twice: what the first look saw is written down."""
    heads = Heads(store, Keyed(), trail.directory, trail.reached)
    heads.keep()
    heads.keep()
    return heads


def test_a_cut_end_is_found_by_the_head_in_the_database(any_store: Store, trail: Trail) -> None:
    trail.write(5)
    heads = kept(any_store, trail)
    assert verify_trail(trail.directory, head=heads.known()).records == 6
    trail.cut()
    with pytest.raises(TrailBroken, match="ends before its known head, record 5"):
        verify_trail(trail.directory, head=heads.known())


def test_what_was_only_just_seen_is_not_yet_held_to(store: Store, trail: Trail) -> None:
    """A record that was read before its fdatasync may still be lost with the power."""
    trail.write(2)
    heads = Heads(store, Keyed(), trail.directory, trail.reached)
    heads.keep()
    assert heads.known() is None


def test_a_head_only_moves_forward(store: Store, trail: Trail) -> None:
    trail.write(2)
    kept(store, trail)
    trail.write(2)
    later = kept(store, trail).known()
    assert later is not None
    assert later.sequence == 4
    old = Heads(store, Keyed(), trail.directory, lambda: chain.Position(0, 0, 1, b"old"))
    old.keep()
    old.keep()
    assert old.known() == later


def test_a_head_that_the_database_was_made_to_say_is_refused(store: Store, trail: Trail) -> None:
    trail.write(3)
    heads = kept(store, trail)

    def alter(session: Session) -> None:
        row = session.exec(select(TrailHead)).one()
        row.sequence = 1
        session.add(row)

    store.unit(SYSTEM).write(alter)
    with pytest.raises(HeadAltered):
        heads.known()


def test_two_hosts_have_a_head_each(store: Store, tmp_path: Path) -> None:
    here, there = Trail(tmp_path / "here"), Trail(tmp_path / "there")
    here.write(3)
    there.write(7)
    first, second = kept(store, here), kept(store, there)
    assert (first.known(), second.known()) != (None, None)
    assert first.known() != second.known()
    assert first.others() == 1


def test_an_empty_trail_has_no_head(store: Store, trail: Trail) -> None:
    heads = Heads(store, Keyed(), trail.directory, lambda: chain.START)
    heads.keep()
    assert heads.known() is None
    assert heads.others() == 0
