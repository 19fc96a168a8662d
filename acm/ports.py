"""What ACM asks of the outside: the proof of a name, and a place to publish records."""

from __future__ import annotations

from typing import Protocol


class Prover(Protocol):
    """Proof of control over a name. Calls take seconds and run with no transaction open."""

    def prove(self, name: str, value: str) -> None:
        """Return when the CNAME `name` leads to `value`; raise validation.ValidationFailed otherwise."""

    def allow(self, domain: str, *, wildcard: bool) -> None:
        """Return when CAA lets this CA issue for the domain; raise validation.CaaForbids when it does not,
        validation.ValidationFailed when the answer could not be had (RFC 8659: then nobody may issue)."""


class RecordPublisher(Protocol):
    """Writes validation CNAMEs into the zones that the operator configured (RFC 2136)."""

    def zone_for(self, name: str) -> object | None:
        """The configured zone that holds this name, None when there is none; no network."""

    def publish(self, name: str, value: str) -> None:
        """Return when the server has accepted the CNAME; raise validation.ValidationFailed otherwise.
        Publishing the same record again is harmless."""
