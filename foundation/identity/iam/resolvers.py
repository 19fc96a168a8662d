"""What IAM's operations are about: users, roles and policies by ARN, with the condition keys that IAM has of its own."""

from collections.abc import Callable, Mapping

from foundation.identity.decisions import Resource
from foundation.identity.errors import NoSuchEntity
from foundation.identity.iam.room import Iam
from foundation.identity.iam.tags import request_tags
from foundation.identity.names import entity_arn, parse_arn, policy_arn, root_arn
from foundation.identity.policy import Value
from foundation.identity.records import EntityRecord, PolicyRecord
from foundation.wire import Params, ValidationFailure

__all__ = [
    "NAME",
    "Resolver",
    "about",
    "any_arn",
    "new_entity",
    "new_policy",
    "on_entity",
    "on_policy",
    "user_of_call",
]

Resolver = Callable[[Iam, Params], Resource]
NAME: Mapping[str, str] = {"user": "UserName", "role": "RoleName"}
"""The parameter that names a user or role."""


def on_entity(kind: str) -> Resolver:
    """Resolve the user or role that a call names; a user that it does not name is the caller."""

    def resolve(iam: Iam, params: Params) -> Resource:
        name = params.get(NAME[kind])
        if name is None:
            name = user_of_call(iam)
            if name is None:
                return _resource(iam, root_arn(iam.account), params)
        try:
            record = iam.entity(kind, name)
        except NoSuchEntity:
            # Whether it exists is only for those to know who may ask.
            return _resource(iam, entity_arn(iam.account, kind, "/", name), params)
        return about(iam, record, params)

    return resolve


def new_entity(kind: str) -> Resolver:
    """Resolve a user or role that is to be made."""

    def resolve(iam: Iam, params: Params) -> Resource:
        arn = entity_arn(iam.account, kind, params.get("Path", "/"), params[NAME[kind]])
        return _resource(iam, arn, params)

    return resolve


def on_policy(iam: Iam, params: Params) -> Resource:
    """Resolve the managed policy that a call names by ARN; AWS's own belong to nobody, and everyone may read them."""
    arn = params["PolicyArn"]
    named = parse_arn(arn)
    if named is None or named.account != iam.account:
        return _resource(iam, arn, {})
    try:
        return about(iam, iam.policy(arn), params)
    except NoSuchEntity:
        return _resource(iam, arn, params)


def new_policy(iam: Iam, params: Params) -> Resource:
    """Resolve a policy that is to be made."""
    arn = policy_arn(iam.account, params.get("Path", "/"), params["PolicyName"])
    return _resource(iam, arn, params)


def any_arn(iam: Iam, params: Params) -> Resource:
    """Resolve the user or role that SimulatePrincipalPolicy names by ARN."""
    return _resource(iam, params["PolicySourceArn"], {})


def about(iam: Iam, record: EntityRecord | PolicyRecord, params: Params) -> Resource:
    """Give a record as a resource."""
    boundary = record.boundary if isinstance(record, EntityRecord) else ""
    return _resource(iam, record.arn, params, dict(record.tags), boundary)


def user_of_call(iam: Iam) -> str | None:
    """Name the user who calls; None for the account's root. Raises ValidationError for a role's session."""
    principal = iam.call.principal
    if principal.kind == "root":
        return None
    if principal.kind != "user":
        raise ValidationFailure("Must specify userName when calling with non-User credentials")
    return principal.name


def _resource(
    iam: Iam, arn: str, params: Params, tags: Mapping[str, str] | None = None, boundary: str = ""
) -> Resource:
    conditions: dict[str, Value] = {}
    boundary = params.get("PermissionsBoundary", boundary)
    if boundary:
        conditions["iam:permissionsboundary"] = boundary
    if "PolicyArn" in params:
        conditions["iam:policyarn"] = params["PolicyArn"]
    for key, value in (tags or {}).items():
        conditions[f"iam:resourcetag/{key.lower()}"] = value
    brings_tags = "Tags" in params or "TagKeys" in params
    return Resource(
        arn=arn,
        account=iam.account,
        tags=tags or {},
        conditions=conditions,
        request_tags=request_tags(params) if brings_tags else None,
    )
