"""An authoritative DNS server for tests and demonstrations, with dynamic updates; not for production."""

from validation.testdns.server import DnsServer, ListenFailed, run
from validation.testdns.zones import BadZone, ZoneSpec

__all__ = ["BadZone", "DnsServer", "ListenFailed", "ZoneSpec", "run"]
