"""The table of DNS faults (SECURITY T6) on the way to a CNAME proof: what servers do, and what must come of it."""

from dataclasses import dataclass

import dns.message
import dns.rcode

from tests.support.dns import (
    Behaviour,
    Reply,
    altered,
    closing,
    code,
    crafted,
    flooded,
    holding,
    honest,
    lower_case,
    over,
    silent,
    slow,
    truncated,
    wrong_id,
)
from validation import Kind

OWNER = "_p.example.test"
VALUE = "_v.acm-validations.aws"
RIGHT = f"_p CNAME {VALUE}."
OTHER = "_p CNAME _other.acm-validations.aws."

# Seconds of one question, as shares of the real 5: tables below speak of questions' times, not of seconds.
Q = 0.8


@dataclass(frozen=True)
class Case:
    """What one or more resolvers do, and the kind of failure that follows; None: the name is proven."""

    name: str
    servers: tuple[Behaviour | None, ...]  # None: nobody listens there
    kind: Kind | None
    says: str = ""


def _edns_unknown(inner: Behaviour, rcode: dns.rcode.Rcode) -> Behaviour:
    return lambda wire, udp: (code(rcode) if b"\x00\x00\x29" in wire else inner)(wire, udp)


def _no_question(wire: bytes) -> bytes:
    return wire[:4] + bytes(8)


def _not_an_answer(wire: bytes) -> bytes:
    return wire[:2] + bytes([wire[2] & 0x7F]) + wire[3:]


def _other_question(wire: bytes) -> bytes:
    return wire.replace(b"\x02_p", b"\x02_q").replace(b"\x02_P", b"\x02_Q")


def _other_class(wire: bytes) -> bytes:
    """The question's class becomes CHAOS."""
    end = wire.index(b"\x00\x00\x05\x00\x01") + 5
    return wire[: end - 1] + b"\x03" + wire[end:]


def _rubbish(wire: bytes) -> bytes:
    """Promises 255 records and does not have them."""
    return wire[:6] + b"\x00\xff" + wire[8:]


def _dripping(wire: bytes, udp: bool) -> list[Reply]:
    whole = right(wire, udp)
    octets = b"".join(len(reply.wire).to_bytes(2, "big") + reply.wire for reply in whole)
    return [Reply(octets[i : i + 1], after=Q / 8 * (i + 1), raw=True) for i in range(len(octets))]


def _empty_frames(_wire: bytes, _udp: bool) -> list[Reply]:
    return [Reply(b"", after=Q / 50 * i) for i in range(100)]


def _chain(links: int) -> Behaviour:
    names = ["_p", *(f"c{i}" for i in range(1, links))]
    targets = [*names[1:], f"{VALUE}."]
    return honest(*(f"{name} CNAME {target}" for name, target in zip(names, targets, strict=True)))


def _in_authority(wire: bytes, udp: bool) -> list[Reply]:
    def fill(response: dns.message.Message) -> None:
        scratch = dns.message.from_wire(next(iter(holding(f"{OWNER} CNAME {VALUE}.")(wire, udp))).wire)
        response.authority = scratch.answer

    return list(crafted(fill)(wire, udp))


right = honest(RIGHT)
wrong = honest(OTHER)
many = holding(f"{OWNER} CNAME {VALUE}.", *(f"n{i}.example.test TXT {'x' * 40}" for i in range(1000)))

CASES: tuple[Case, ...] = (
    Case("honest", (right,), None),
    # The way to the server
    Case("down", (None,), Kind.UNREACHABLE, "refused"),
    Case("silent", (silent,), Kind.TIMEOUT, "did not answer"),
    Case("slow beyond the time", (slow(right, 3 * Q),), Kind.TIMEOUT, "did not answer"),
    Case("slow within the time", (slow(right, Q / 2),), None),
    Case("truncated, then whole over TCP", (over(truncated, right),), None),
    Case("truncated, then a lie over TCP", (over(truncated, wrong),), Kind.WRONG_TARGET),
    Case("truncated, silent over TCP", (over(truncated, silent),), Kind.TIMEOUT),
    Case("truncated, closed over TCP", (over(truncated, closing),), Kind.UNREACHABLE, "closed"),
    Case("truncated, dripping over TCP", (over(truncated, _dripping),), Kind.TIMEOUT),
    Case("truncated, empty frames over TCP", (over(truncated, _empty_frames),), Kind.TIMEOUT),
    Case("truncated over TCP too", (truncated,), Kind.MALFORMED),
    # Codes
    Case("SERVFAIL", (code(dns.rcode.SERVFAIL),), Kind.SERVFAIL, "SERVFAIL"),
    Case("REFUSED", (code(dns.rcode.REFUSED),), Kind.REFUSED, "REFUSED"),
    Case("NOTIMP", (code(dns.rcode.NOTIMP),), Kind.REFUSED, "NOTIMP"),
    Case("FORMERR whatever is asked", (code(dns.rcode.FORMERR),), Kind.REFUSED, "FORMERR"),
    Case("FORMERR to EDNS only", (_edns_unknown(right, dns.rcode.FORMERR),), None),
    Case("BADVERS to EDNS only", (_edns_unknown(right, dns.rcode.BADVERS),), None),
    Case("FORMERR without a question", (altered(code(dns.rcode.FORMERR), _no_question),), Kind.REFUSED),
    Case("success without a question", (altered(right, _no_question),), Kind.TIMEOUT),
    # Strays and forgeries
    Case("wrong ids, then the answer", (flooded(right, wrong_id, 1000),), None),
    Case("wrong ids only", (flooded(silent, wrong_id, 1000),), Kind.TIMEOUT),
    Case("lies under wrong ids, then the truth", (flooded(wrong, wrong_id, 100),), Kind.WRONG_TARGET),
    Case("wrong questions, then the answer", (flooded(right, _other_question, 1000),), None),
    Case("wrong questions only", (altered(right, _other_question),), Kind.TIMEOUT),
    Case("another class", (altered(right, _other_class),), Kind.TIMEOUT),
    Case("the question echoed", (altered(right, _not_an_answer),), Kind.TIMEOUT),
    Case("rubbish, then the answer", (flooded(right, _rubbish, 50),), None),
    Case("rubbish only", (altered(right, _rubbish),), Kind.MALFORMED),
    Case("case not kept", (over(altered(right, lower_case), right),), None),
    Case(
        "a forger who guessed all but the case", (over(altered(right, lower_case), wrong),), Kind.WRONG_TARGET
    ),
    # What the records say
    Case("no such name", (honest(),), Kind.NXDOMAIN, f"publish {OWNER} CNAME {VALUE}"),
    Case("no CNAME", (honest("_p TXT hello"),), Kind.NO_DATA, f"publish {OWNER} CNAME {VALUE}"),
    Case(
        "another target", (wrong,), Kind.WRONG_TARGET, f"points to _other.acm-validations.aws, not to {VALUE}"
    ),
    Case("delegated within the zone", (honest("_p CNAME d", f"d CNAME {VALUE}."),), None),
    Case("delegated to nothing", (honest("_p CNAME d"),), Kind.WRONG_TARGET, "points to d.example.test"),
    Case(
        "delegated out of reach",
        (honest("_p CNAME d.elsewhere."),),
        Kind.WRONG_TARGET,
        "points to d.elsewhere",
    ),
    Case("a target that is no name", (honest(r"_p CNAME a\032b"),), Kind.WRONG_TARGET),
    Case("a loop of one", (honest("_p CNAME _p"),), Kind.LOOP, "_p.example.test -> _p.example.test"),
    Case(
        "a loop of two", (honest("_p CNAME a", "a CNAME _p"),), Kind.LOOP, "a.example.test -> _p.example.test"
    ),
    Case("ten links", (_chain(10),), None),
    Case("twelve links", (_chain(12),), Kind.TOO_DEEP, "longer than 10"),
    Case("two CNAMEs", (holding(f"{OWNER} CNAME {VALUE}.", f"{OWNER} CNAME x.test."),), Kind.AMBIGUOUS),
    Case("1000 CNAMEs", (holding(*(f"{OWNER} CNAME n{i}.test." for i in range(1000))),), Kind.AMBIGUOUS),
    Case("1000 other records beside it", (over(truncated, many),), None),
    Case("the record of another name", (holding(f"_q.example.test CNAME {VALUE}."),), Kind.NO_DATA),
    Case("the record in the authority section", (_in_authority,), Kind.NO_DATA),
    # Several resolvers
    Case("two agree", (right, right), None),
    Case("two agree, in other letters", (right, honest("_p 5 CNAME _V.ACM-Validations.AWS.")), None),
    Case("one lies", (right, wrong), Kind.DISAGREE, "_other.acm-validations.aws"),
    Case("the first lies", (wrong, right), Kind.DISAGREE),
    Case("one has nothing", (right, honest()), Kind.DISAGREE, "that there is none"),
    Case("one fails", (right, code(dns.rcode.SERVFAIL)), Kind.SERVFAIL),
    Case("one is down", (right, None), Kind.UNREACHABLE),
    Case("one is silent", (right, silent), Kind.TIMEOUT),
)
