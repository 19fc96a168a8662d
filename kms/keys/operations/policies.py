"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies."""

from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.pages import answer, judge_limit
from kms.keys.policies import DEFAULT_NAME, check_known, check_ours
from kms.keys.service import KeyService


def _name(params: Params) -> str:
    name: str = params.get("PolicyName", DEFAULT_NAME)
    return name


def _known(params: Params) -> None:
    check_known(_name(params))


def _named(params: Params) -> Question:
    return Question({"kms:policyname": _name(params)})


def _put(params: Params) -> Question:
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    return Question({
        "kms:policyname": _name(params),
        "kms:bypasspolicylockoutsafetycheck": "true" if bypass else "false",
    })  # fmt: skip


@operations.operation("GetKeyPolicy", on=the_key("GetKeyPolicy", asked=_named))
def get_key_policy(keys: KeyService, params: Params) -> Params:
    name = _name(params)
    return {"Policy": keys.policy(params["KeyId"], name), "PolicyName": name}


@operations.operation("PutKeyPolicy", on=the_key("PutKeyPolicy", _known, asked=_put))
def put_key_policy(keys: KeyService, params: Params) -> Params:
    # Who may not put RAM's policy is told that first (the model's text on PolicyName).
    check_ours(_name(params))
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    keys.put_policy(params["KeyId"], params["Policy"], bypass=bypass)
    return {}


def _limit(params: Params) -> int:
    return judge_limit("ListKeyPolicies", params.get("Limit"))


@operations.operation("ListKeyPolicies", on=the_key("ListKeyPolicies", _limit))
def list_key_policies(keys: KeyService, params: Params) -> Params:
    page = keys.listing.policies(params["KeyId"], limit=_limit(params), marker=params.get("Marker"))
    return answer("PolicyNames", page.items, page.next_token)
