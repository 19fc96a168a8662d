"""Publishing validation records in the operator's own zones: dynamic updates (RFC 2136) signed by TSIG (RFC 8945)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from foundation.egress import EgressFailed, Endpoint, Wires
from validation.errors import Kind, PublishFailed
from validation.exchange import show
from validation.names import normalise_owner
from validation.tsig import ALGORITHMS, TsigKey

TTL = 300  # seconds; short, so that a corrected record is seen soon
UPDATE_SECONDS = 10.0

# What the server's TSIG says of our signature (RFC 8945 section 5.2).
_PEER_FAULTS: dict[type[dns.exception.DNSException], Kind] = {
    dns.tsig.PeerBadKey: Kind.BAD_KEY,
    dns.tsig.PeerBadSignature: Kind.BAD_SIGNATURE,
    dns.tsig.PeerBadTime: Kind.BAD_TIME,
    dns.tsig.BadTime: Kind.BAD_TIME,
    dns.tsig.BadSignature: Kind.UNSIGNED_ANSWER,
    dns.tsig.BadKey: Kind.UNSIGNED_ANSWER,
    dns.tsig.BadAlgorithm: Kind.UNSIGNED_ANSWER,
}
_CODES: dict[dns.rcode.Rcode, Kind] = {
    dns.rcode.NOTAUTH: Kind.NOT_AUTHORITATIVE,
    dns.rcode.NOTZONE: Kind.NOT_AUTHORITATIVE,
    dns.rcode.REFUSED: Kind.UPDATE_REFUSED,
}


@dataclass(frozen=True, slots=True)
class UpdateZone:
    """A zone that keystead may update: its name, its primary server, and the key that the server knows."""

    zone: str
    server: Endpoint
    key: TsigKey | None = None

    def __post_init__(self) -> None:
        """Keep the zone's name in canonical form; raises BadName."""
        object.__setattr__(self, "zone", normalise_owner(self.zone))


class Publisher:
    """Adds and removes CNAME records in the configured zones. Safe to share between threads; keeps no state."""

    def __init__(
        self,
        zones: Sequence[UpdateZone],
        egress: Wires,
        entropy: Callable[[int], bytes],
        *,
        seconds: float = UPDATE_SECONDS,
    ) -> None:
        """`seconds` bounds each call."""
        self._zones = tuple(zones)
        self._wires = egress
        self._entropy = entropy
        self._seconds = seconds

    def zone_for(self, name: str) -> UpdateZone | None:
        """The longest configured zone that holds `name`, or None: then a person has to publish."""
        owner = normalise_owner(name)
        holding = [zone for zone in self._zones if owner == zone.zone or owner.endswith(f".{zone.zone}")]
        return max(holding, key=lambda zone: zone.zone.count("."), default=None)

    def publish(self, name: str, value: str, ttl: int = TTL) -> None:
        """Make `name` hold exactly the CNAME `value`. May be repeated; raises PublishFailed, BadName.

        When it returns, the primary server has the record; its secondaries may still lag.
        """
        owner, target = _absolute(name), _absolute(value)
        zone = self._zone(name)
        update = self._update(zone)
        update.replace(owner, ttl, "CNAME", target.to_text())
        self._send(zone, update)

    def withdraw(self, name: str, value: str) -> None:
        """Remove the CNAME `value` from `name`, and nothing else. May be repeated; raises PublishFailed, BadName."""
        owner, target = _absolute(name), _absolute(value)
        zone = self._zone(name)
        update = self._update(zone)
        update.delete(owner, "CNAME", target.to_text())
        self._send(zone, update)

    def _zone(self, name: str) -> UpdateZone:
        zone = self.zone_for(name)
        if zone is None:
            known = ", ".join(zone.zone for zone in self._zones) or "none"
            raise PublishFailed(Kind.NO_ZONE, name=normalise_owner(name), zones=known)
        return zone

    def _update(self, zone: UpdateZone) -> dns.update.UpdateMessage:
        message = dns.update.UpdateMessage(
            dns.name.from_text(zone.zone), id=int.from_bytes(self._entropy(2), "big")
        )
        if zone.key is not None:
            # The time in the signature is the host's own, as RFC 8945 wants: dnspython reads it.
            message.use_tsig(zone.key.keyring(), algorithm=ALGORITHMS[zone.key.algorithm])
        return message

    def _send(self, zone: UpdateZone, update: dns.update.UpdateMessage) -> None:
        """Send over TCP, where an update is not lost on the way and answers cannot be forged off the path."""
        facts = {
            "server": show(zone.server),
            "zone": zone.zone,
            "key": zone.key.name if zone.key else "(none)",
        }
        try:
            reply = _read_reply(update, self._exchanged(zone, update.to_wire()))
        except EgressFailed as error:
            raise PublishFailed(Kind.UPDATE_FAILED, why=error, **facts) from error
        except dns.exception.DNSException as error:
            kind = _PEER_FAULTS.get(type(error), Kind.UPDATE_FAILED)
            raise PublishFailed(kind, why=type(error).__name__, **facts) from error
        _judge_reply(update, reply, facts)

    def _exchanged(self, zone: UpdateZone, wire: bytes) -> bytes:
        stream = self._wires.stream(zone.server, self._seconds)
        try:
            stream.send(len(wire).to_bytes(2, "big") + wire)
            return stream.receive_exactly(int.from_bytes(stream.receive_exactly(2), "big"))
        finally:
            stream.close()


def _read_reply(update: dns.update.UpdateMessage, wire: bytes) -> dns.message.Message:
    """Parse, and verify the signature when there is one: servers may refuse without (RFC 8945 section 5.3.2)."""
    reply = dns.message.from_wire(wire, keyring=False)
    if update.keyring is None or not reply.had_tsig:
        return reply
    return dns.message.from_wire(wire, keyring=update.keyring, request_mac=update.mac)


def _judge_reply(update: dns.update.UpdateMessage, reply: dns.message.Message, facts: dict[str, str]) -> None:
    """Raise PublishFailed unless the server says, under our key, that it took the update."""
    if reply.id != update.id or reply.opcode() != dns.opcode.UPDATE:
        raise PublishFailed(Kind.UPDATE_FAILED, why="the answer belongs to another question", **facts)
    code = reply.rcode()
    if code != dns.rcode.NOERROR:
        kind = _CODES.get(code, Kind.UPDATE_FAILED)
        raise PublishFailed(
            kind, rcode=dns.rcode.to_text(code), why=f"it answered {dns.rcode.to_text(code)}", **facts
        )
    if update.keyring is not None and not reply.had_tsig:
        raise PublishFailed(Kind.UNSIGNED_ANSWER, **facts)


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(normalise_owner(name))
