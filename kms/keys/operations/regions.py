"""ReplicateKey, UpdatePrimaryRegion."""

from foundation.identity import Resource
from foundation.store import Scope
from foundation.wire import Params
from kms.keys.arns import key_arn
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.policies import shown_policy
from kms.keys.service import KeyService
from kms.keys.shapes import key_metadata
from kms.keys.tags import judge_tags


def _replica(params: Params) -> Question:
    return Question({"kms:replicaregion": params["ReplicaRegion"]})


def _primary(params: Params) -> Question:
    return Question({"kms:primaryregion": params["PrimaryRegion"]})


def _replicated(keys: KeyService, params: Params) -> Resource:
    keys.regions.judge_region(params["ReplicaRegion"])
    judge_tags(params.get("Tags", ()), limit=keys.context.rooms.settings.tags_per_key)
    return the_key("ReplicateKey", asked=_replica)(keys, params)


@operations.operation("ReplicateKey", on=_replicated)
def replicate_key(keys: KeyService, params: Params) -> Params:
    region = params["ReplicaRegion"]
    source = keys.find(params["KeyId"], "ReplicateKey")
    arn = key_arn(Scope(source.scope.account, region), source.id)
    tags = judge_tags(params.get("Tags", ()), limit=keys.context.rooms.settings.tags_per_key)
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    replica = keys.regions.replicate(
        params["KeyId"],
        region,
        policy=keys.new_policy(params.get("Policy"), arn, bypass=bypass),
        description=params.get("Description", ""),
        tags=tags,
    )
    return {
        "ReplicaKeyMetadata": key_metadata(replica),
        "ReplicaPolicy": shown_policy(replica.policy, keys.context.rooms.principals),
        "ReplicaTags": [{"TagKey": key, "TagValue": value} for key, value in tags.items()],
    }


@operations.operation("UpdatePrimaryRegion", on=the_key("UpdatePrimaryRegion", asked=_primary))
def update_primary_region(keys: KeyService, params: Params) -> Params:
    keys.regions.update_primary(params["KeyId"], params["PrimaryRegion"])
    return {}
