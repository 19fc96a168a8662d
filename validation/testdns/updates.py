"""Dynamic updates of the zones, all or nothing (RFC 2136 section 3)."""

from __future__ import annotations

import dns.exception
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.update

from validation.testdns.zones import Zone, Zones

ANY, NONE = dns.rdataclass.ANY, dns.rdataclass.NONE
SOA, NS, CNAME = dns.rdatatype.SOA, dns.rdatatype.NS, dns.rdatatype.CNAME


class UpdateRefused(Exception):
    """The update is not made; `rcode` is what the answer says."""

    def __init__(self, rcode: dns.rcode.Rcode) -> None:
        """Keep the code."""
        super().__init__(dns.rcode.to_text(rcode))
        self.rcode = rcode


def apply_update(zones: Zones, message: dns.message.Message) -> None:
    """Check prerequisites and form, then change the zone. The caller holds the lock; raises UpdateRefused."""
    if not isinstance(message, dns.update.UpdateMessage) or len(message.zone) != 1:
        raise UpdateRefused(dns.rcode.FORMERR)
    zone = zones.exact(message.zone[0].name)
    if zone is None:
        raise UpdateRefused(dns.rcode.NOTAUTH)
    for rrset in message.prerequisite + message.update:
        if not rrset.name.is_subdomain(zone.origin):
            raise UpdateRefused(dns.rcode.NOTZONE)
    _check_prerequisites(zone, message.prerequisite)
    for rrset in message.update:
        _prescan(rrset)
    changes = [_change(zone, rrset) for rrset in message.update]
    if any(changes):
        zone.bump()


def _check_prerequisites(zone: Zone, prerequisites: list[dns.rrset.RRset]) -> None:
    """Sections 3.2.1 to 3.2.3: names and record sets that must, or must not, be there."""
    exact: dict[tuple[dns.name.Name, dns.rdatatype.RdataType], set[dns.rdata.Rdata]] = {}
    for rrset in prerequisites:
        if rrset.ttl != 0:
            raise UpdateRefused(dns.rcode.FORMERR)
        if rrset.deleting is None:
            exact.setdefault((rrset.name, rrset.rdtype), set()).update(rrset)
        else:
            _check_presence(zone, rrset)
    for (name, rtype), wanted in exact.items():
        if set(zone.get(name, rtype) or ()) != wanted:
            raise UpdateRefused(dns.rcode.NXRRSET)


def _check_presence(zone: Zone, rrset: dns.rrset.RRset) -> None:
    """Class ANY asks that the name or set exists, class NONE that it does not; type ANY means the name."""
    name, wanted = rrset.name, rrset.deleting == ANY
    if rrset.rdtype == dns.rdatatype.ANY:
        held, missing, present = zone.node(name) is not None, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN
    else:
        held, missing, present = (
            zone.get(name, rrset.rdtype) is not None,
            dns.rcode.NXRRSET,
            dns.rcode.YXRRSET,
        )
    if held != wanted:
        raise UpdateRefused(missing if wanted else present)


def _prescan(rrset: dns.rrset.RRset) -> None:
    """Section 3.4.1: what cannot be meant is refused before anything changes."""
    meta = dns.rdatatype.is_metatype(rrset.rdtype)
    if rrset.deleting is None:
        wrong = meta or len(rrset) == 0
    elif rrset.deleting == ANY:
        wrong = meta and rrset.rdtype != dns.rdatatype.ANY  # the TTL of a record without data is not kept
    else:
        wrong = rrset.ttl != 0 or meta
    if wrong:
        raise UpdateRefused(dns.rcode.FORMERR)


def _change(zone: Zone, rrset: dns.rrset.RRset) -> bool:
    """Section 3.4.2: one change, of one record (dnspython keeps them apart); whether it changed anything."""
    node = zone.node(rrset.name)
    if rrset.deleting is None:
        return _add(zone, rrset.name, rrset.ttl, rrset[0])
    if node is None:
        return False
    if rrset.deleting == ANY:
        every = rrset.rdtype == dns.rdatatype.ANY
        doomed = [held.rdtype for held in node.rdatasets if every or held.rdtype == rrset.rdtype]
        doomed = [rtype for rtype in doomed if not _kept(zone, rrset.name, rtype)]
        for rtype in doomed:
            zone.remove(rrset.name, rtype)
        return bool(doomed)
    return _delete(zone, rrset.name, rrset[0])


def _add(zone: Zone, name: dns.name.Name, ttl: int, record: dns.rdata.Rdata) -> bool:
    """Section 3.4.2.2: a CNAME and other records never meet; the zone's own SOA is left alone."""
    node = zone.node(name)
    types = {held.rdtype for held in node.rdatasets} if node is not None else set()
    rtype = record.rdtype
    if rtype == SOA or (rtype == CNAME and types - {CNAME}) or (rtype != CNAME and CNAME in types):
        return False
    held = zone.get(name, rtype)
    if held is not None and record in held and held.ttl == ttl:
        return False
    if rtype == CNAME and held is not None:
        zone.remove(name, CNAME)
    zone.add(name, ttl, record)
    return True


def _delete(zone: Zone, name: dns.name.Name, record: dns.rdata.Rdata) -> bool:
    """Section 3.4.2.4: one record of a set; a zone keeps its SOA and its last NS."""
    held = zone.get(name, record.rdtype)
    if held is None or record not in held or record.rdtype == SOA:
        return False
    left = [other for other in held if other != record]
    if not left and _kept(zone, name, record.rdtype):
        return False
    zone.remove(name, record.rdtype)
    for other in left:
        zone.add(name, held.ttl, other)
    return True


def _kept(zone: Zone, name: dns.name.Name, rtype: dns.rdatatype.RdataType) -> bool:
    """What no deletion takes from the apex (section 3.4.2.3)."""
    return name == zone.origin and rtype in {SOA, NS}
