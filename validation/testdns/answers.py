"""Answering queries from the zones (RFC 1034 section 4.3.2, wildcards by RFC 4592)."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.CNAME import CNAME

from validation.testdns.zones import IN, Zone, Zones

MAX_LINKS = 10
_TRANSFERS = {dns.rdatatype.AXFR, dns.rdatatype.IXFR}


def answer_query(zones: Zones, query: dns.message.Message, response: dns.message.Message) -> None:
    """Fill `response` to `query`. The caller holds the zones' lock.

    A name above the zones answers NOERROR without records, so that whoever climbs the tree (CAA) from a zone gets
    to the top; any other name outside is REFUSED, as an authoritative server must.
    """
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return
    asked = query.question[0]
    zone = zones.holding(asked.name)
    if (
        asked.rdclass != dns.rdataclass.IN
        or asked.rdtype in _TRANSFERS
        or (zone is None and not zones.above(asked.name))
    ):
        response.set_rcode(dns.rcode.REFUSED)
        return
    if zone is None:
        return
    response.flags |= dns.flags.AA
    name = asked.name
    for _ in range(MAX_LINKS):
        target = _answer_one(zone, name, asked.rdtype, response)
        if target is None:
            return
        name = target
        zone = zones.holding(name)
        if zone is None:
            return


def _answer_one(
    zone: Zone, name: dns.name.Name, rtype: dns.rdatatype.RdataType, response: dns.message.Message
) -> dns.name.Name | None:
    """Add what the zone has for `name`; return where a CNAME leads, None when the answer is complete."""
    exists = zone.exists(name)
    node = zone.node(name) if exists else zone.covering(name)
    if node is None:
        if not exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        _negative(zone, response)
        return None
    alias = node.get_rdataset(IN, dns.rdatatype.CNAME)
    if alias is not None and rtype not in {dns.rdatatype.CNAME, dns.rdatatype.ANY}:
        _add(response, name, alias)
        return _target(alias)
    one = node.get_rdataset(IN, rtype)
    found = node.rdatasets if rtype == dns.rdatatype.ANY else [one] if one is not None else []
    for rdataset in found:
        _add(response, name, rdataset)
    if not found:
        _negative(zone, response)
    return None


def _target(alias: dns.rdataset.Rdataset) -> dns.name.Name:
    record = alias[0]
    assert isinstance(record, CNAME)
    return record.target


def _add(response: dns.message.Message, name: dns.name.Name, rdataset: dns.rdataset.Rdataset) -> None:
    response.answer.append(dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset)))


def _negative(zone: Zone, response: dns.message.Message) -> None:
    """The SOA that says who denies, and for how long (RFC 2308 section 3)."""
    response.authority.append(dns.rrset.from_rdata_list(zone.origin, zone.soa.ttl, list(zone.soa)))
