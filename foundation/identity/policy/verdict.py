"""The outcome of a decision, in AWS's words and with its reasons: which statement or grant, and what failed."""

from enum import Enum
from typing import Any, NamedTuple

from foundation.identity.policy.compiled import CompiledStatement, Policy
from foundation.identity.policy.elements import Kind
from foundation.identity.policy.facts import Policies, Request

__all__ = ["Ground", "Layer", "Verdict", "layer_of"]


class Layer(Enum):
    """Where a reason lies: the noun that AWS uses for it, with its article."""

    IDENTITY = "an identity-based policy"
    BOUNDARY = "a permissions boundary"
    SESSION = "a session policy"
    RESOURCE = "a resource-based policy"
    TRUST = "the role trust policy"
    GRANT = "a grant"
    ROOT = "the account root user"

    @property
    def noun(self) -> str:
        """The noun without its article."""
        return self.value.partition(" ")[2]


TRUST_POLICY, TRUST, RESOURCE = Kind.TRUST, Layer.TRUST, Layer.RESOURCE


def layer_of(policy: Policy) -> Layer:
    """Name the layer of a resource's own policy."""
    return TRUST if policy.kind is TRUST_POLICY else RESOURCE


class Ground(NamedTuple):
    """One statement (its Sid, or `#` and its place) or grant (its id) that a decision rests on."""

    layer: Layer
    policy: str
    statement: str

    def shown(self) -> dict[str, str]:
        """Give the ground as JSON members."""
        name = self.layer.name.lower()
        return {"layer": name, "policy": self.policy, "statement": self.statement}


class Verdict(NamedTuple):
    """Allowed or not, and why.

    Allowed: `grounds` are the statements and grants that allowed it together. Denied: `layer` is where it
    failed, `grounds` the denying statement if the deny is explicit, and none otherwise.
    """

    allowed: bool
    layer: Layer
    grounds: tuple[Ground, ...]
    request: Request
    policies: Policies

    @property
    def explicit(self) -> bool:
        """Whether a Deny statement decided."""
        return not self.allowed and bool(self.grounds)

    @property
    def because(self) -> str:
        """The reason in the words that end AWS's AccessDenied messages."""
        action = self.request.action
        if self.allowed:
            return f"because {self.layer.value} allows the {action} action"
        if self.explicit:
            return f"with an explicit deny in {self.layer.value}"
        return f"because no {self.layer.noun} allows the {action} action"

    def explain(self) -> dict[str, Any]:
        """Give the whole decision as JSON: for the trail's denials, `keystead why` and the simulator.

        `considered` has each statement that names the action, with what kept it from applying; `grants` each
        grant, likewise.
        """
        outcome = "allowed" if self.allowed else "explicitDeny" if self.explicit else "implicitDeny"
        return {
            "decision": outcome,
            "because": self.because,
            "grounds": [ground.shown() for ground in self.grounds],
            "considered": [
                _considered(layer, policy, statement, self.request)
                for layer, policy in _layers(self.policies)
                for group in policy.choice(self.request.action)
                for statement in group
            ],
            "grants": [
                {"grant": grant.grant_id, "outcome": grant.obstacle(self.request) or "applies"}
                for grant in self.policies.grants
            ],
        }


def _layers(policies: Policies) -> list[tuple[Layer, Policy]]:
    layers = [(Layer.IDENTITY, policy) for policy in policies.identity]
    if policies.boundary is not None:
        layers.append((Layer.BOUNDARY, policies.boundary))
    layers += [(Layer.SESSION, policy) for policy in policies.session]
    layers += [(layer_of(policy), policy) for policy in policies.resource]
    return layers


def _considered(
    layer: Layer, policy: Policy, compiled: CompiledStatement, request: Request
) -> dict[str, str]:
    statement = compiled.statement
    return {
        **Ground(layer, policy.name, statement.label).shown(),
        "effect": statement.effect,
        "outcome": compiled.obstacle(request) or "applies",
    }
