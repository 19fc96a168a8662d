"""Why the way out is closed."""

from __future__ import annotations


class EgressRefused(Exception):
    """An address, host or URL that may not be reached. The message is printable ASCII and echoes nothing fetched."""


class BadTarget(EgressRefused):
    """A host or URL that is not written in the one strict form that is accepted."""


class AddressRefused(EgressRefused):
    """An address that policy closes; `why` is the rule's own words."""

    def __init__(self, address: str, port: int, why: str) -> None:
        """State the address, the port and the rule that closed it."""
        self.address = address
        self.port = port
        self.why = why
        super().__init__(f"{address} port {port} may not be reached: {why}")


class EgressFailed(Exception):
    """The target was allowed but could not be reached in time."""


class EgressTimeout(EgressFailed):
    """The other side was too slow."""
