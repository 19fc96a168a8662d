"""Verification names the first bad record, whatever was done to the files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from foundation.trail import Recorder, TrailBroken, chain, verify_trail
from tests.support.identity import administrator
from tests.support.trail import OpenLedger

Tamper = Callable[[list[bytes]], list[bytes]]


def edited(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[5].replace(b"192.0.2.7", b"192.0.2.8"), *lines[6:]]


def deleted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], *lines[6:]]


def inserted(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[4], *lines[5:]]


def swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], lines[6], lines[5], *lines[7:]]


def rehashed(lines: list[bytes]) -> list[bytes]:
    """An edited record with a hash that fits it: the next one then does not."""
    _, kind, _, body = lines[5].split(b" ", 3)
    body = body.replace(b"192.0.2.7", b"192.0.2.8")
    before = bytes.fromhex(lines[4].split(b" ")[2].decode())
    fresh = chain.record_hash(before, b"5 %b " % kind, body).hex().encode()
    return [*lines[:5], b"5 " + kind + b" " + fresh + b" " + body, *lines[6:]]


def garbled(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], b"\xff" + lines[5], *lines[6:]]


@pytest.fixture
def trail(recorder: Recorder, ledger: OpenLedger, directory: Path) -> Path:
    """Ten events after the segment's own record."""
    for number in range(10):
        recorder.record(recorder.draft_plain(administrator(), "ListCertificates", {"n": number}).payload)
    return directory


def test_a_whole_trail_is_counted(trail: Path, ledger: OpenLedger) -> None:
    verdict = verify_trail(trail)
    assert (verdict.records, verdict.kinds, verdict.segments) == (11, {"segment": 1, "event": 10}, 1)
    assert (verdict.head_sequence, verdict.head_hash) == (10, ledger.writer.head.hash.hex())


def test_an_empty_directory_holds_no_records(tmp_path: Path) -> None:
    assert verify_trail(tmp_path).records == 0


@pytest.mark.parametrize(
    ("tamper", "record"),
    [(edited, 5), (deleted, 5), (inserted, 5), (swapped, 5), (rehashed, 6), (garbled, 5)],
)
def test_the_first_bad_record_is_named(trail: Path, tamper: Tamper, record: int) -> None:
    path = chain.segment_path(trail, 0)
    path.write_bytes(b"\n".join(tamper(path.read_bytes().split(b"\n"))))
    with pytest.raises(TrailBroken) as broken:
        verify_trail(trail)
    assert (broken.value.segment, broken.value.line, broken.value.record) == (path.name, record + 1, record)
    assert f"{path.name}, line {record + 1} (record {record}): " in str(broken.value)


def test_a_cut_tail_is_found_by_a_known_head(trail: Path, ledger: OpenLedger) -> None:
    path = chain.segment_path(trail, 0)
    lines = path.read_bytes().rstrip(b"\0").split(b"\n")
    path.write_bytes(b"\n".join(lines[:8]) + b"\n")
    assert verify_trail(trail).records == 8
    with pytest.raises(TrailBroken) as broken:
        verify_trail(trail, head=ledger.writer.head)
    assert broken.value.record == 8


def test_a_line_is_counted_within_its_segment(recorder: Recorder, directory: Path) -> None:
    for number in range(300):
        recorder.record(recorder.draft_plain(administrator(), "ListCertificates", {"n": number}).payload)
    second = chain.segments(directory)[1]
    path = chain.segment_path(directory, second)
    path.write_bytes(path.read_bytes().replace(b"192.0.2.7", b"192.0.2.8", 1))
    with pytest.raises(TrailBroken) as broken:
        verify_trail(directory)
    assert (broken.value.segment, broken.value.line, broken.value.record) == (path.name, 2, second + 1)


def test_a_missing_segment_is_named(recorder: Recorder, directory: Path) -> None:
    for number in range(500):
        recorder.record(recorder.draft_plain(administrator(), "ListCertificates", {"n": number}).payload)
    first, second, *_ = chain.segments(directory)
    assert first == 0
    chain.segment_path(directory, second).unlink()
    with pytest.raises(TrailBroken) as broken:
        verify_trail(directory)
    assert (broken.value.record, broken.value.line) == (second, 1)
