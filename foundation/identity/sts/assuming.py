"""AssumeRole's rules: who is trusted, for how long, under what name, and what the session carries on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from foundation.identity.calls import Call
from foundation.identity.decisions import Resource, authorize
from foundation.identity.errors import MalformedPolicyDocument
from foundation.identity.names import parse_arn, role_session_arn
from foundation.identity.policy import Kind, MalformedPolicy, Policy, Value, parse
from foundation.identity.principals import Principals, compiled
from foundation.identity.records import EntityRecord
from foundation.identity.sessions import Claims
from foundation.wire import AccessDenied, Params, ValidationFailure

__all__ = ["Assumption", "assume", "trusted"]

CHAINED_LONGEST: Final = 3_600
LONGEST_POLICY: Final = 2_048
DEFAULT: Final = 3_600

# What a role that does not exist trusts: nobody. Callers cannot tell it from one that does not trust them.
NOBODY: Final = compiled(
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
    '"Principal":{"Service":"nobody.keystead.internal"}}]}',
    "trust",
    Kind.TRUST,
)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A session that may be issued. `session_id` is `AROA…:name`."""

    claims: Claims
    duration: timedelta
    session_id: str
    session_arn: str


def trusted(principals: Principals, call: Call, params: Params) -> Resource:
    """Give the role as a resource whose policy is its trust policy, with the condition keys of STS."""
    role = _role(principals, params["RoleArn"])
    named = parse_arn(params["RoleArn"])
    account = call.account if named is None else named.account
    trust: Policy = NOBODY if role is None else compiled(role.trust, "trust", Kind.TRUST)
    return Resource(
        arn=params["RoleArn"],
        account=account,
        policies=(trust,),
        tags={} if role is None else dict(role.tags),
        conditions=_conditions(params),
        delegates=True,
        request_tags=dict(_inherited(call)) | {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())},
    )


def assume(principals: Principals, call: Call, params: Params) -> Assumption:
    """Judge the rest of an AssumeRole that is allowed. Raises AccessDenied, ValidationError, MalformedPolicyDocument."""
    if call.principal.kind == "root":
        raise AccessDenied("Roles may not be assumed by root accounts.")
    resource = trusted(principals, call, params)
    tags = _tags(call, params)
    if params.get("Tags") or params.get("TransitiveTagKeys"):
        authorize(call, "sts:TagSession", resource)
    if "SourceIdentity" in params:
        authorize(call, "sts:SetSourceIdentity", resource)
    role = _role(principals, params["RoleArn"])
    if role is None:  # deleted since it was looked up
        raise AccessDenied(f"User: {call.principal.arn} is not authorized to perform: sts:AssumeRole")
    name = params["RoleSessionName"]
    claims = Claims(
        account=role.account,
        principal_id=role.id,
        sealed=b"",
        issued_at=0,
        expires_at=0,
        name=name,
        role_id=role.id,
        policy=_session_policy(params),
        policy_arns=_policy_arns(principals, role, params),
        tags=tags,
        transitive=_transitive(call, params, tags),
        source_identity=_source_identity(call, params),
        chained=call.principal.session is not None,
    )
    return Assumption(
        claims=claims,
        duration=timedelta(seconds=_seconds(call, role, params)),
        session_id=f"{role.id}:{name}",
        session_arn=role_session_arn(role.account, role.name, name),
    )


def _role(principals: Principals, arn: str) -> EntityRecord | None:
    named = parse_arn(arn)
    if named is None or named.kind != "role":
        return None
    found = principals.named(named.account, "role", named.name)
    return found if found is not None and found.arn == arn else None


def _conditions(params: Params) -> Mapping[str, Value]:
    conditions: dict[str, Value] = {"sts:rolesessionname": params["RoleSessionName"]}
    if "ExternalId" in params:
        conditions["sts:externalid"] = params["ExternalId"]
    if "SourceIdentity" in params:
        conditions["sts:sourceidentity"] = params["SourceIdentity"]
    if params.get("TransitiveTagKeys"):
        conditions["sts:transitivetagkeys"] = tuple(params["TransitiveTagKeys"])
    if "DurationSeconds" in params:
        conditions["sts:durationseconds"] = str(params["DurationSeconds"])
    return conditions


def _seconds(call: Call, role: EntityRecord, params: Params) -> int:
    seconds = params.get("DurationSeconds")
    chained = call.principal.kind == "role"
    if seconds is None:
        return min(DEFAULT, role.longest_session)
    if chained and seconds > CHAINED_LONGEST:
        raise ValidationFailure(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        )
    if seconds > role.longest_session:
        raise ValidationFailure(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    return int(seconds)


def _session_policy(params: Params) -> str | None:
    text = params.get("Policy")
    arns = sum(len(one.get("arn", "")) for one in params.get("PolicyArns", ()))
    if len(text or "") + arns > LONGEST_POLICY:
        raise ValidationFailure(
            f"Session policies may have {LONGEST_POLICY} characters together, with the ARNs of managed ones."
        )
    if text is None:
        return None
    try:
        parse(text, Kind.IDENTITY)
    except MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.reason) from malformed
    return str(text)


def _policy_arns(principals: Principals, role: EntityRecord, params: Params) -> tuple[str, ...]:
    arns = tuple(one.get("arn", "") for one in params.get("PolicyArns", ()))
    if len(arns) > 10:
        raise ValidationFailure("At most 10 managed session policies may be passed.")
    for arn in arns:
        if principals.policy(role.account, arn) is None:
            raise ValidationFailure(f"The managed policy {arn} does not exist in the account of the role.")
    return arns


def _inherited(call: Call) -> tuple[tuple[str, str], ...]:
    """Give the tags that a session hands on to the next."""
    session = call.principal.session
    kept = {key.lower() for key in session.transitive} if session is not None else set()
    return tuple(tag for tag in call.principal.tags if tag[0].lower() in kept)


def _tags(call: Call, params: Params) -> tuple[tuple[str, str], ...]:
    given = tuple((tag["Key"], tag["Value"]) for tag in params.get("Tags", ()))
    keys = [key.lower() for key, _ in given]
    if len(set(keys)) < len(keys):
        raise ValidationFailure("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    inherited = _inherited(call)
    overridden = {key.lower() for key, _ in inherited} & set(keys)
    if overridden:
        raise AccessDenied("A transitive tag of the calling session cannot be given another value.")
    return (*inherited, *given)


def _transitive(call: Call, params: Params, tags: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    asked: list[Any] = params.get("TransitiveTagKeys", [])
    present = {key.lower() for key, _ in tags}
    if any(key.lower() not in present for key in asked):
        raise ValidationFailure("The specified transitive tag keys must be included in the requested tags.")
    return (*(key for key, _ in _inherited(call)), *asked)


def _source_identity(call: Call, params: Params) -> str:
    """Give the source identity, which a chained session keeps and cannot change."""
    session = call.principal.session
    kept = "" if session is None else session.source_identity
    asked = params.get("SourceIdentity", kept)
    if kept and asked != kept:
        raise AccessDenied("The source identity of a session cannot be changed.")
    return str(asked)
