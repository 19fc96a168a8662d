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

MOST_SETTLED: Final = 4_096
"""Allowed questions whose answer is kept."""

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
    told: msgspec.Raw | None = None
    """The explanation as JSON, where it has been written already."""

    @property
    def allowed(self) -> bool:
        """Whether the caller may."""
        return self.verdict.allowed

    @property
    def because(self) -> str:
        """The reason in the words that end AWS's messages."""
        return self.verdict.because

    @property
    def explanation(self) -> dict[str, Any] | msgspec.Raw:
        """What the trail keeps: of what was allowed the grounds, of what was denied all that was considered."""
        return self._explained() if self.told is None else self.told

    def _explained(self) -> dict[str, Any]:
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
    place = (id(call.principal), action, resource.arn)
    known = _settled.get(place)
    if known is not None and known.fits(call.principal, resource):
        return known.decision
    decision = decide(call, action, resource)
    if decision.allowed:
        if _settles(call.principal, action, resource):
            return _remember(place, call.principal, resource, decision)
        return decision
    raise Denied(
        f"User: {call.principal.arn} is not authorized to perform: {action} on resource: {resource.arn} "
        f"{decision.because}",
        decision,
    )


class _Settled(msgspec.Struct, frozen=True):
    """A decision that holds for every call of this principal about this resource, while both are as they are.

    Authentication and the caches of resources give the same objects until something changes, so it is by their
    identity that a change is noticed; they are held here, so that their ids stand for no others.
    """

    principal: Principal
    account: str
    policies: tuple[Policy, ...]
    delegates: bool
    decision: Decision

    def fits(self, principal: Principal, resource: Resource) -> bool:
        return (
            self.principal is principal
            and not resource.grants
            and self.policies == resource.policies
            and self.account == resource.account
            and self.delegates == resource.delegates
        )


_settled: dict[tuple[int, str, str], _Settled] = {}


def _settles(principal: Principal, action: str, resource: Resource) -> bool:
    """Whether nothing that differs from call to call was asked: conditions, variables, grants."""
    held = principal.permissions
    limits = held.session if held.boundary is None else (held.boundary, *held.session)
    policies = (*_managed(principal), *held.identity, *limits, *resource.policies)
    return not resource.grants and all(policy.plain(action) for policy in policies)


def _remember(
    place: tuple[int, str, str], principal: Principal, resource: Resource, decision: Decision
) -> Decision:
    if len(_settled) >= MOST_SETTLED:
        _settled.clear()
    told = Decision(decision.verdict, msgspec.Raw(msgspec.json.encode(decision.explanation)))
    _settled[place] = _Settled(principal, resource.account, resource.policies, resource.delegates, told)
    return told


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
