"""The trail's chain: what is written is found again, and whatever is changed afterwards is found out."""

import atexit
import functools
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.trail.chain import (
    START,
    ChainBroken,
    ChainError,
    ChainWriter,
    Head,
    segment_path,
    segments,
    walk,
)

SEGMENT = 2_000
AHEAD = 4_096


def open_chain(directory: Path, chain: str = "deployment", segment_bytes: int = SEGMENT) -> ChainWriter:
    return ChainWriter(directory, chain, segment_bytes=segment_bytes, ahead=AHEAD)


@functools.cache
def original(records: int) -> tuple[Path, Head]:
    """Made once a session: each of its commits waits for the disk."""
    directory = Path(tempfile.mkdtemp(prefix="keystead-chain-"))
    atexit.register(shutil.rmtree, directory)
    return directory, write(directory, records)


def filled(directory: Path, records: int = 60) -> Head:
    """A closed chain, over several segments where it has 60 records, each committed alone."""
    source, head = original(records)
    shutil.copytree(source, directory, dirs_exist_ok=True)
    return head


def write(directory: Path, records: int) -> Head:
    writer = open_chain(directory)
    for number in range(records):
        writer.append("use", b'{"number":%d,"padding":"%s"}' % (number, b"x" * 40))
        writer.commit()
    head = writer.head
    writer.close()
    return head


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().rstrip(b"\0").splitlines(keepends=True)


def bodies(directory: Path, kind: str = "use") -> list[bytes]:
    return [record.body for record in walk(directory) if record.kind == kind]


def test_a_walk_gives_back_what_was_appended_in_order_over_all_segments(tmp_path: Path) -> None:
    head = filled(tmp_path)
    assert len(segments(tmp_path)) > 3
    assert [b'"number":%d,' % n in body for n, body in enumerate(bodies(tmp_path))] == [True] * 60
    assert [record.sequence for record in walk(tmp_path, head=head)] == list(range(head.sequence + 1))


def test_each_segment_begins_with_a_record_that_names_the_chain(tmp_path: Path) -> None:
    filled(tmp_path)
    starts = [record for record in walk(tmp_path) if record.kind == "segment"]
    assert [record.sequence for record in starts] == segments(tmp_path)
    assert all(b'"chain": "deployment"' in record.body for record in starts)


def test_an_empty_directory_has_an_empty_trail(tmp_path: Path) -> None:
    assert list(walk(tmp_path)) == []


def test_a_reader_goes_on_where_it_stopped_while_the_writer_lives(tmp_path: Path) -> None:
    writer = open_chain(tmp_path)
    seen, position = [], START
    for number in range(40):
        writer.append("event", b'{"n":%d,"padding":"%s"}' % (number, b"y" * 90))
        writer.commit()
        for record in walk(tmp_path, position):
            seen.append(record.sequence)
            position = record.position
    writer.close()
    assert seen == list(range(len(seen)))
    assert len(segments(tmp_path)) > 1


def test_nothing_appended_is_readable_before_its_commit(tmp_path: Path) -> None:
    writer = open_chain(tmp_path)
    writer.append("use", b"{}")
    assert bodies(tmp_path) == []
    writer.commit()
    assert bodies(tmp_path) == [b"{}"]
    writer.close()


def test_a_reopened_chain_goes_on_from_its_head(tmp_path: Path) -> None:
    head = filled(tmp_path, 10)
    writer = open_chain(tmp_path)
    assert writer.head == head
    assert writer.append("use", b"{}") == head.sequence + 1
    writer.commit()
    writer.close()
    assert len(bodies(tmp_path)) == 11


def test_a_reopened_chain_recalls_the_records_of_its_last_two_segments(tmp_path: Path) -> None:
    head = filled(tmp_path)
    recalled: list[int] = []
    ChainWriter(
        tmp_path, "deployment", ahead=AHEAD, recall=lambda record: recalled.append(record.sequence)
    ).close()
    assert recalled == list(range(segments(tmp_path)[-2], head.sequence + 1))


def test_a_body_with_a_newline_is_refused(tmp_path: Path) -> None:
    writer = open_chain(tmp_path)
    with pytest.raises(ChainError, match="one line"):
        writer.append("use", b'{"a":\n1}')
    writer.close()


def test_a_second_writer_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foundation.trail.chain.LOCK_WAIT", 0.05)
    writer = open_chain(tmp_path)
    with pytest.raises(ChainError, match="another process"):
        open_chain(tmp_path)
    writer.close()


def test_a_trail_of_another_deployment_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    before = segment_path(tmp_path, 0).read_bytes()
    with pytest.raises(ChainError, match="another deployment"):
        open_chain(tmp_path, "other")
    assert segment_path(tmp_path, 0).read_bytes() == before


# Crashes: what a killed writer or a power cut may leave behind.


def test_a_record_cut_in_the_middle_is_dropped_and_its_loss_recorded(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    last = segment_path(tmp_path, segments(tmp_path)[-1])
    whole = last.read_bytes().rstrip(b"\0")
    last.write_bytes(whole[:-7])
    open_chain(tmp_path).close()
    assert len(bodies(tmp_path)) == 4
    assert bodies(tmp_path, "recovered") == [b'{"torn_bytes": %d}' % (len(lines_of(whole)[-1]) - 7)]


def lines_of(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def test_blocks_that_were_never_written_are_a_torn_tail_too(tmp_path: Path) -> None:
    filled(tmp_path, 5)
    last = segment_path(tmp_path, segments(tmp_path)[-1])
    all_lines = lines(last)
    hole = bytes(len(all_lines[-2]))
    last.write_bytes(b"".join(all_lines[:-2]) + hole + all_lines[-1])
    open_chain(tmp_path).close()
    assert len(bodies(tmp_path)) == 3
    assert len(bodies(tmp_path, "recovered")) == 1


def test_zeros_written_ahead_are_no_damage(tmp_path: Path) -> None:
    head = filled(tmp_path, 5)
    last = segment_path(tmp_path, segments(tmp_path)[-1])
    assert last.read_bytes().endswith(b"\0")
    assert list(walk(tmp_path, head=head))[-1].sequence == head.sequence
    open_chain(tmp_path).close()
    assert bodies(tmp_path, "recovered") == []


@pytest.mark.parametrize("left", ["nothing", "zeros", "half a record"])
def test_a_segment_whose_first_record_was_lost_is_begun_again(tmp_path: Path, left: str) -> None:
    filled(tmp_path)
    last = segment_path(tmp_path, segments(tmp_path)[-1])
    content = last.read_bytes()
    last.write_bytes({"nothing": b"", "zeros": bytes(512), "half a record": content[:20]}[left])
    open_chain(tmp_path).close()
    records = list(walk(tmp_path))
    starts = [record for record in records if record.kind == "segment"]
    assert starts[-1].sequence == int(last.stem)
    assert bodies(tmp_path, "recovered") == ([b'{"torn_bytes": 20}'] if left == "half a record" else [])


def test_a_disk_that_takes_no_more_ends_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_chain(tmp_path)
    writer.append("use", b"{}")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ChainError, match="cannot be written"):
        writer.commit()
    monkeypatch.undo()
    writer.close()
    assert bodies(tmp_path) == []


def test_a_write_that_takes_only_a_part_ends_the_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = open_chain(tmp_path)
    writer.append("use", b"{}")
    monkeypatch.setattr(os, "pwrite", lambda *_: 1)
    with pytest.raises(ChainError, match="disk is full"):
        writer.commit()
    monkeypatch.undo()
    writer.close()


def test_a_failed_fdatasync_ends_the_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = open_chain(tmp_path)
    writer.append("use", b"{}")

    def broken(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(ChainError, match="Input/output"):
        writer.commit()
    monkeypatch.undo()
    writer.close()


# Tampering: each kind of change names the first record that is not what was written.


def edit(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], all_lines[3].replace(b"x", b"z", 1), *all_lines[4:]]


def delete(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], *all_lines[4:]]


def insert(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], all_lines[2], *all_lines[3:]]


def reorder(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], all_lines[4], all_lines[3], *all_lines[5:]]


def renumber(all_lines: list[bytes]) -> list[bytes]:
    number, rest = all_lines[3].split(b" ", 1)
    return [*all_lines[:3], b"0" + number + b" " + rest, *all_lines[4:]]


def forge_hash(all_lines: list[bytes]) -> list[bytes]:
    number, kind, digest, body = all_lines[3].split(b" ", 3)
    return [*all_lines[:3], b" ".join((number, kind, digest[::-1], body)), *all_lines[4:]]


def change_kind(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], all_lines[3].replace(b" use ", b" event ", 1), *all_lines[4:]]


def blank(all_lines: list[bytes]) -> list[bytes]:
    return [*all_lines[:3], b"\n", *all_lines[3:]]


TAMPERINGS = [edit, delete, insert, reorder, renumber, forge_hash, change_kind, blank]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("which", ["first", "middle", "last"])
def test_a_changed_record_is_found_and_named(
    tmp_path: Path, tamper: Callable[[list[bytes]], list[bytes]], which: str
) -> None:
    filled(tmp_path)
    names = segments(tmp_path)
    first = {"first": names[0], "middle": names[len(names) // 2], "last": names[-1]}[which]
    path = segment_path(tmp_path, first)
    path.write_bytes(b"".join(tamper(lines(path))))
    with pytest.raises(ChainBroken) as found:
        list(walk(tmp_path))
    assert found.value.sequence == first + 3
    assert found.value.segment == path.name


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda f: f.__name__)
def test_a_core_does_not_start_on_a_tampered_last_segment_nor_changes_it(
    tmp_path: Path, tamper: Callable[[list[bytes]], list[bytes]]
) -> None:
    filled(tmp_path)
    path = segment_path(tmp_path, segments(tmp_path)[-1])
    path.write_bytes(b"".join(tamper(lines(path))))
    before = path.read_bytes()
    with pytest.raises(ChainBroken):
        open_chain(tmp_path)
    assert path.read_bytes() == before


def test_a_cut_tail_is_found_by_who_knows_the_head(tmp_path: Path) -> None:
    head = filled(tmp_path)
    last = segment_path(tmp_path, segments(tmp_path)[-1])
    last.write_bytes(b"".join(lines(last)[:-1]))
    list(walk(tmp_path))  # nobody else can tell
    with pytest.raises(ChainBroken, match="ends before its known head") as found:
        list(walk(tmp_path, head=head))
    assert found.value.sequence == head.sequence


def test_a_chain_rewritten_from_a_record_on_is_found_by_who_knows_the_head(tmp_path: Path) -> None:
    head = filled(tmp_path / "one")
    other = open_chain(tmp_path / "two")
    while other.head.sequence < head.sequence + 5:
        other.append("use", b'{"forged":true,"padding":"%s"}' % (b"x" * 40))
        other.commit()
    other.close()
    list(walk(tmp_path / "two"))
    with pytest.raises(ChainBroken, match="not the record that the known head names"):
        list(walk(tmp_path / "two", head=head))


@pytest.mark.parametrize("which", [0, 2])
def test_a_missing_segment_is_found(tmp_path: Path, which: int) -> None:
    filled(tmp_path)
    gone = segments(tmp_path)[which]
    segment_path(tmp_path, gone).unlink()
    with pytest.raises(ChainBroken, match="missing") as found:
        list(walk(tmp_path))
    assert found.value.sequence == gone


def test_a_full_segment_that_was_cut_is_found(tmp_path: Path) -> None:
    filled(tmp_path)
    first = segment_path(tmp_path, 0)
    first.write_bytes(first.read_bytes()[:-3])
    with pytest.raises(ChainBroken, match="ends in the middle"):
        list(walk(tmp_path))


def test_a_writer_refuses_a_damaged_end_of_the_segment_before_its_last_two(tmp_path: Path) -> None:
    filled(tmp_path)
    path = segment_path(tmp_path, segments(tmp_path)[-3])
    path.write_bytes(path.read_bytes()[:-40] + b"\n")
    with pytest.raises(ChainBroken, match="damaged"):
        open_chain(tmp_path)
