"""CreateGrant, ListGrants, ListRetirableGrants, RetireGrant, RevokeGrant."""

from msgspec.structs import replace

from foundation.identity import Resource
from foundation.wire import Params
from kms.keys.errors import ValidationError
from kms.keys.found import Question
from kms.keys.grant_rules import judge_order, one_of
from kms.keys.grants import Asked, judge_grant_id, refuse_service_filter, retiring_resource
from kms.keys.operations.registry import operations
from kms.keys.pages import answer, judge_limit
from kms.keys.questions import asked
from kms.keys.service import KeyService
from kms.keys.shapes import grant_entry


def _for_aws(keys: KeyService) -> dict[str, str]:
    """kms:GrantIsForAWSResource: an AWS service asks on the caller's behalf."""
    return {"kms:grantisforawsresource": "true" if keys.context.call.via_service else "false"}


def _created(keys: KeyService, params: Params) -> Resource:
    order = judge_order(params)
    question = asked(params, more={**_for_aws(keys), **order.conditions}, context=order.context)
    return keys.resource(params["KeyId"], "CreateGrant", replace(question, child=order.child))


@operations.operation("CreateGrant", on=_created)
def create_grant(keys: KeyService, params: Params) -> Params:
    dry_run = params.get("DryRun", False)
    grant_id, token = keys.grants.create(params["KeyId"], judge_order(params), dry_run=dry_run)
    return {"GrantToken": token, "GrantId": grant_id}


def _listed(keys: KeyService, params: Params) -> Resource:
    judge_limit("ListGrants", params.get("Limit"))
    if "GrantId" in params:
        judge_grant_id(params["GrantId"])
    one_of(params, "GranteePrincipal", "GranteeServicePrincipal", needed=False)
    return keys.resource(params["KeyId"], "ListGrants", Question(dict(_for_aws(keys))))


@operations.operation("ListGrants", on=_listed)
def list_grants(keys: KeyService, params: Params) -> Params:
    if "GranteeServicePrincipal" in params:
        refuse_service_filter(keys.context, "GranteeServicePrincipal")
    page = keys.grants.page(
        params["KeyId"],
        grant_id=params.get("GrantId"),
        grantee=one_of(params, "GranteePrincipal", "GranteeServicePrincipal", needed=False),
        limit=judge_limit("ListGrants", params.get("Limit")),
        marker=params.get("Marker"),
    )
    principals = keys.context.rooms.principals
    return answer("Grants", [grant_entry(row, principals) for row in page.items], page.next_token)


def _retiring(params: Params) -> str:
    return one_of(params, "RetiringPrincipal", "RetiringServicePrincipal", needed=True) or ""


def _retirable(keys: KeyService, params: Params) -> Resource:
    judge_limit("ListRetirableGrants", params.get("Limit"))
    return retiring_resource(keys.context, _retiring(params))


@operations.operation("ListRetirableGrants", on=_retirable)
def list_retirable_grants(keys: KeyService, params: Params) -> Params:
    if "RetiringServicePrincipal" in params:
        refuse_service_filter(keys.context, "RetiringServicePrincipal")
    rows, marker = keys.grants.retirable(
        _retiring(params),
        limit=judge_limit("ListRetirableGrants", params.get("Limit")),
        marker=params.get("Marker"),
    )
    principals = keys.context.rooms.principals
    return answer("Grants", [grant_entry(row, principals) for row in rows], marker)


def _to_retire(keys: KeyService, params: Params) -> Asked:
    """The grant by its token, or by key and id. Raises ValidationError, InvalidGrantToken, InvalidGrantId."""
    if "GrantToken" in params and not {"KeyId", "GrantId"} & set(params):
        named = keys.grants.tokens.read(params["GrantToken"])
        return Asked(named.key_arn, named.grant_id)
    if "GrantToken" in params or "KeyId" not in params or "GrantId" not in params:
        raise ValidationError("You must specify either a grant token, or both a grant ID and a key ID.")
    return Asked(params["KeyId"], judge_grant_id(params["GrantId"]))


def _retired(keys: KeyService, params: Params) -> Resource:
    return keys.grants.retire_resource(_to_retire(keys, params))


@operations.operation("RetireGrant", on=_retired)
def retire_grant(keys: KeyService, params: Params) -> Params:
    keys.grants.end(_to_retire(keys, params), "RetireGrant", dry_run=params.get("DryRun", False))
    return {}


def _revoked(keys: KeyService, params: Params) -> Resource:
    judge_grant_id(params["GrantId"])
    return keys.resource(params["KeyId"], "RevokeGrant", Question(dict(_for_aws(keys))))


@operations.operation("RevokeGrant", on=_revoked)
def revoke_grant(keys: KeyService, params: Params) -> Params:
    named = Asked(params["KeyId"], params["GrantId"])
    keys.grants.end(named, "RevokeGrant", dry_run=params.get("DryRun", False))
    return {}
