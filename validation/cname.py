"""Proof of control by a CNAME record: ACM's way, in which the target is compared and never resolved."""

from __future__ import annotations

from dataclasses import dataclass, field

from validation.errors import Kind, ValidationFailed
from validation.exchange import Deadline
from validation.lookup import Lookups, extend
from validation.names import normalise_owner

TARGET_ZONE = "acm-validations.aws"


@dataclass(frozen=True, slots=True)
class Proof:
    """The record that was found: `name` leads to `value`, through the names in `via` where it was delegated."""

    name: str
    value: str
    via: tuple[str, ...] = ()


def prove_cname(dns: Lookups, name: str, value: str) -> Proof:
    """Return the proof that `name` leads to `value` by CNAME records, or raise ValidationFailed.

    Both are compared in lower case and without the trailing dot. Each target on the way is compared; one that is
    not `value` is looked up in turn (an operator may delegate `_abc.example.com` to `_abc.acme.internal`), up to
    ten links, except below `acm-validations.aws`, which nobody serves: there the comparison is the answer. All of
    it ends within the time of one lookup. The form of the record is ACM's (DescribeCertificate, ResourceRecord).
    """
    walk = _Walk(dns, normalise_owner(name), normalise_owner(value))
    deadline = dns.deadline()
    while (found := walk.next(deadline)) != walk.wanted:
        walk.chain.append(found)
        extend(walk.owner, walk.chain)
        if found == TARGET_ZONE or found.endswith(f".{TARGET_ZONE}"):
            raise walk.wrong()
    return Proof(walk.owner, walk.wanted, tuple(walk.chain))


@dataclass
class _Walk:
    """A chain of CNAME records on its way from `owner`; `chain` holds the targets so far, none of them wanted."""

    dns: Lookups
    owner: str
    wanted: str
    chain: list[str] = field(default_factory=list)

    def next(self, deadline: Deadline) -> str:
        """The target of the CNAME at the end of the chain. A dead end behind the first link makes that link wrong."""
        try:
            answer = self.dns.lookup(self.chain[-1] if self.chain else self.owner, "CNAME", deadline)
        except ValidationFailed as error:
            # A target that is no name, or one that an authoritative server does not serve, is a dead end too.
            if self.chain and error.kind in {Kind.BAD_NAME, Kind.REFUSED}:
                raise self.wrong() from error
            raise
        if answer.records:
            return answer.records[0]
        if self.chain:
            raise self.wrong()
        raise ValidationFailed(answer.absent or Kind.NO_DATA, name=self.owner, value=self.wanted)

    def wrong(self) -> ValidationFailed:
        """The chain ends elsewhere."""
        return ValidationFailed(
            Kind.WRONG_TARGET, name=self.owner, found=" -> ".join(self.chain), value=self.wanted
        )
