"""GetKeyPolicy, PutKeyPolicy, ListKeyPolicies."""

from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.pages import answer, judge_limit
from kms.keys.policies import DEFAULT_NAME, check_name
from kms.keys.service import KeyService


def _name(params: Params) -> str:
    name: str = params.get("PolicyName", DEFAULT_NAME)
    return name


def _readable(params: Params) -> None:
    check_name(_name(params), writing=False)


def _named(params: Params) -> Question:
    return Question({"kms:policyname": _name(params)})


def _put(params: Params) -> Question:
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    return Question({
        "kms:policyname": _name(params),
        "kms:bypasspolicylockoutsafetycheck": "true" if bypass else "false",
    })  # fmt: skip


@operations.operation("GetKeyPolicy", on=the_key("GetKeyPolicy", _readable, asked=_named))
def get_key_policy(keys: KeyService, params: Params) -> Params:
    name = _name(params)
    return {"Policy": keys.policy(params["KeyId"], name), "PolicyName": name}


@operations.operation("PutKeyPolicy", on=the_key("PutKeyPolicy", _readable, asked=_put))
def put_key_policy(keys: KeyService, params: Params) -> Params:
    # Who may not put RAM's policy is told that first (the model's text on PolicyName).
    check_name(_name(params), writing=True)
    bypass = params.get("BypassPolicyLockoutSafetyCheck", False)
    keys.put_policy(params["KeyId"], params["Policy"], bypass=bypass)
    return {}


def _limit(params: Params) -> int:
    return judge_limit("ListKeyPolicies", params.get("Limit"))


@operations.operation("ListKeyPolicies", on=the_key("ListKeyPolicies", _limit))
def list_key_policies(keys: KeyService, params: Params) -> Params:
    page = keys.listing.policies(params["KeyId"], limit=_limit(params), marker=params.get("Marker"))
    return answer("PolicyNames", page.items, page.next_token)
