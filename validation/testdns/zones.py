"""The zones of the test DNS server: records in memory, read from lines or a zone file, found as RFC 1034 says."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.name
import dns.node
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.zone
from dns.rdtypes.ANY.SOA import SOA

from validation.names import normalise_owner

TTL = 60  # seconds, for records that state none

IN = dns.rdataclass.IN
_WILD = dns.name.Name([b"*"])


class BadZone(Exception):
    """A zone's name, lines or file cannot be read; the message says where."""


@dataclass(frozen=True, slots=True)
class ZoneSpec:
    """A zone to serve: its name, and its records from a zone file (RFC 1035 section 5) and from lines of one."""

    name: str
    file: Path | None = None
    records: Sequence[str] = ()


class Zone:
    """One zone. Names are absolute; SOA and NS are made up where the records have none. Not locked: see `Zones`."""

    def __init__(self, spec: ZoneSpec) -> None:
        """Read the records; raises BadZone and BadName."""
        self.origin = dns.name.from_text(normalise_owner(spec.name))
        try:
            text = spec.file.read_text("utf-8") if spec.file is not None else ""
            text = f"$TTL {TTL}\n{text}\n" + "\n".join(spec.records) + "\n"
            self._zone = dns.zone.from_text(text, self.origin, relativize=False, check_origin=False)
        except (OSError, UnicodeDecodeError, ValueError, dns.exception.DNSException) as error:
            raise BadZone(f"zone {spec.name}: {error}") from error
        if self.get(self.origin, dns.rdatatype.SOA) is None:
            self.add(
                self.origin,
                0,
                self._text(dns.rdatatype.SOA, f"ns.{self.origin} hostmaster.{self.origin} 1 300 60 86400 0"),
            )
        if self.get(self.origin, dns.rdatatype.NS) is None:
            self.add(self.origin, TTL, self._text(dns.rdatatype.NS, f"ns.{self.origin}"))

    @staticmethod
    def _text(rtype: dns.rdatatype.RdataType, text: str) -> dns.rdata.Rdata:
        return dns.rdata.from_text(IN, rtype, text)

    def node(self, name: dns.name.Name) -> dns.node.Node | None:
        """The records of exactly `name`."""
        found = self._zone.get_node(name)
        return found if found is not None and found.rdatasets else None

    def get(self, name: dns.name.Name, rtype: dns.rdatatype.RdataType) -> dns.rdataset.Rdataset | None:
        """The records of one type at exactly `name`."""
        node = self.node(name)
        return node.get_rdataset(IN, rtype) if node is not None else None

    def exists(self, name: dns.name.Name) -> bool:
        """Whether `name` has records, or names below it have: an empty non-terminal exists (RFC 4592 section 2.2.2)."""
        return self.node(name) is not None or any(other.is_subdomain(name) for other in self._names())

    def covering(self, name: dns.name.Name) -> dns.node.Node | None:
        """The wildcard that answers for a `name` that does not exist (RFC 4592 section 3.3.1)."""
        encloser = name.parent()
        while not self.exists(encloser):
            encloser = encloser.parent()
        return self.node(_WILD + encloser)

    def _names(self) -> Iterator[dns.name.Name]:
        return (name for name, node in self._zone.nodes.items() if node.rdatasets)

    @property
    def soa(self) -> dns.rdataset.Rdataset:
        """The SOA records: one."""
        found = self.get(self.origin, dns.rdatatype.SOA)
        assert found is not None
        return found

    def add(self, name: dns.name.Name, ttl: int, record: dns.rdata.Rdata) -> None:
        """Add one record; the TTL becomes that of all records of its type (RFC 2181 section 5.2)."""
        rdataset = self._zone.find_rdataset(name, record.rdtype, record.covers(), create=True)
        rdataset.add(record)
        rdataset.ttl = ttl

    def remove(self, name: dns.name.Name, rtype: dns.rdatatype.RdataType) -> None:
        """Remove all records of one type."""
        self._zone.delete_rdataset(name, rtype)

    def bump(self) -> None:
        """Raise the serial by one (RFC 1982 arithmetic), as an update must (RFC 2136 section 3.6)."""
        soa = self.soa[0]
        assert isinstance(soa, SOA)
        raised = soa.replace(serial=(soa.serial + 1) & 0xFFFFFFFF or 1)
        ttl = self.soa.ttl
        self.remove(self.origin, dns.rdatatype.SOA)
        self.add(self.origin, ttl, raised)


class Zones:
    """All zones of a server, and the lock that every reader and writer holds."""

    def __init__(self, specs: Sequence[ZoneSpec]) -> None:
        """Read them; raises BadZone and BadName."""
        self.lock = threading.Lock()
        self._zones = {zone.origin: zone for zone in map(Zone, specs)}

    def exact(self, origin: dns.name.Name) -> Zone | None:
        """The zone of that very name."""
        return self._zones.get(origin)

    def holding(self, name: dns.name.Name) -> Zone | None:
        """The deepest zone that `name` is in."""
        found = [zone for origin, zone in self._zones.items() if name.is_subdomain(origin)]
        return max(found, key=lambda zone: len(zone.origin), default=None)

    def above(self, name: dns.name.Name) -> bool:
        """Whether `name` lies between the root and a zone: it exists, and holds nothing that is known here."""
        return any(origin.is_subdomain(name) for origin in self._zones)
