"""The one way out to the network: what may be reached, and the sockets that reach it."""

from foundation.egress.addresses import Address, Network, Policy
from foundation.egress.egress import Egress, Resolve
from foundation.egress.errors import AddressRefused, BadTarget, EgressFailed, EgressRefused, EgressTimeout
from foundation.egress.sockets import Datagram, Endpoint, Stream, Wires
from foundation.egress.targets import Target, parse_endpoint, parse_host, parse_url

__all__ = [
    "Address",
    "AddressRefused",
    "BadTarget",
    "Datagram",
    "Egress",
    "EgressFailed",
    "EgressRefused",
    "EgressTimeout",
    "Endpoint",
    "Network",
    "Policy",
    "Resolve",
    "Stream",
    "Target",
    "Wires",
    "parse_endpoint",
    "parse_host",
    "parse_url",
]
