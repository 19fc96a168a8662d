"""The test DNS server: what it answers, and how zones change (in memory; sockets are in tests/e2e)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.update
import pytest

from validation import TsigKey
from validation.testdns import BadZone, ZoneSpec
from validation.testdns.responder import Responder
from validation.testdns.zones import Zones

RECORDS = (
    "www A 192.0.2.1",
    "www AAAA 2001:db8::1",
    "alias CNAME www",
    "out CNAME www.elsewhere.",
    "to-other CNAME a.other.test.",
    "*.wild TXT hello",
    "under.wild A 192.0.2.2",
    "*.wildalias CNAME www",
    "a.b.c TXT deep",
    "loop1 CNAME loop2",
    "loop2 CNAME loop1",
    "big TXT " + " ".join(f'"{"x" * 250}"' for _ in range(10)),
    '@ CAA 0 issue "ca.test"',
)


def _responder(*keys: TsigKey) -> Responder:
    specs = [ZoneSpec("example.test", records=RECORDS), ZoneSpec("other.test", records=("a A 192.0.2.9",))]
    return Responder(Zones(specs), keys)


def _ask(name: str, rtype: str, *, udp: bool = True, edns: bool = True) -> dns.message.Message:
    query = dns.message.make_query(name, rtype, use_edns=edns)
    wire = _responder().respond(query.to_wire(), "127.0.0.1", udp=udp)
    assert wire is not None
    answer = dns.message.from_wire(wire)
    assert answer.id == query.id
    return answer


ANSWERS: list[tuple[str, str, str, list[str]]] = [
    ("www.example.test", "A", "NOERROR", ["www.example.test. A 192.0.2.1"]),
    ("WWW.Example.Test", "AAAA", "NOERROR", ["WWW.Example.Test. AAAA 2001:db8::1"]),
    ("www.example.test", "TXT", "NOERROR", []),
    ("nope.example.test", "A", "NXDOMAIN", []),
    ("alias.example.test", "CNAME", "NOERROR", ["alias.example.test. CNAME www.example.test."]),
    (
        "alias.example.test",
        "A",
        "NOERROR",
        ["alias.example.test. CNAME www.example.test.", "www.example.test. A 192.0.2.1"],
    ),
    ("out.example.test", "A", "NOERROR", ["out.example.test. CNAME www.elsewhere."]),
    (
        "to-other.example.test",
        "A",
        "NOERROR",
        ["to-other.example.test. CNAME a.other.test.", "a.other.test. A 192.0.2.9"],
    ),
    ("x.wild.example.test", "TXT", "NOERROR", ['x.wild.example.test. TXT "hello"']),
    ("x.y.wild.example.test", "TXT", "NOERROR", ['x.y.wild.example.test. TXT "hello"']),
    ("x.wild.example.test", "A", "NOERROR", []),
    ("wild.example.test", "TXT", "NOERROR", []),
    ("x.under.wild.example.test", "TXT", "NXDOMAIN", []),
    (
        "x.wildalias.example.test",
        "A",
        "NOERROR",
        ["x.wildalias.example.test. CNAME www.example.test.", "www.example.test. A 192.0.2.1"],
    ),
    ("b.c.example.test", "TXT", "NOERROR", []),
    ("c.example.test", "TXT", "NOERROR", []),
    ("example.test", "CAA", "NOERROR", ['example.test. CAA 0 issue "ca.test"']),
    ("example.test", "NS", "NOERROR", ["example.test. NS ns.example.test."]),
    ("test", "CAA", "NOERROR", []),
    ("elsewhere", "A", "REFUSED", []),
    ("example.test", "AXFR", "REFUSED", []),
]


@pytest.mark.parametrize(
    ("name", "rtype", "rcode", "records"), ANSWERS, ids=[f"{r[0]} {r[1]}" for r in ANSWERS]
)
def test_a_query_is_answered_as_rfc_1034_says(name: str, rtype: str, rcode: str, records: list[str]) -> None:
    answer = _ask(name, rtype)
    assert dns.rcode.to_text(answer.rcode()) == rcode
    told = [
        f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {record}"
        for rrset in answer.answer
        for record in rrset
    ]
    assert told == records


def test_an_absent_record_is_denied_with_the_zones_soa() -> None:
    assert _ask("nope.example.test", "A").authority[0].rdtype == dns.rdatatype.SOA
    assert _ask("www.example.test", "TXT").authority[0].rdtype == dns.rdatatype.SOA


def test_a_loop_of_cnames_ends() -> None:
    assert 2 <= len(_ask("loop1.example.test", "A").answer) <= 20


@pytest.mark.parametrize("edns", [True, False])
def test_what_does_not_fit_a_datagram_is_truncated_and_whole_over_tcp(edns: bool) -> None:
    short = _ask("big.example.test", "TXT", edns=edns)
    assert short.flags & dns.flags.TC
    assert not short.answer
    whole = _ask("big.example.test", "TXT", udp=False, edns=edns)
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer) == 1


def test_any_gives_everything_at_the_name() -> None:
    assert len(_ask("www.example.test", "ANY").answer) == 2


@pytest.mark.parametrize(
    "wire",
    [b"", b"\x00" * 11, dns.message.make_response(dns.message.make_query("a.test", "A")).to_wire()],
    ids=["empty", "short", "an answer"],
)
def test_what_is_no_request_gets_silence(wire: bytes) -> None:
    assert _responder().respond(wire, "127.0.0.1", udp=True) is None


def test_rubbish_gets_a_format_error_under_its_own_id() -> None:
    answer = _responder().respond(b"\x12\x34\x01\x00" + b"\xff" * 30, "127.0.0.1", udp=True)
    assert answer is not None
    read = dns.message.from_wire(answer)
    assert (read.id, read.rcode()) == (0x1234, dns.rcode.FORMERR)


def test_what_is_not_served_is_said() -> None:
    notify = dns.message.make_query("example.test", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    later = dns.message.make_query("example.test", "SOA", use_edns=1)
    for query, rcode in ((notify, dns.rcode.NOTIMP), (later, dns.rcode.BADVERS)):
        wire = _responder().respond(query.to_wire(), "127.0.0.1", udp=True)
        assert wire is not None
        assert dns.message.from_wire(wire).rcode() == rcode


def test_a_zone_file_is_read_and_its_own_soa_kept(tmp_path: Path) -> None:
    file = tmp_path / "zone"
    file.write_text("@ 3600 IN SOA ns1 admin 77 1 1 1 1\n@ NS ns1\nns1 A 192.0.2.53\n")
    zones = Zones([ZoneSpec("example.test", file, ("extra A 192.0.2.54",))])
    zone = zones.exact(dns.name.from_text("example.test"))
    assert zone is not None
    assert " 77 " in zone.soa[0].to_text()
    assert zone.node(dns.name.from_text("extra.example.test")) is not None


@pytest.mark.parametrize(
    "records",
    [("www A not-an-address",), ("www",), ("www.elsewhere. A 192.0.2.1", "x CNAME a", "x A 192.0.2.1")],
)
def test_a_zone_that_cannot_be_read_is_named(records: tuple[str, ...]) -> None:
    with pytest.raises(BadZone, match=r"zone example\.test"):
        Zones([ZoneSpec("example.test", records=records)])


def test_a_zone_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadZone, match="No such file"):
        Zones([ZoneSpec("example.test", tmp_path / "none")])


class Server:
    """A responder with one zone, told updates and asked about the result."""

    def __init__(self, *records: str) -> None:
        self.zones = Zones([ZoneSpec("example.test", records=records)])
        self.responder = Responder(self.zones)

    def send(self, update: dns.update.UpdateMessage, peer: str = "127.0.0.1") -> str:
        wire = self.responder.respond(update.to_wire(), peer, udp=False)
        assert wire is not None
        return dns.rcode.to_text(dns.message.from_wire(wire).rcode())

    def texts(self, name: str) -> list[str]:
        zone = self.zones.exact(dns.name.from_text("example.test"))
        assert zone is not None
        node = zone.node(dns.name.from_text(name))
        sets = node.rdatasets if node is not None else []
        return sorted(f"{dns.rdatatype.to_text(each.rdtype)} {record}" for each in sets for record in each)

    @property
    def serial(self) -> int:
        zone = self.zones.exact(dns.name.from_text("example.test"))
        assert zone is not None
        return int(zone.soa[0].to_text().split()[2])


def _update(zone: str = "example.test") -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(zone)


def test_records_are_added_replaced_and_deleted() -> None:
    server = Server("keep A 192.0.2.1")
    update = _update()
    update.add("new", 60, "A", "192.0.2.2")
    update.add("new", 60, "A", "192.0.2.3")
    assert server.send(update) == "NOERROR"
    assert server.texts("new.example.test") == ["A 192.0.2.2", "A 192.0.2.3"]
    update = _update()
    update.delete("new", "A", "192.0.2.2")
    assert server.send(update) == "NOERROR"
    assert server.texts("new.example.test") == ["A 192.0.2.3"]
    update = _update()
    update.replace("new", 60, "TXT", "x")
    update.delete("new", "A")
    assert server.send(update) == "NOERROR"
    assert server.texts("new.example.test") == ['TXT "x"']
    update = _update()
    update.delete("new")
    update.delete("never-there")
    assert server.send(update) == "NOERROR"
    assert server.texts("new.example.test") == []
    assert server.texts("keep.example.test") == ["A 192.0.2.1"]


def test_the_serial_rises_only_when_something_changed() -> None:
    server = Server()
    update = _update()
    update.add("a", 60, "A", "192.0.2.1")
    before = server.serial
    server.send(update)
    assert server.serial == before + 1
    server.send(update)
    assert server.serial == before + 1


def test_a_cname_and_other_records_never_meet() -> None:
    server = Server("a A 192.0.2.1", "c CNAME a")
    update = _update()
    update.add("a", 60, "CNAME", "b.test.")
    update.add("c", 60, "A", "192.0.2.2")
    assert server.send(update) == "NOERROR"
    assert server.texts("a.example.test") == ["A 192.0.2.1"]
    assert server.texts("c.example.test") == ["CNAME a.example.test."]
    update = _update()
    update.add("c", 60, "CNAME", "b.test.")
    server.send(update)
    assert server.texts("c.example.test") == ["CNAME b.test."]


def test_a_zone_keeps_its_soa_and_its_last_ns() -> None:
    server = Server()
    before = server.texts("example.test")
    update = _update()
    update.delete("example.test.")
    update.delete("example.test.", "NS")
    update.delete("example.test.", "NS", "ns.example.test.")
    update.delete("example.test.", "SOA")
    update.add("example.test.", 60, "SOA", "x. y. 99 1 1 1 1")
    assert server.send(update) == "NOERROR"
    assert server.texts("example.test") == before


PREREQUISITES: list[tuple[Callable[[Any], None], str]] = [
    (lambda update: update.present("a"), "NOERROR"),
    (lambda update: update.present("b"), "NXDOMAIN"),
    (lambda update: update.present("a", "A"), "NOERROR"),
    (lambda update: update.present("a", "TXT"), "NXRRSET"),
    (lambda update: update.present("a", "A", "192.0.2.1"), "NOERROR"),
    (lambda update: update.present("a", "A", "192.0.2.9"), "NXRRSET"),
    (lambda update: update.absent("b"), "NOERROR"),
    (lambda update: update.absent("a"), "YXDOMAIN"),
    (lambda update: update.absent("a", "TXT"), "NOERROR"),
    (lambda update: update.absent("a", "A"), "YXRRSET"),
]


@pytest.mark.parametrize(("prerequisite", "rcode"), PREREQUISITES)
def test_a_failed_prerequisite_changes_nothing(prerequisite: Callable[[Any], None], rcode: str) -> None:
    server = Server("a A 192.0.2.1")
    update = _update()
    prerequisite(update)
    update.add("new", 60, "A", "192.0.2.2")
    assert server.send(update) == rcode
    assert bool(server.texts("new.example.test")) == (rcode == "NOERROR")


def test_one_record_of_several_is_deleted_and_a_missing_one_is_not_missed() -> None:
    server = Server("a A 192.0.2.1", "a A 192.0.2.2")
    update = _update()
    update.delete("a", "A", "192.0.2.9")
    update.delete("a", "TXT")
    before = server.serial
    assert server.send(update) == "NOERROR"
    assert server.serial == before
    update.delete("a", "A", "192.0.2.1")
    assert server.send(update) == "NOERROR"
    assert server.texts("a.example.test") == ["A 192.0.2.2"]


def test_an_update_that_cannot_be_meant_is_malformed() -> None:
    server = Server("a A 192.0.2.1")
    lasting = _update()
    lasting.present("a", "A", "192.0.2.1")
    lasting.prerequisite[0].ttl = 5
    deleting = _update()
    deleting.delete("a", "A", "192.0.2.1")
    deleting.update[0].ttl = 5
    transfer = _update()
    transfer.delete("a", "AXFR")
    for update in (lasting, deleting, transfer):
        assert server.send(update) == "FORMERR"
    assert server.texts("a.example.test") == ["A 192.0.2.1"]


def test_an_update_of_another_zone_or_name_is_refused() -> None:
    server = Server()
    assert server.send(_update("other.test")) == "NOTAUTH"
    update = _update()
    update.add("a.other.test.", 60, "A", "192.0.2.1")
    assert server.send(update) == "NOTZONE"


def test_an_unsigned_update_from_elsewhere_is_refused() -> None:
    server = Server()
    update = _update()
    update.add("a", 60, "A", "192.0.2.1")
    assert server.send(update, peer="192.0.2.77") == "REFUSED"
    assert server.texts("a.example.test") == []


def test_with_keys_an_unsigned_update_is_refused_and_queries_are_not() -> None:
    responder = _responder(TsigKey("k", "hmac-sha256", b"secret"))
    update = _update()
    update.add("a", 60, "A", "192.0.2.1")
    for message, rcode in ((update, dns.rcode.REFUSED), (dns.message.make_query("www.example.test", "A"), 0)):
        wire = responder.respond(message.to_wire(), "127.0.0.1", udp=False)
        assert wire is not None
        assert dns.message.from_wire(wire).rcode() == rcode
