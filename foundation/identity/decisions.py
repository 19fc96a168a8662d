"""May this caller do this to that: the seam behind which the policy engine stands.

Until the engine: an account's root, and a user to whom AdministratorAccess is attached, may do everything in
their own account; everything else is denied.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from foundation.identity.calls import ADMINISTRATOR_ACCESS, Call, Principal
from foundation.wire import AccessDenied

__all__ = ["Decision", "Resource", "account_resource", "authorize", "decide"]


@dataclass(frozen=True, slots=True)
class Resource:
    """What an operation is about, as an operation's `on=` resolver states it.

    `account` owns the resource. `policies` are its resource policies, `grants` its grants, `conditions` the
    values of the service's own condition keys for this call.
    """

    arn: str
    account: str
    policies: tuple[Any, ...] = ()
    grants: tuple[Any, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome and the reason of it, in words that AWS uses after "because"."""

    allowed: bool
    because: str


def account_resource(call: Call) -> Resource:
    """Give the resource `*` in the caller's own account: what lists and creations are asked about."""
    return Resource(arn="*", account=call.account)


def decide(call: Call, action: str, resource: Resource) -> Decision:
    """Judge without raising, so that a denial can be explained or simulated."""
    principal = call.principal
    if resource.account != principal.account:
        return Decision(allowed=False, because=f"no resource-based policy allows the {action} action")
    if _administers(principal):
        return Decision(allowed=True, because=f"an identity-based policy allows the {action} action")
    return Decision(allowed=False, because=f"no identity-based policy allows the {action} action")


def authorize(call: Call, action: str, resource: Resource) -> Decision:
    """Return the Decision that allows `action` on `resource`; raise AccessDenied in AWS's words otherwise."""
    decision = decide(call, action, resource)
    if decision.allowed:
        return decision
    raise AccessDenied(
        f"User: {call.principal.arn} is not authorized to perform: {action} on resource: {resource.arn} "
        f"because {decision.because}"
    )


def _administers(principal: Principal) -> bool:
    if principal.kind == "root":
        return True
    return principal.kind == "user" and ADMINISTRATOR_ACCESS in principal.policies
