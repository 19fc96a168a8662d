"""From the octets of a request to the octets of its answer: parsing, permission, dispatch."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
from dns.rdtypes.ANY.TSIG import TSIG

from validation.testdns.answers import answer_query
from validation.testdns.updates import UpdateRefused, apply_update
from validation.testdns.zones import Zones
from validation.tsig import TsigKey

UDP_PAYLOAD = 1232
PLAIN_UDP = 512  # RFC 1035 section 4.2.1, for who does not speak EDNS
MAX_MESSAGE = 65535

_FAULTS: dict[type[dns.exception.DNSException], dns.rcode.Rcode] = {
    dns.message.UnknownTSIGKey: dns.rcode.BADKEY,
    dns.tsig.BadKey: dns.rcode.BADKEY,
    dns.tsig.BadAlgorithm: dns.rcode.BADKEY,
    dns.tsig.BadSignature: dns.rcode.BADSIG,
    dns.tsig.BadTime: dns.rcode.BADTIME,
}


class Responder:
    """Answers requests. Without keys, updates are taken unsigned, from loopback only; with keys, signed by one."""

    def __init__(self, zones: Zones, keys: Sequence[TsigKey] = ()) -> None:
        """Serve `zones`."""
        self._zones = zones
        self._keyring: dict[dns.name.Name, dns.tsig.Key] = {}
        for key in keys:
            self._keyring.update(key.keyring())

    def respond(self, wire: bytes, peer: str, *, udp: bool) -> bytes | None:
        """The answer to `wire` from the address `peer`; None where silence is right. Never raises."""
        if len(wire) < 12 or wire[2] & 0x80:
            return None  # no message, or an answer: to answer answers would let two servers talk for ever
        try:
            query = dns.message.from_wire(wire, keyring=self._keyring)
        except tuple(_FAULTS) as error:
            return self._unsigned(wire, _FAULTS[type(error)])
        except dns.exception.DNSException:
            return _formerr(wire)
        response = dns.message.make_response(query, our_payload=UDP_PAYLOAD)
        with self._zones.lock:
            if query.edns > 0:
                response.set_rcode(dns.rcode.BADVERS)
            elif query.opcode() == dns.opcode.QUERY:
                answer_query(self._zones, query, response)
            elif query.opcode() == dns.opcode.UPDATE:
                self._update(query, response, peer)
            else:
                response.set_rcode(dns.rcode.NOTIMP)
        return _sized(
            response,
            (max(query.payload, PLAIN_UDP) if query.edns == 0 else PLAIN_UDP) if udp else MAX_MESSAGE,
        )

    def _update(self, query: dns.message.Message, response: dns.message.Message, peer: str) -> None:
        allowed = query.had_tsig if self._keyring else ipaddress.ip_address(peer).is_loopback
        if not allowed:
            response.set_rcode(dns.rcode.REFUSED)
            return
        try:
            apply_update(self._zones, query)
        except UpdateRefused as refused:
            response.set_rcode(refused.rcode)

    def _unsigned(self, wire: bytes, fault: dns.rcode.Rcode) -> bytes:
        """NOTAUTH with a TSIG record that says what was wrong with the request's (RFC 8945 section 5.2)."""
        query = dns.message.from_wire(wire, keyring=False)
        response = dns.message.make_response(query, our_payload=UDP_PAYLOAD)
        response.set_rcode(dns.rcode.NOTAUTH)
        assert query.tsig is not None
        sent = query.tsig[0]
        assert isinstance(sent, TSIG)
        # BADTIME too goes out unsigned and without this server's time, which no client here reads.
        said = sent.replace(mac=b"", error=fault, other=b"")
        response.tsig = dns.rrset.from_rdata(query.tsig.name, 0, said)
        return response.to_wire(max_size=MAX_MESSAGE)


def _formerr(wire: bytes) -> bytes:
    """The header of a request that cannot be read, with the code that says so."""
    flags = dns.flags.QR | (int.from_bytes(wire[2:4], "big") & 0x7900)  # keeps opcode and RD
    return wire[:2] + (flags | dns.rcode.FORMERR).to_bytes(2, "big") + bytes(8)


def _sized(response: dns.message.Message, limit: int) -> bytes:
    """The answer in at most `limit` octets: without records and with TC set when it does not fit (RFC 2181 section 9)."""
    try:
        return response.to_wire(max_size=min(limit, UDP_PAYLOAD) if limit < MAX_MESSAGE else limit)
    except dns.exception.TooBig:
        response.answer, response.authority, response.additional = [], [], []
        response.flags |= dns.flags.TC
        return response.to_wire(max_size=limit)
