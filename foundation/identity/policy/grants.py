"""What a KMS grant allows: some operations, to one principal, under constraints (kms, CreateGrant)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from foundation.identity.policy.facts import Context, Request
from foundation.identity.policy.match import arns
from foundation.identity.policy.principals import Strength, strength_of
from foundation.identity.policy.variables import parts

__all__ = ["GrantFact"]

RETIRE: Final = "kms:RetireGrant"
CREATE: Final = "kms:CreateGrant"


@dataclass(frozen=True, slots=True)
class GrantFact:
    """One grant on the key that a request is about.

    `grantee` and `retiring` are pinned principals (unique ids, roots' ARNs) or names of services. `operations`
    are names such as "Encrypt". A `fresh` grant works for those who present its token only. Constraints: None
    for those that the grant does not have.
    """

    grant_id: str
    grantee: str
    operations: frozenset[str]
    retiring: str = ""
    context_equals: Mapping[str, str] | None = None
    context_subset: Mapping[str, str] | None = None
    source_arn: str | None = None
    fresh: bool = False

    def strength(self, request: Request) -> Strength:
        """Say how the grant names the caller, if it allows the request; `Strength.NONE` if it does not."""
        action = request.action
        if action != RETIRE and action.partition(":")[2] not in self.operations:  # the cheapest to tell
            return Strength.NONE
        named = self._names(request)
        return Strength.NONE if named and self._limited(request) else named

    def obstacle(self, request: Request) -> str:
        """Say what keeps the grant from allowing the request; "" if nothing does."""
        return self._limited(request) if self._names(request) else "principal"

    def _names(self, request: Request) -> Strength:
        if request.action == RETIRE:
            return self._retires(request)
        return strength_of(self.grantee, request.caller)

    def _limited(self, request: Request) -> str:
        if self.fresh and self.grant_id not in request.tokens:
            return "token"
        if request.action == RETIRE:
            return ""
        if request.action.partition(":")[2] not in self.operations:
            return "operation"
        if not self._on_behalf(request.context):
            return "constraint SourceArn"
        if request.action == CREATE:
            return (
                "" if request.child is not None and self._covers(request.child) else "wider than its parent"
            )
        return "" if self._context_fits(request.encryption_context) else "constraint EncryptionContext"

    def _retires(self, request: Request) -> Strength:
        # No constraint applies to RetireGrant, and the grant is all that it takes, in any account.
        strength = strength_of(self.retiring, request.caller) if self.retiring else Strength.NONE
        if "RetireGrant" in self.operations:
            strength = max(strength, strength_of(self.grantee, request.caller))
        return Strength.ALONE if strength > Strength.ACCOUNT else strength

    def _context_fits(self, context: Mapping[str, str] | None) -> bool:
        """Compare as grants do: the case of keys does not matter, that of values does."""
        if context is None:  # the operation takes none: constraints are not applied to it
            return True
        if self.context_equals is None and self.context_subset is None:
            return True
        given = {(key.lower(), value) for key, value in context.items()}
        if self.context_equals is not None and given != _pairs(self.context_equals):
            return False
        return self.context_subset is None or _pairs(self.context_subset) <= given

    def _on_behalf(self, context: Context) -> bool:
        if self.source_arn is None:
            return True
        source = context.get("aws:sourcearn")
        wanted = arns([parts(self.source_arn, variables=False)]).fixed
        return isinstance(source, str) and wanted(source)

    def _covers(self, child: "GrantFact") -> bool:
        """Whether a grant made with this one is no wider: operations, and equal or stricter constraints."""
        if not child.operations <= self.operations:
            return False
        if self.source_arn is not None and child.source_arn != self.source_arn:
            return False
        equals = None if child.context_equals is None else _pairs(child.context_equals)
        subset = set() if child.context_subset is None else _pairs(child.context_subset)
        if self.context_equals is not None and equals != _pairs(self.context_equals):
            return False
        return self.context_subset is None or _pairs(self.context_subset) <= (subset | (equals or set()))


def _pairs(context: Mapping[str, str]) -> set[tuple[str, str]]:
    return {(key.lower(), value) for key, value in context.items()}
