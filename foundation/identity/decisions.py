"""May this caller do this to that: what the policy engine is asked, and how its answer becomes an error."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from foundation.identity.calls import Call, Principal
from foundation.identity.policy import (
    MANAGED,
    Caller,
    GrantFact,
    Policies,
    Policy,
    Request,
    Value,
    Verdict,
    evaluate,
)
from foundation.identity.policy.context import CallContext
from foundation.wire import AccessDenied

__all__ = ["Decision", "Denied", "Resource", "account_resource", "authorize", "caller_of", "decide"]

MOST_CONSIDERED: Final = 100
"""Statements, and grants, in the explanation of a denial."""

NO_TOKENS: Final[AbstractSet[str]] = frozenset()


class Resource(msgspec.Struct, frozen=True):
    """What an operation is about, as an operation's `on=` resolver states it.

    `account` owns the resource. `policies` are its own policies, compiled; `delegates` says that IAM counts only
    if they say so (KMS keys, roles' trust). `conditions` are the values of the service's own condition keys for
    this call, by name in lower case; `request_tags` the tags that the call brings, if it can bring any. The
    rest is about grants: see `foundation.identity.policy.Request`.
    """

    arn: str
    account: str
    policies: tuple[Policy, ...] = ()
    grants: tuple[GrantFact, ...] = ()
    tags: Mapping[str, str] = {}  # a struct makes a dict for each instance, as default_factory would
    conditions: Mapping[str, Value] = {}
    delegates: bool = False
    request_tags: Mapping[str, str] | None = None
    encryption_context: Mapping[str, str] | None = None
    tokens: AbstractSet[str] = NO_TOKENS
    child: GrantFact | None = None


class Decision(msgspec.Struct, frozen=True):
    """The outcome of a question. Its verdict can explain itself."""

    verdict: Verdict

    @property
    def allowed(self) -> bool:
        """Whether the caller may."""
        return self.verdict.allowed

    @property
    def because(self) -> str:
        """The reason in the words that end AWS's messages."""
        return self.verdict.because

    @property
    def explanation(self) -> dict[str, Any]:
        """What the trail keeps: of what was allowed the grounds, of what was denied all that was considered."""
        request = self.verdict.request
        asked = {"action": request.action, "resource": request.resource}
        if not self.verdict.allowed:
            return asked | _bounded(self.verdict.explain())
        grounds = [ground.shown() for ground in self.verdict.grounds]
        return {**asked, "decision": "allowed", "because": self.verdict.because, "grounds": grounds}


class Denied(AccessDenied):
    """AccessDenied with the Decision that it came from; `decision.verdict.explain()` goes to the trail."""

    def __init__(self, message: str, decision: Decision) -> None:
        super().__init__(message)
        self.decision = decision


def account_resource(call: Call) -> Resource:
    """Give the resource `*` in the caller's own account: what lists and creations are asked about."""
    return Resource(arn="*", account=call.account)


def decide(call: Call, action: str, resource: Resource) -> Decision:
    """Judge without raising, so that a denial can be explained or simulated."""
    principal = call.principal
    held = principal.permissions
    request = Request(
        caller_of(principal),
        action,
        resource.arn,
        resource.account,
        CallContext(call, resource.conditions, resource.tags, resource.request_tags),
        resource.encryption_context,
        resource.tokens,
        resource.child,
    )
    policies = Policies(
        _managed(principal) + held.identity if principal.policies else held.identity,
        held.boundary,
        held.session,
        resource.policies,
        resource.grants,
        resource.delegates,
    )
    return Decision(evaluate(request, policies))


def authorize(call: Call, action: str, resource: Resource) -> Decision:
    """Return the Decision that allows `action` on `resource`; raise Denied, in AWS's words, otherwise."""
    decision = decide(call, action, resource)
    if decision.allowed:
        return decision
    raise Denied(
        f"User: {call.principal.arn} is not authorized to perform: {action} on resource: {resource.arn} "
        f"{decision.because}",
        decision,
    )


def _bounded(explained: dict[str, Any]) -> dict[str, Any]:
    """Keep an explanation short enough for a record; what was left out is counted."""
    for name in ("considered", "grants"):
        listed = explained[name]
        if len(listed) > MOST_CONSIDERED:
            explained[name] = listed[:MOST_CONSIDERED]
            explained[f"{name}Omitted"] = len(listed) - MOST_CONSIDERED
    return explained


def caller_of(principal: Principal) -> Caller:
    """Give what the engine needs to know about a principal."""
    session = principal.session
    return Caller(
        principal.account,
        principal.arn,
        principal.principal_id,
        principal.kind,
        "" if session is None else session.role_arn,
        "" if session is None else session.role_id,
    )


def _managed(principal: Principal) -> tuple[Policy, ...]:
    """Give the AWS managed policies attached to it; one that keystead does not have gives nothing."""
    return tuple(MANAGED[arn] for arn in principal.policies if arn in MANAGED)
