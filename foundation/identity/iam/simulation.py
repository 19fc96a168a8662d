"""The policy simulator: SimulatePrincipalPolicy and SimulateCustomPolicy, answered by the engine that decides for real."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.errors import InvalidInput, NoSuchEntity
from foundation.identity.iam.exclusions import BOUNDARY, kept_policies
from foundation.identity.iam.paging import among, paged
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import any_arn
from foundation.identity.iam.room import Iam
from foundation.identity.names import parse_arn, root_arn
from foundation.identity.policy import (
    MANAGED,
    Caller,
    Ground,
    Kind,
    Layer,
    MalformedPolicy,
    Policies,
    Policy,
    Request,
    Value,
    Verdict,
    compile_policy,
    evaluate,
    parse,
    pin,
)
from foundation.identity.records import EntityRecord
from foundation.wire import Params

__all__: list[str] = []

ARN_PARTS: Final = 6


@dataclass(frozen=True, slots=True)
class Scene:
    """What is simulated. `kinds` says what kind of policy each is called by the simulator, by its name."""

    caller: Caller
    owner: str
    identity: tuple[Policy, ...]
    boundary: tuple[Policy, ...] = ()
    resource: tuple[Policy, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def context_keys(self) -> set[str]:
        return {
            key for policy in (*self.identity, *self.boundary, *self.resource) for key in policy.context_keys
        }


@iam.operation("SimulatePrincipalPolicy", on=any_arn, mutates=False)
def simulate_principal_policy(room: Iam, params: Params) -> Params:
    """Say what a user or role could do, with further policies if some are given."""
    record = _entity(room, params["PolicySourceArn"])
    principal = room.rooms.principals.of_entity(record)
    kept = kept_policies(params.get("PolicyExclusionList", []), record)
    attached = [MANAGED[arn] for arn in principal.policies]
    inline = {name for name, _ in record.inline}
    kinds = {
        policy.name: "inline"
        if policy.name in inline
        else "aws-managed"
        if policy.name in MANAGED
        else "user-managed"
        for policy in (*principal.permissions.identity, *attached)
    }
    held = [
        policy
        for policy in (*principal.permissions.identity, *attached)
        if kept(policy.name, kinds[policy.name])
    ]
    own = principal.permissions.boundary
    caller = _entity(room, params["CallerArn"]) if "CallerArn" in params else record
    scene = _scene(
        room,
        params,
        _caller_of(caller),
        identity=held,
        boundary=[own] if own is not None and kept(own.name, BOUNDARY) else [],
        kinds={name: record.kind if kind == "inline" else kind for name, kind in kinds.items()},
    )
    return _answer(room, "SimulatePrincipalPolicy", params, scene)


def _nothing(room: Iam, _params: Params) -> Resource:
    return account_resource(room.call)


@iam.operation("SimulateCustomPolicy", on=_nothing, mutates=False)
def simulate_custom_policy(room: Iam, params: Params) -> Params:
    """Say what policies that are not stored anywhere would allow."""
    if params.get("OrderedOrganizationPolicyInputList"):
        raise InvalidInput("keystead has no organizations, and so no service control policies.")
    if "CallerArn" in params:
        caller = _caller_of(_entity(room, params["CallerArn"]))
    elif "ResourcePolicy" in params:
        raise InvalidInput("CallerArn is required if you include a ResourcePolicy.")
    else:
        caller = Caller(room.account, f"{root_arn(room.account)[:-4]}user/simulated", "AIDASIMULATED", "user")
    return _answer(
        room, "SimulateCustomPolicy", params, _scene(room, params, caller, identity=[], boundary=[], kinds={})
    )


def _scene(
    room: Iam,
    params: Params,
    caller: Caller,
    *,
    identity: list[Policy],
    boundary: list[Policy],
    kinds: Mapping[str, str],
) -> Scene:
    added = _compiled(params.get("PolicyInputList", ()), "PolicyInputList")
    limits = _compiled(
        params.get("PermissionsBoundaryPolicyInputList", ()), "PermissionsBoundaryPolicyInputList"
    )
    resource: list[Policy] = []
    if "ResourcePolicy" in params:
        resource = _compiled([params["ResourcePolicy"]], "ResourcePolicy", Kind.RESOURCE, room)
    return Scene(
        caller=caller,
        owner=_owner(params.get("ResourceOwner", caller.account)),
        identity=(*identity, *added),
        boundary=tuple(limits or boundary),
        resource=tuple(resource),
        kinds={**kinds, **{policy.name: "none" for policy in (*added, *limits)}},
    )


def _compiled(
    texts: Iterable[str], name: str, kind: Kind = Kind.IDENTITY, room: Iam | None = None
) -> list[Policy]:
    compiled = []
    for number, text in enumerate(texts, 1):
        try:
            document = parse(text, kind)
            if room is not None:
                document = pin(document, room.rooms.principals.id_of)
            compiled.append(compile_policy(document, f"{name}.{number}"))
        except MalformedPolicy as malformed:
            raise InvalidInput(f"{name}.{number}: {malformed.reason}") from malformed
    return compiled


def _entity(room: Iam, arn: str) -> EntityRecord:
    named = parse_arn(arn)
    if named is None or named.kind not in ("user", "role"):
        raise InvalidInput(f"{arn} is not the ARN of a user or role.")
    if named.account == room.account:
        record = room.entity(named.kind, named.name)
        if record.arn == arn:
            return record
    raise NoSuchEntity(f"The {named.kind} with ARN {arn} cannot be found.")


def _caller_of(record: EntityRecord) -> Caller:
    if record.kind == "user":
        return Caller(record.account, record.arn, record.id, "user")
    return Caller(record.account, record.arn, record.id, "role", record.arn, record.id)


def _owner(named: str) -> str:
    found = parse_arn(named)
    owner = named if found is None else found.account
    if not (owner.isascii() and owner.isdigit() and len(owner) == 12):
        raise InvalidInput("ResourceOwner is an account's id, or the ARN of its root.")
    return owner


def _answer(room: Iam, operation: str, params: Params, scene: Scene) -> Params:
    context = _context(params)
    missing = sorted(key for key in scene.context_keys if key.lower() not in context)
    results = [
        (f"{number:06}", _result(scene, verdict, missing))
        for number, verdict in enumerate(_verdicts(params, scene, context))
    ]
    return paged(
        room,
        operation,
        params,
        "EvaluationResults",
        among(results, lambda one: one[0]),
        key=lambda one: one[0],
        shape=lambda one: one[1],
    )


def _verdicts(params: Params, scene: Scene, context: Mapping[str, Value]) -> Iterator[Verdict]:
    for action in params["ActionNames"]:
        for resource in params.get("ResourceArns", ["*"]):
            parts = resource.split(":", ARN_PARTS - 1)
            account = parts[4] if len(parts) == ARN_PARTS and parts[4] else scene.owner
            request = Request(scene.caller, action, resource, account, context)
            # Several boundaries limit together; the engine knows one, and takes all session policies as one limit.
            first, rest = scene.boundary[:1], scene.boundary[1:]
            policies = Policies(
                scene.identity,
                first[0] if first else None,
                rest,
                scene.resource,
                (),
                action.lower().startswith("kms:") and bool(scene.resource),
            )
            yield evaluate(request, policies)


def _result(scene: Scene, verdict: Verdict, missing: list[str]) -> Params:
    decision = "allowed" if verdict.allowed else "explicitDeny" if verdict.explicit else "implicitDeny"
    result: dict[str, Any] = {
        "EvalActionName": verdict.request.action,
        "EvalResourceName": verdict.request.resource,
        "EvalDecision": decision,
        "MatchedStatements": [_matched(scene, ground) for ground in verdict.grounds],
        "MissingContextValues": missing,
    }
    if scene.boundary:
        limited = not verdict.allowed and verdict.layer is Layer.BOUNDARY
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": not limited}
    return result


def _matched(scene: Scene, ground: Ground) -> dict[str, str]:
    kind = "resource" if ground.layer is Layer.RESOURCE else scene.kinds.get(ground.policy, "user-managed")
    return {"SourcePolicyId": ground.policy.rpartition("/")[2], "SourcePolicyType": kind}


def _context(params: Params) -> dict[str, Value]:
    """Read the context entries: keys have no case; types that end in List have several values."""
    context: dict[str, Value] = {}
    for entry in params.get("ContextEntries", ()):
        name, values = entry.get("ContextKeyName", ""), entry.get("ContextKeyValues", [])
        if not name:
            raise InvalidInput("A context entry must have a ContextKeyName.")
        several = entry.get("ContextKeyType", "string").endswith("List")
        if not several and len(values) != 1:
            raise InvalidInput(f"The context key {name} must have exactly one value.")
        context[name.lower()] = tuple(values) if several else values[0]
    return context
