"""Which addresses may be reached: one table, walked for every address before it is dialled (SECURITY 2.7)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from foundation.egress.errors import AddressRefused

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Verdict(Enum):
    """What a rule says about the addresses of its network."""

    NEVER = "never, whatever the setting"
    IF_ALLOWED = "only where the operator's list covers it"
    EMBEDS = "carries an IPv4 address, and that one must be public"
    PUBLIC = "may be reached"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a network, what holds for it, and the words for the person who is refused."""

    network: Network
    verdict: Verdict
    why: str
    embedded: Callable[[int], int] | None = (
        None  # for EMBEDS: the 128-bit address to the 32 bits that it carries
    )


def _low32(value: int) -> int:
    return value & 0xFFFFFFFF


def _6to4(value: int) -> int:
    return value >> 80 & 0xFFFFFFFF


def _teredo(value: int) -> int:
    return ~value & 0xFFFFFFFF  # RFC 4380 section 4: the client's address, inverted


def _rule(network: str, verdict: Verdict, why: str, embedded: Callable[[int], int] | None = None) -> Rule:
    return Rule(ipaddress.ip_network(network), verdict, why, embedded)


_N, _A, _E, _P = Verdict.NEVER, Verdict.IF_ALLOWED, Verdict.EMBEDS, Verdict.PUBLIC

# The first row that covers the address decides, so an exception stands above what it is taken from.
RULES: tuple[Rule, ...] = (
    _rule("169.254.0.0/16", _N, "link-local, where cloud metadata services live (RFC 3927)"),
    _rule("100.100.100.200/32", _N, "a cloud metadata service"),
    _rule("168.63.129.16/32", _N, "a cloud metadata service"),
    _rule("192.0.0.0/24", _N, "protocol assignments, and a cloud metadata service (RFC 6890)"),
    _rule("0.0.0.0/8", _N, "unspecified, or this network (RFC 1122)"),
    _rule("224.0.0.0/4", _N, "multicast (RFC 5771)"),
    _rule("240.0.0.0/4", _N, "reserved or broadcast (RFC 1112)"),
    _rule("127.0.0.0/8", _A, "loopback (RFC 1122)"),
    _rule("10.0.0.0/8", _A, "a private network (RFC 1918)"),
    _rule("172.16.0.0/12", _A, "a private network (RFC 1918)"),
    _rule("192.168.0.0/16", _A, "a private network (RFC 1918)"),
    _rule("100.64.0.0/10", _A, "carrier-grade NAT (RFC 6598)"),
    _rule("198.18.0.0/15", _A, "a benchmarking network (RFC 2544)"),
    _rule("192.0.2.0/24", _A, "a documentation network (RFC 5737)"),
    _rule("198.51.100.0/24", _A, "a documentation network (RFC 5737)"),
    _rule("203.0.113.0/24", _A, "a documentation network (RFC 5737)"),
    _rule("192.88.99.0/24", _N, "the 6to4 relay anycast (RFC 7526)"),
    _rule("0.0.0.0/0", _P, "public"),
    _rule("::/128", _N, "unspecified (RFC 4291)"),
    _rule("::1/128", _A, "loopback (RFC 4291)"),
    _rule("::ffff:0:0/96", _E, "an IPv4-mapped form (RFC 4291)", _low32),
    _rule("::ffff:0:0:0/96", _E, "an IPv4-translated form (RFC 2765)", _low32),
    _rule("::/96", _E, "an IPv4-compatible form (RFC 4291)", _low32),
    _rule("64:ff9b::/96", _E, "a NAT64 form (RFC 6052)", _low32),
    _rule("64:ff9b:1::/48", _N, "a local NAT64 form (RFC 8215)"),
    _rule("2002::/16", _E, "a 6to4 form (RFC 3056)", _6to4),
    _rule("2001::/32", _E, "a Teredo form (RFC 4380)", _teredo),
    _rule("fd00:ec2::/32", _N, "a cloud metadata service"),
    _rule("fe80::/10", _N, "link-local (RFC 4291)"),
    _rule("fec0::/10", _N, "site-local, withdrawn (RFC 3879)"),
    _rule("ff00::/8", _N, "multicast (RFC 4291)"),
    _rule("100::/64", _N, "the discard prefix (RFC 6666)"),
    _rule("fc00::/7", _A, "a unique local network (RFC 4193)"),
    _rule("2001:db8::/32", _A, "a documentation network (RFC 3849)"),
    _rule("2000::/3", _P, "global unicast (RFC 4291)"),
    _rule("::/0", _N, "outside the allocated address space (RFC 4291)"),
)


def rule_for(address: Address) -> Rule:
    """The row of `RULES` that decides about `address`."""
    return next(rule for rule in RULES if rule.network.version == address.version and address in rule.network)


def is_local(address: Address) -> bool:
    """Whether this host answers to `address`: the kernel lets a socket bind to nothing else."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Policy:
    """The operator's rules.

    `allow`: networks that the operator opened (`--allow-network`). `never`: our own listeners; an unspecified
    address there stands for every address of this host. An account's own list can only narrow the operator's.
    """

    allow: Sequence[Network] = ()
    never: Collection[tuple[str, int]] = ()
    is_local: Callable[[Address], bool] = is_local

    def judge(self, address: Address, port: int, narrowed_to: Sequence[Network] | None = None) -> Address:
        """Return the address to dial, or raise AddressRefused with the reason.

        An IPv6 form of a public IPv4 address is dialled as written; the same form of any other address is
        refused even where the operator opened the network that it hides (SECURITY 2.7).
        """
        rule = rule_for(address)
        if rule.verdict is Verdict.EMBEDS and rule.embedded is not None:
            self._judge_embedded(address, port, rule, IPv4Address(rule.embedded(int(address))))
        elif rule.verdict is Verdict.NEVER:
            raise AddressRefused(str(address), port, rule.why)
        elif rule.verdict is Verdict.IF_ALLOWED:
            if not _covered(address, self.allow):
                raise AddressRefused(str(address), port, f"{rule.why}; open it with --allow-network")
            if narrowed_to is not None and not _covered(address, narrowed_to):
                raise AddressRefused(str(address), port, f"{rule.why}; the account's own list closes it")
        self._judge_listener(address, port)
        return address

    def _judge_embedded(self, address: Address, port: int, rule: Rule, inner: IPv4Address) -> None:
        hidden = rule_for(inner)
        if hidden.verdict is not Verdict.PUBLIC:
            raise AddressRefused(str(address), port, f"{rule.why} of {inner}: {hidden.why}")
        self._judge_listener(inner, port)

    def _judge_listener(self, address: Address, port: int) -> None:
        for host, taken in self.never:
            if taken != port:
                continue
            listener = ipaddress.ip_address(host)
            if address == listener or (listener.is_unspecified and self.is_local(address)):
                raise AddressRefused(str(address), port, "keystead itself listens there")


def _covered(address: Address, networks: Sequence[Network]) -> bool:
    return any(network.version == address.version and address in network for network in networks)
