"""The decision: AWS's evaluation logic for one account and for two (IAM User Guide, "Policy evaluation logic").

1. A Deny statement that applies, in any policy, decides.
2. At home, the resource's policy or a grant suffices when it names the caller itself (user, session, service,
   everyone): implicit denies of other policies do not matter. When it names the role, the session's boundary
   and session policies must allow too. When it names the account, the account's own policies decide.
3. Otherwise an identity-based policy must allow, and the boundary and a session policy, where there are any. For
   resources that delegate (KMS keys, roles' trust) this counts only if the resource's policy names the account.
4. Between accounts both sides must allow: 2 in any form, and 3.
"""

from collections.abc import Iterable
from typing import Final

from foundation.identity.policy.compiled import Policy
from foundation.identity.policy.facts import Policies, Request
from foundation.identity.policy.principals import Strength
from foundation.identity.policy.verdict import Ground, Layer, Verdict, layer_of

__all__ = ["Allowance", "evaluate", "resource_side"]

Allowance = tuple[Strength, Ground | None]
NOTHING: Final[Allowance] = (Strength.NONE, None)

# Members of enumerations are looked up once: in this version of Python each look-up is a call.
NONE, ROLE, DIRECT, ALONE = Strength.NONE, Strength.ROLE, Strength.DIRECT, Strength.ALONE
IDENTITY, BOUNDARY, SESSION = Layer.IDENTITY, Layer.BOUNDARY, Layer.SESSION


def evaluate(request: Request, policies: Policies) -> Verdict:
    """Decide one request. Never raises for a denial: the caller turns the Verdict into an error."""
    denial = _denied(request, policies)
    if denial is not None:
        return Verdict(False, denial.layer, (denial,), request, policies)
    strength, ground = resource_side(request, policies)
    caller = request.caller
    if caller.kind == "service" or strength is ALONE:
        return _by_resource(request, policies, ground)
    home = caller.account == request.account
    if home and strength is DIRECT:
        return _by_resource(request, policies, ground)
    if not strength and (not home or policies.delegates):
        return _by_resource(request, policies, None)
    if home and strength is ROLE:
        return _allowed_within(request, policies, ground)
    return _own_side(request, policies, ground)


def resource_side(request: Request, policies: Policies) -> Allowance:
    """Say how strongly the resource's policies and grants name the caller, and which of them most strongly."""
    best = NOTHING
    for policy in policies.resource:
        best = _stronger(best, _allows(policy, layer_of(policy), request))
    if best[0] < DIRECT:
        for grant in policies.grants:
            strength = grant.strength(request)
            if strength > best[0]:
                best = strength, Ground(Layer.GRANT, "grant", grant.grant_id)
                if strength >= DIRECT:  # a key may have hundreds of grants to one principal
                    break
    return best


def _denied(request: Request, policies: Policies) -> Ground | None:
    action = request.action
    for policy in policies.identity:
        for compiled in policy.choice(action)[0]:
            if compiled.strength(request):
                return Ground(IDENTITY, policy.name, compiled.label)
    for policy in policies.resource:
        for compiled in policy.choice(action)[0]:
            if compiled.strength(request):
                return Ground(layer_of(policy), policy.name, compiled.label)
    return _limits_deny(request, policies) if policies.boundary is not None or policies.session else None


def _limits_deny(request: Request, policies: Policies) -> Ground | None:
    limits = [(SESSION, policy) for policy in policies.session]
    if policies.boundary is not None:
        limits.insert(0, (BOUNDARY, policies.boundary))
    for layer, policy in limits:
        for compiled in policy.choice(request.action)[0]:
            if compiled.strength(request):
                return Ground(layer, policy.name, compiled.label)
    return None


def _allows(policy: Policy, layer: Layer, request: Request) -> Allowance:
    best, by = NONE, None
    for compiled in policy.choice(request.action)[1]:
        strength = compiled.strength(request)
        if strength > best:
            best, by = strength, compiled
            if strength is DIRECT:
                break
    return NOTHING if by is None else (best, Ground(layer, policy.name, by.label))


def _stronger(one: Allowance, other: Allowance) -> Allowance:
    return other if other[0] > one[0] else one


def _by_resource(request: Request, policies: Policies, ground: Ground | None) -> Verdict:
    """Let the resource's side decide alone."""
    if ground is not None:
        return Verdict(True, ground.layer, (ground,), request, policies)
    layer = layer_of(policies.resource[0]) if policies.resource else Layer.RESOURCE
    return Verdict(False, layer, (), request, policies)


def _own_side(request: Request, policies: Policies, ground: Ground | None) -> Verdict:
    """Ask the caller's account: identity-based policies, then boundary and session. Its root needs none."""
    if request.caller.kind == "root":
        own: Ground | None = Ground(Layer.ROOT, "root", request.caller.arn)
    else:
        own = _first(policies.identity, IDENTITY, request)
    if own is None:
        return Verdict(False, IDENTITY, (), request, policies)
    return _allowed_within(request, policies, own, ground)


def _allowed_within(request: Request, policies: Policies, *grounds: Ground | None) -> Verdict:
    """Allow what the boundary and the session policies allow too."""
    held = [ground for ground in grounds if ground is not None]
    if policies.boundary is not None:
        within = _first((policies.boundary,), BOUNDARY, request)
        if within is None:
            return Verdict(False, BOUNDARY, (), request, policies)
        held.append(within)
    if policies.session:
        within = _first(policies.session, SESSION, request)
        if within is None:
            return Verdict(False, SESSION, (), request, policies)
        held.append(within)
    return Verdict(True, held[0].layer, tuple(held), request, policies)


def _first(policies: Iterable[Policy], layer: Layer, request: Request) -> Ground | None:
    for policy in policies:
        ground = _allows(policy, layer, request)[1]
        if ground is not None:
            return ground
    return None
