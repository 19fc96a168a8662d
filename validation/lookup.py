"""Questions to the operator's resolvers, which must agree, with CNAME chains followed to their end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.nsbase import NSBase

from foundation.egress import Endpoint, Wires
from validation.errors import DnsFailed, Kind
from validation.exchange import Deadline, Exchange, show
from validation.names import normalise_owner

QUERY_SECONDS = 5.0
LOOKUP_SECONDS = 20.0
MAX_CHAIN = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What the DNS holds for one name and type.

    `records` are in canonical text, sorted, names in lower case without trailing dot. `chain` are the names that
    CNAME records led through, in order, not counting `name`. `absent` is None when there are records, else
    NXDOMAIN or NO_DATA, about the last name of the chain.
    """

    name: str
    rtype: str
    records: tuple[str, ...]
    chain: tuple[str, ...] = ()
    absent: Kind | None = None


class Lookups(Protocol):
    """What proofs need of the DNS: `Dns`, or a test's own."""

    def deadline(self) -> Deadline:
        """The time that one proof may take, however many lookups it makes."""

    def lookup(self, name: str, rtype: str, deadline: Deadline | None = None) -> Answer:
        """The agreed answer, CNAME chains followed unless `rtype` is CNAME; raises BadName and DnsFailed."""


class Dns:
    """The DNS as keystead asks it. Safe to share between threads; nothing is cached.

    `resolvers` are recursive resolvers or authoritative servers, (address, port) each. With more than one, each
    is asked and all must give the same answer (TTLs and order aside; both ways of having no record count as
    the same). `query_seconds` bounds each question, `lookup_seconds` each call of a public method.
    """

    def __init__(
        self,
        resolvers: Sequence[Endpoint],
        egress: Wires,
        entropy: Callable[[int], bytes],
        *,
        query_seconds: float = QUERY_SECONDS,
        lookup_seconds: float = LOOKUP_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what was given; nothing is asked yet."""
        self._resolvers = tuple(resolvers)
        self._exchange = Exchange(egress, entropy)
        self._query_seconds = query_seconds
        self._lookup_seconds = lookup_seconds
        self._monotonic = monotonic

    def deadline(self) -> Deadline:
        """The time that one lookup may take, for callers whose lookup takes several questions."""
        return Deadline(self._lookup_seconds, self._monotonic)

    def cname(self, name: str, deadline: Deadline | None = None) -> str | None:
        """The target of the CNAME record at exactly `name`, or None when there is none.

        Raises BadName, and DnsFailed for everything that is not an answer, AMBIGUOUS for two records included.
        """
        return next(iter(self.lookup(name, "CNAME", deadline).records), None)

    def lookup(self, name: str, rtype: str, deadline: Deadline | None = None) -> Answer:
        """The records of `rtype` at `name`, or at the end of its CNAME chain of at most `MAX_CHAIN` links.

        Raises BadName and DnsFailed (LOOP and TOO_DEEP name the chain).
        """
        return self._agreed(normalise_owner(name), rtype, deadline or self.deadline())

    def addresses(self, name: str) -> tuple[str, ...]:
        """All addresses of `name`, IPv6 first; empty when there are none. Raises as `lookup`."""
        limit = self.deadline()
        return self.lookup(name, "AAAA", limit).records + self.lookup(name, "A", limit).records

    def _agreed(self, name: str, rtype: str, deadline: Deadline) -> Answer:
        """The one answer of every resolver."""
        if not self._resolvers:
            raise DnsFailed(Kind.NO_RESOLVER, why="none was named, and the system has none")
        answers = [(server, self._followed(server, name, rtype, deadline)) for server in self._resolvers]
        first = answers[0][1]
        if any(answer.records != first.records for _, answer in answers):
            said = "; ".join(f"{show(server)} says {_describe(answer)}" for server, answer in answers)
            raise DnsFailed(Kind.DISAGREE, name=name, rtype=rtype, answers=said)
        return first

    def _followed(self, server: Endpoint, name: str, rtype: str, deadline: Deadline) -> Answer:
        """One server's answer at the end of the chain; an authoritative server tells only its own part of it."""
        here = name
        chain: list[str] = []
        while True:
            message = self._asked(server, here, rtype, deadline)
            links, records = _read(message, here, rtype)
            for link in links:
                chain.append(link)
                extend(name, chain)
            if not records and links and message.rcode() == dns.rcode.NOERROR:
                here = links[-1]
                continue
            absent = Kind.NXDOMAIN if message.rcode() == dns.rcode.NXDOMAIN else Kind.NO_DATA
            return Answer(name, rtype, records, tuple(chain), None if records else absent)

    def _asked(self, server: Endpoint, name: str, rtype: str, deadline: Deadline) -> dns.message.Message:
        if deadline.left() <= 0:
            raise DnsFailed(Kind.OUT_OF_TIME, name=name, rtype=rtype, seconds=self._lookup_seconds)
        message = self._exchange.ask(server, name, rtype, deadline.sooner(self._query_seconds))
        code = message.rcode()
        if code == dns.rcode.SERVFAIL:
            raise DnsFailed(Kind.SERVFAIL, server=show(server), name=name, rtype=rtype)
        if code not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
            raise DnsFailed(
                Kind.REFUSED, server=show(server), name=name, rtype=rtype, rcode=dns.rcode.to_text(code)
            )
        return message


def extend(begin: str, chain: Sequence[str]) -> None:
    """Raise DnsFailed when the last link of a CNAME chain from `begin` closes a loop or is one too many."""
    shown = " -> ".join([begin, *chain])
    if chain[-1] in [begin, *chain[:-1]]:
        raise DnsFailed(Kind.LOOP, name=begin, chain=shown)
    if len(chain) > MAX_CHAIN:
        raise DnsFailed(Kind.TOO_DEEP, name=begin, chain=shown, limit=MAX_CHAIN)


def _read(message: dns.message.Message, name: str, rtype: str) -> tuple[list[str], tuple[str, ...]]:
    """Walk the answer section along the CNAMEs from `name`: (links, records). Other names' records are ignored."""
    wanted = dns.rdatatype.from_text(rtype)
    here = dns.name.from_text(name)
    chain: list[str] = []
    while True:
        found = _at(message, here, wanted)
        link = _at(message, here, dns.rdatatype.CNAME)
        if len(link) > 1:
            raise DnsFailed(Kind.AMBIGUOUS, name=_plain(here), count=len(link))
        if found or not link:
            return chain, tuple(sorted({_text(record) for record in found}))
        here = _target(link[0])
        chain.append(_plain(here))
        extend(name, chain)


def _at(
    message: dns.message.Message, name: dns.name.Name, rtype: dns.rdatatype.RdataType
) -> list[dns.rdata.Rdata]:
    """The distinct records of one name and type in the answer section."""
    wanted = (name, dns.rdataclass.IN, rtype)
    held = (rrset for rrset in message.answer if (rrset.name, rrset.rdclass, rrset.rdtype) == wanted)
    return list(dict.fromkeys(record for rrset in held for record in rrset))


def _target(record: dns.rdata.Rdata) -> dns.name.Name:
    assert isinstance(record, NSBase)
    return record.target


def _plain(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()


def _text(record: dns.rdata.Rdata) -> str:
    """One record in canonical text: names within it in lower case, without the trailing dot."""
    if isinstance(record, NSBase):  # CNAME, NS, PTR, DNAME
        return _plain(record.target)
    return record.to_text()


def _describe(answer: Answer) -> str:
    via = f"via {' -> '.join(answer.chain)} " if answer.chain else ""
    return via + (", ".join(answer.records[:3]) or "that there is none")
