"""One question to one DNS server: random ids, strange answers ignored, TCP where UDP is not enough (SECURITY 2.8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from foundation.egress import Datagram, EgressFailed, EgressTimeout, Endpoint, Wires
from validation.errors import DnsFailed, Kind

UDP_PAYLOAD = 1232  # the size that crosses every path unfragmented (DNS flag day 2020)
RESENDS = (0.0, 0.2, 0.5)  # shares of the time at which an unanswered datagram is sent (again)

NO_QUESTION = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP})
NO_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})


class TruncatedOverTcpError(dns.exception.FormError):
    """An answer cut short where there is room for all of it."""


class Deadline:
    """A moment on the monotonic clock by which a piece of work must end."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """`seconds` from now."""
        self.monotonic = monotonic
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds left, never negative."""
        return max(self._end - self.monotonic(), 0.0)

    def sooner(self, seconds: float) -> Deadline:
        """This deadline, or `seconds` from now when that is earlier."""
        return Deadline(min(self.left(), seconds), self.monotonic)


class Question:
    """One question with its random id and random case of letters, and the test of what may answer it.

    The case (draft-vixie-dnsext-dns0x20) adds up to one bit per letter that a blind forger must guess.
    """

    def __init__(self, name: str, rtype: str, entropy: Callable[[int], bytes], *, edns: bool = True) -> None:
        """Draw id and case from `entropy`, and write the message."""
        self.rtype = dns.rdatatype.from_text(rtype)
        self.id = int.from_bytes(entropy(2), "big")
        self.qname = dns.name.from_text(_random_case(name, entropy))
        payload = UDP_PAYLOAD if edns else None
        query = dns.message.make_query(
            self.qname, self.rtype, use_edns=0 if edns else None, payload=payload, id=self.id
        )
        self.wire = query.to_wire()
        length = sum(len(label) + 1 for label in self.qname.labels)
        self._asked = self.wire[12 : 12 + length + 4]  # name, type, class

    def read(self, wire: bytes) -> dns.message.Message | None:
        """The answer in `wire`, or None when it does not answer this question: a stray, or a forgery.

        Each record stays a set of its own: dnspython would let the last of several CNAMEs stand for all.

        Raises dns.exception.DNSException for an answer with our id that cannot be parsed.
        """
        if len(wire) < 12 or wire[:2] != self.wire[:2] or wire[2] & 0xF8 != 0x80:  # QR set, opcode QUERY
            return None
        counted = int.from_bytes(wire[4:6], "big")
        if counted == 0:
            # RFC 1035 section 4.1.1: a server that cannot read the question has none to repeat.
            return dns.message.from_wire(wire) if wire[3] & 0x0F in NO_QUESTION else None
        # Compared as octets first: floods of other questions must cost next to nothing.
        if counted > 1 or wire[12 : 12 + len(self._asked)].lower() != self._asked.lower():
            return None
        truncated = bool(wire[2] & 0x02)  # then only the question is sure to be whole
        message = dns.message.from_wire(wire, question_only=truncated, one_rr_per_rrset=True)
        same = message.question and message.question[0].rdtype == self.rtype
        return message if same else None

    def repeats_case(self, message: dns.message.Message) -> bool:
        """Whether the answer repeats our letters as we wrote them."""
        return bool(message.question) and message.question[0].name.labels == self.qname.labels


def _random_case(name: str, entropy: Callable[[int], bytes]) -> str:
    bits = int.from_bytes(entropy((len(name) + 7) // 8), "big")
    return "".join(c.upper() if bits >> i & 1 else c for i, c in enumerate(name))


class Exchange:
    """Asks one server. Safe to share between threads; each call makes its own sockets."""

    def __init__(self, wires: Wires, entropy: Callable[[int], bytes]) -> None:
        """`wires` makes the sockets, `entropy` the ids."""
        self._wires = wires
        self._entropy = entropy

    def ask(self, server: Endpoint, name: str, rtype: str, deadline: Deadline) -> dns.message.Message:
        """Return the server's answer, whatever its code, or raise DnsFailed (TIMEOUT, UNREACHABLE, MALFORMED).

        UDP with EDNS first. A truncated answer, and one that changed the case of our letters (a server that does
        not keep it, or a forger who does not know it), is asked for again over TCP, where nobody off the path
        can answer. Answers with a wrong id or question are ignored until the deadline. A server that does not
        know EDNS is asked without it.
        """
        facts: dict[str, object] = {"server": show(server), "name": name, "rtype": rtype}
        seconds = deadline.left()
        try:
            message = self._once(server, Question(name, rtype, self._entropy), deadline)
            if message is not None and message.rcode() in NO_EDNS:
                message = self._once(server, Question(name, rtype, self._entropy, edns=False), deadline)
        except EgressTimeout:
            message = None
        except EgressFailed as error:
            raise DnsFailed(Kind.UNREACHABLE, why=error, **facts) from error
        except dns.exception.DNSException as error:
            raise DnsFailed(Kind.MALFORMED, why=type(error).__name__, **facts) from error
        if message is None:
            raise DnsFailed(Kind.TIMEOUT, seconds=seconds, **facts)
        return message

    def _once(self, server: Endpoint, question: Question, deadline: Deadline) -> dns.message.Message | None:
        message = self._udp(server, question, deadline)
        if message is None or not _wants_tcp(message, question):
            return message
        return self._tcp(server, question, deadline)

    def _udp(self, server: Endpoint, question: Question, deadline: Deadline) -> dns.message.Message | None:
        broken: dns.exception.DNSException | None = None
        channel = self._wires.datagram(server)
        try:
            for wire in _datagrams(channel, question.wire, deadline):
                try:
                    message = question.read(wire)
                except dns.exception.DNSException as error:
                    broken = (
                        error  # anyone can send rubbish with a guessed id: the real answer may still come
                    )
                else:
                    if message is not None:
                        return message
        finally:
            channel.close()
        if broken is not None:
            raise broken
        return None

    def _tcp(self, server: Endpoint, question: Question, deadline: Deadline) -> dns.message.Message | None:
        """RFC 7766: two octets of length, then the message; so no answer is longer than 65,535 octets."""
        if deadline.left() <= 0:
            return None
        stream = self._wires.stream(server, deadline.left())
        try:
            stream.send(len(question.wire).to_bytes(2, "big") + question.wire)
            while True:
                size = int.from_bytes(stream.receive_exactly(2), "big")
                message = question.read(stream.receive_exactly(size))
                if message is None:
                    continue
                if message.flags & dns.flags.TC:
                    raise TruncatedOverTcpError  # half an answer must not read as "no record"
                return message
        finally:
            stream.close()


def _datagrams(channel: Datagram, payload: bytes, deadline: Deadline) -> Iterator[bytes]:
    """Whatever arrives until the deadline; the question is sent again at each of `RESENDS`."""
    whole = deadline.left()
    for begin, end in pairwise((*RESENDS, 1.0)):
        channel.send(payload)
        slot = deadline.sooner(whole * (end - begin))
        while (left := slot.left()) > 0 and (wire := channel.receive(left)) is not None:
            yield wire


def _wants_tcp(message: dns.message.Message, question: Question) -> bool:
    if message.flags & dns.flags.TC:
        return True
    return bool(message.question) and not question.repeats_case(message)


def show(server: Endpoint) -> str:
    """A server as a person writes it."""
    return f"[{server[0]}]:{server[1]}" if ":" in server[0] else f"{server[0]}:{server[1]}"
