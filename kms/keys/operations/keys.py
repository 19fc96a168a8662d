"""CreateKey, DescribeKey, ListKeys, GetKeyLastUsage."""

from msgspec.structs import replace

from foundation.identity import Resource, authorize
from foundation.store import Scope
from foundation.wire import Params
from kms.keys.arns import key_arn
from kms.keys.creation import Order, judge_request
from kms.keys.found import Question, call_conditions, spec_conditions
from kms.keys.operations.registry import operations, the_account, the_key
from kms.keys.pages import answer, judge_limit
from kms.keys.service import KeyService
from kms.keys.shapes import key_metadata
from kms.keys.tags import judge_tags

UNNAMED = "00000000-0000-4000-8000-000000000000"
"""Stands for a key's id in the lock-out check of a policy that comes before the key."""


def _new_key(keys: KeyService, params: Params) -> Resource:
    """What CreateKey is asked about: the account, with the condition keys of the key that is wanted."""
    spec, usage, origin = judge_request(params)
    call = keys.context.call
    tags = judge_tags(params.get("Tags", ()), limit=keys.context.rooms.settings.tags_per_key)
    facts = spec_conditions(spec.name, usage, origin, params.get("MultiRegion", False))
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    facts |= {**call_conditions(call), "kms:bypasspolicylockoutsafetycheck": "true" if bypass else "false"}
    return replace(keys.account_resource(), conditions=facts, request_tags=tags)


@operations.operation("CreateKey", on=_new_key)
def create_key(keys: KeyService, params: Params) -> Params:
    resource = _new_key(keys, params)
    tags = dict(resource.request_tags or {})
    if tags:
        authorize(keys.context.call, "kms:TagResource", resource)
    spec, usage, origin = judge_request(params)
    here: Scope = keys.context.here
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    order = Order(
        spec=spec,
        usage=usage,
        policy=keys.new_policy(params.get("Policy"), key_arn(here, UNNAMED), bypass=bypass),
        origin=origin,
        description=params.get("Description", ""),
        multi_region=params.get("MultiRegion", False),
        tags=tags,
    )
    made = keys.creation.create(order)
    keys.context.also_about(Resource(arn=made.arn, account=here.account))
    return {"KeyMetadata": key_metadata(made)}


def _described(params: Params) -> Question:
    return Question(tokens=frozenset(params.get("GrantTokens", ())))


@operations.operation("DescribeKey", on=the_key("DescribeKey", asked=_described))
def describe_key(keys: KeyService, params: Params) -> Params:
    return {"KeyMetadata": key_metadata(keys.find(params["KeyId"], "DescribeKey"))}


def _listed(keys: KeyService, params: Params) -> Resource:
    judge_limit("ListKeys", params.get("Limit"))
    return the_account(keys, params)


@operations.operation("ListKeys", on=_listed)
def list_keys(keys: KeyService, params: Params) -> Params:
    page = keys.listing.keys(
        params.get("ResourceOwners", ["SELF"]),
        limit=judge_limit("ListKeys", params.get("Limit")),
        marker=params.get("Marker"),
    )
    here = keys.context.here
    entries = [{"KeyId": key_id, "KeyArn": key_arn(here, key_id)} for key_id in page.items]
    return answer("Keys", entries, page.next_token)


@operations.operation("GetKeyLastUsage", on=the_key("GetKeyLastUsage"))
def get_key_last_usage(keys: KeyService, params: Params) -> Params:
    found = keys.find(params["KeyId"], "GetKeyLastUsage")
    tracked = keys.context.rooms.uses.tracked_since()
    used = keys.last_use(found)
    usage: Params = {}
    if used is not None:
        usage = {"Operation": used.operation, "Timestamp": used.at, "KmsRequestId": used.request_id}
        if used.event_id is not None:
            usage["CloudTrailEventId"] = used.event_id
    return {
        "KeyId": found.arn,
        "KeyLastUsage": usage,
        "TrackingStartDate": max(found.created_at, tracked or found.created_at),
        "KeyCreationDate": found.created_at,
    }
