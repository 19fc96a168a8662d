"""Lookups as callers see them: chains, addresses, time, ids, and the system's resolvers."""

from pathlib import Path

import dns.exception
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.dns import (
    Behaviour,
    FakeClock,
    MemoryWires,
    Reply,
    counting_entropy,
    holding,
    honest,
    silent,
    slow,
)
from validation import Answer, BadName, Dns, DnsFailed, Kind, system_resolvers
from validation.exchange import Question

SERVER = ("192.0.2.1", 53)


def _dns(*behaviours: Behaviour) -> tuple[Dns, MemoryWires]:
    clock = FakeClock()
    servers = {(f"192.0.2.{i}", 53): behaviour for i, behaviour in enumerate(behaviours, 1)}
    wires = MemoryWires(servers, clock)
    return Dns(list(servers), wires, counting_entropy(), monotonic=clock), wires


def test_a_chain_is_followed_to_its_records() -> None:
    dns, _ = _dns(honest("a CNAME b", "b CNAME c", "c A 192.0.2.7", "c A 192.0.2.3"))
    assert dns.lookup("A.example.test.", "A") == Answer(
        "a.example.test", "A", ("192.0.2.3", "192.0.2.7"), ("b.example.test", "c.example.test")
    )


def test_a_chain_that_a_server_tells_in_parts_is_followed_by_asking_again() -> None:
    def part(wire: bytes, udp: bool) -> object:
        first = b"\x01a" in wire.lower()
        return (
            holding("a.example.test CNAME b.example.test.")
            if first
            else holding("b.example.test A 192.0.2.7")
        )(wire, udp)

    dns, wires = _dns(part)  # type: ignore[arg-type]  # an iterable either way
    assert dns.lookup("a.example.test", "A").records == ("192.0.2.7",)
    assert [name for _, name, _ in wires.asked] == ["a.example.test", "b.example.test"]


def test_absence_says_of_which_sort_it_is() -> None:
    dns, _ = _dns(honest("a TXT x", "deep.down TXT x", "gone CNAME nowhere"))
    assert dns.lookup("a.example.test", "A").absent is Kind.NO_DATA
    assert dns.lookup("down.example.test", "A").absent is Kind.NO_DATA
    assert dns.lookup("b.example.test", "A").absent is Kind.NXDOMAIN
    assert dns.lookup("gone.example.test", "A").absent is Kind.NXDOMAIN
    assert dns.cname("a.example.test") is None


def test_a_cname_is_read_and_not_followed() -> None:
    dns, wires = _dns(honest("a CNAME _X.ACM-validations.aws."))
    assert dns.cname("a.example.test") == "_x.acm-validations.aws"
    assert len(wires.asked) == 1


def test_addresses_are_of_both_kinds() -> None:
    dns, _ = _dns(honest("a A 192.0.2.7", "a AAAA 2001:db8::7"))
    assert dns.addresses("a.example.test") == ("2001:db8::7", "192.0.2.7")
    assert dns.addresses("b.example.test") == ()


def test_resolvers_agree_when_only_order_and_ttl_differ() -> None:
    dns, _ = _dns(honest("a 60 A 192.0.2.7", "a A 192.0.2.3"), honest("a 5 A 192.0.2.3", "a 5 A 192.0.2.7"))
    assert dns.lookup("a.example.test", "A").records == ("192.0.2.3", "192.0.2.7")


def test_a_disagreement_says_who_said_what() -> None:
    dns, _ = _dns(honest("a A 192.0.2.7"), honest("a A 192.0.2.8"))
    with pytest.raises(
        DnsFailed, match=r"192\.0\.2\.1:53 says 192\.0\.2\.7; 192\.0\.2\.2:53 says 192\.0\.2\.8"
    ):
        dns.lookup("a.example.test", "A")


def test_a_lookup_ends_after_20_seconds_however_many_questions_it_takes() -> None:
    def one_link(wire: bytes, udp: bool) -> list[Reply]:
        number = int(wire[14:15])
        return list(holding(f"c{number}.example.test CNAME c{number + 1}.example.test.")(wire, udp))

    dns, wires = _dns(slow(one_link, 3.0))
    begin = wires.clock.now
    with pytest.raises(DnsFailed) as caught:
        dns.lookup("c0.example.test", "A")
    assert caught.value.kind in {Kind.TIMEOUT, Kind.OUT_OF_TIME}
    assert wires.clock.now - begin == pytest.approx(20.0)


def test_a_silent_server_is_asked_three_times_in_5_seconds() -> None:
    dns, wires = _dns(silent)
    begin = wires.clock.now
    with pytest.raises(
        DnsFailed, match=r"resolver 192\.0\.2\.1:53 did not answer A a\.example\.test within 5 s"
    ):
        dns.lookup("a.example.test", "A")
    assert len(wires.asked) == 3
    assert wires.clock.now - begin == pytest.approx(5.0)


def test_a_lookup_without_resolvers_says_what_to_do() -> None:
    dns, _ = _dns()
    with pytest.raises(DnsFailed, match="--resolver"):
        dns.lookup("a.example.test", "A")


def test_a_bad_name_is_not_asked_for() -> None:
    dns, wires = _dns(silent)
    with pytest.raises(BadName):
        dns.lookup("a..test", "A")
    assert not wires.asked


def test_each_question_has_its_own_id_and_case() -> None:
    seen: list[bytes] = []

    def watching(wire: bytes, udp: bool) -> list[Reply]:
        seen.append(wire)
        return list(honest("abcdefghijklmnop A 192.0.2.7")(wire, udp))

    dns, _ = _dns(watching)
    for _ in range(8):
        dns.lookup("abcdefghijklmnop.example.test", "A")
    assert len({wire[:2] for wire in seen}) == 8
    assert len({wire[12:29] for wire in seen}) > 1
    assert len({wire[12:29].lower() for wire in seen}) == 1


@given(st.binary(max_size=120))
def test_no_octets_break_the_reading_of_answers(tail: bytes) -> None:
    question = Question("a.example.test", "CNAME", counting_entropy())
    try:
        read = question.read(question.wire[:2] + tail)
    except dns.exception.DNSException:
        read = None
    assert read is None or read.id == question.id


@given(st.data())
def test_no_damage_to_a_real_answer_breaks_the_reading(data: st.DataObject) -> None:
    question = Question("_p.example.test", "CNAME", counting_entropy())
    whole = bytearray(next(iter(honest("_p CNAME q.w.e")(question.wire, True))).wire)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(2, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = question.read(bytes(whole))
    except dns.exception.DNSException:
        read = None
    assert read is None or read.id == question.id


def test_the_systems_first_resolver_is_used(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text(
        "# a comment\nsearch example.test\nnameserver not-an-address\nnameserver 192.0.2.1 # here\nnameserver ::1\n"
    )
    assert system_resolvers(conf) == (("192.0.2.1", 53),)


@pytest.mark.parametrize("text", [None, "", "search example.test\n"])
def test_a_system_without_resolvers_says_what_to_do(tmp_path: Path, text: str | None) -> None:
    conf = tmp_path / "resolv.conf"
    if text is not None:
        conf.write_text(text)
    with pytest.raises(DnsFailed, match="--resolver") as caught:
        system_resolvers(conf)
    assert caught.value.kind is Kind.NO_RESOLVER
