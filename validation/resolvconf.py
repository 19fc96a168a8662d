"""The resolvers that the system uses, for when the operator names none (resolv.conf(5))."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from foundation.egress import Endpoint
from validation.errors import DnsFailed, Kind

RESOLV_CONF = Path("/etc/resolv.conf")


def system_resolvers(path: Path = RESOLV_CONF) -> tuple[Endpoint, ...]:
    """Return the first `nameserver` of the file on port 53, or raise DnsFailed (NO_RESOLVER).

    One only: the C library asks the second when the first is silent, while resolvers given to `Dns` must all
    agree, and the servers of one resolv.conf often do not (split DNS on a laptop).
    """
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        raise DnsFailed(Kind.NO_RESOLVER, why=f"{path} cannot be read ({error.strerror})") from error
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].split()
        if len(words) == 2 and words[0] == "nameserver":
            try:
                return ((str(ipaddress.ip_address(words[1])), 53),)
            except ValueError:
                continue  # the C library skips what it cannot read, too
    raise DnsFailed(Kind.NO_RESOLVER, why=f"{path} names none")
