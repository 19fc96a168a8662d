"""Each way in which a name can fail to be proven, or a record to be published, with its sentence for humans."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What went wrong. The value is stable and machine-readable; `SENTENCES` holds the words."""

    # The name itself
    BAD_NAME = "bad-name"
    # The answer of the DNS
    NXDOMAIN = "nxdomain"
    NO_DATA = "no-data"
    WRONG_TARGET = "wrong-target"
    LOOP = "loop"
    TOO_DEEP = "too-deep"
    AMBIGUOUS = "ambiguous"
    DISAGREE = "resolvers-disagree"
    # The way to the DNS
    TIMEOUT = "timeout"
    OUT_OF_TIME = "out-of-time"
    UNREACHABLE = "unreachable"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    MALFORMED = "malformed"
    NO_RESOLVER = "no-resolver"
    # CAA (RFC 8659)
    CAA_FORBIDS = "caa-forbids"
    CAA_CRITICAL = "caa-critical"
    CAA_UNKNOWN = "caa-unknown"
    # Publishing (RFC 2136, RFC 8945)
    NO_ZONE = "no-zone"
    NOT_AUTHORITATIVE = "not-authoritative"
    UPDATE_REFUSED = "update-refused"
    UPDATE_FAILED = "update-failed"
    BAD_KEY = "bad-key"
    BAD_SIGNATURE = "bad-signature"
    BAD_TIME = "bad-time"
    UNSIGNED_ANSWER = "unsigned-answer"


SENTENCES: dict[Kind, str] = {
    Kind.BAD_NAME: "{name} is not a name that can be proven: {why}",
    Kind.NXDOMAIN: "no CNAME record at {name}: the name does not exist; publish {name} CNAME {value}",
    Kind.NO_DATA: "no CNAME record at {name}; publish {name} CNAME {value}",
    Kind.WRONG_TARGET: "the CNAME at {name} points to {found}, not to {value}",
    Kind.LOOP: "the CNAME records at {name} form a loop: {chain}",
    Kind.TOO_DEEP: "the CNAME chain at {name} is longer than {limit}: {chain}",
    Kind.AMBIGUOUS: "{name} has {count} CNAME records, and a name can have only one (RFC 1034 section 3.6.2)",
    Kind.DISAGREE: "resolvers disagree about {rtype} {name}: {answers}",
    Kind.TIMEOUT: "resolver {server} did not answer {rtype} {name} within {seconds:.3g} s",
    Kind.OUT_OF_TIME: "looking up {rtype} {name} took longer than {seconds:g} s in all",
    Kind.UNREACHABLE: "resolver {server} cannot be reached for {rtype} {name}: {why}",
    Kind.SERVFAIL: "resolver {server} failed on {rtype} {name} (SERVFAIL)",
    Kind.REFUSED: "resolver {server} refuses to answer {rtype} {name} ({rcode})",
    Kind.MALFORMED: "resolver {server} sent an answer to {rtype} {name} that cannot be used: {why}",
    Kind.NO_RESOLVER: "no DNS resolver is known: {why}; name one with --resolver",
    Kind.CAA_FORBIDS: "the CAA records at {at} do not let {issuers} issue for {name}: {records}",
    Kind.CAA_CRITICAL: "the CAA records at {at} hold the critical property {tag!r}, which is not understood, so nothing may be issued for {name}",
    Kind.CAA_UNKNOWN: "whether CAA lets anyone issue for {name} cannot be told: {why}",
    Kind.NO_ZONE: "no zone that may be updated holds {name}; configured: {zones}",
    Kind.NOT_AUTHORITATIVE: "DNS server {server} answers {rcode} for the zone {zone}: it is not the zone's primary server, or wants another key than {key}",
    Kind.UPDATE_REFUSED: "DNS server {server} refuses updates of {zone} (REFUSED); allow the key {key} to update it",
    Kind.UPDATE_FAILED: "DNS server {server} did not take the update of {zone}: {why}",
    Kind.BAD_KEY: "DNS server {server} does not take the TSIG key {key} for {zone} (BADKEY); check the key's name, its algorithm and its rights",
    Kind.BAD_SIGNATURE: "the TSIG secret of {key} is not the one that DNS server {server} holds for {zone} (BADSIG)",
    Kind.BAD_TIME: "the clocks of this host and DNS server {server} differ by more than TSIG allows (BADTIME) for {zone}; set the clock",
    Kind.UNSIGNED_ANSWER: "DNS server {server} answered the update of {zone} without the TSIG signature that was asked for",
}


class ValidationFailed(Exception):
    """A name is not proven. `kind` says why to a program and `detail` to a person (printable ASCII).

    `transient` is true when asking again later may help without anybody changing a record.
    """

    def __init__(self, kind: Kind, **facts: object) -> None:
        """Fill the sentence of `kind` with `facts`; a missing fact is a KeyError here, not a hole in a message."""
        self.kind = kind
        self.facts = facts
        self.detail = SENTENCES[kind].format_map(facts)
        super().__init__(self.detail)

    @property
    def transient(self) -> bool:
        """Whether the fault may go away by itself."""
        return self.kind in TRANSIENT


TRANSIENT = frozenset(
    {
        Kind.TIMEOUT,
        Kind.OUT_OF_TIME,
        Kind.UNREACHABLE,
        Kind.SERVFAIL,
        Kind.DISAGREE,
        Kind.CAA_UNKNOWN,
    },
)


class BadName(ValidationFailed):
    """A name that no certificate could carry, or that DNS cannot prove."""


class DnsFailed(ValidationFailed):
    """The DNS gave no usable answer; this is not the same as answering that nothing is there."""


class CaaForbids(ValidationFailed):
    """CAA does not allow issuance, or cannot be read (RFC 8659 section 3: then issuance is forbidden too)."""


class PublishFailed(ValidationFailed):
    """A record could not be published or withdrawn by RFC 2136."""
