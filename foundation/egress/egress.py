"""The one way out: resolve once, check every address, dial what was checked (SECURITY 2.7)."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Collection, Sequence

from foundation.egress.addresses import Address, Network, Policy
from foundation.egress.errors import EgressFailed, EgressTimeout
from foundation.egress.sockets import Endpoint, TcpSocket, UdpSocket
from foundation.egress.targets import parse_host

Resolve = Callable[[str], Sequence[str]]


class Egress:
    """Makes every outbound socket of keystead. Safe to share between threads.

    `allow`: networks opened by `--allow-network`. `never`: (address, port) of our own listeners.
    `before_call` is called before anything is sent; the store's check that no transaction is open goes here.
    Proxies in the environment are ignored, because nothing here reads it.
    """

    def __init__(
        self,
        allow: Sequence[Network] = (),
        never: Collection[Endpoint] = (),
        before_call: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the operator's rules."""
        self._policy = Policy(tuple(allow), tuple(never))
        self._before_call = before_call
        self._monotonic = monotonic

    def checked(
        self, host: str, port: int, resolve: Resolve, narrowed_to: Sequence[Network] | None = None
    ) -> list[Address]:
        """The addresses of `host`, every one of them allowed.

        One refused address refuses the host: a name that points both outside and inside is an attack, or will
        be one at the next lookup. Raises BadTarget, AddressRefused, EgressFailed (no address), and what
        `resolve` raises.
        """
        parsed = parse_host(host)
        found = (
            [parsed] if not isinstance(parsed, str) else [ipaddress.ip_address(a) for a in resolve(parsed)]
        )
        if not found:
            raise EgressFailed(f"{parsed} has no address")
        return [self._policy.judge(address, port, narrowed_to) for address in found]

    def dial(
        self,
        host: str,
        port: int,
        resolve: Resolve,
        *,
        seconds: float = 10.0,
        narrowed_to: Sequence[Network] | None = None,
    ) -> TcpSocket:
        """Open a TCP connection to `host`, resolving it once; addresses are tried in order within `seconds`.

        Raises as `checked`, and EgressFailed when none answers.
        """
        self._before_call()
        deadline = self._monotonic() + seconds
        failure: EgressFailed = EgressTimeout(f"{host} port {port} cannot be reached: it took too long")
        for address in self.checked(host, port, resolve, narrowed_to):
            left = deadline - self._monotonic()
            if left <= 0:
                break
            try:
                return TcpSocket((str(address), port), left, self._monotonic)
            except EgressFailed as error:
                failure = EgressFailed(f"{host} port {port} cannot be reached: {error}")
        raise failure

    def datagram(self, server: Endpoint) -> UdpSocket:
        """A UDP socket to a DNS server that the operator named; such servers are exempt from the address rules."""
        self._before_call()
        return UdpSocket(server)

    def stream(self, server: Endpoint, seconds: float) -> TcpSocket:
        """A TCP connection to a DNS server that the operator named; exempt likewise."""
        self._before_call()
        return TcpSocket(server, seconds, self._monotonic)
