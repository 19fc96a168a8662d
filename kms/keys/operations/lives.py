"""EnableKey, DisableKey, ScheduleKeyDeletion, CancelKeyDeletion, UpdateKeyDescription."""

from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.lifecycle import judge_window
from kms.keys.operations.registry import operations, the_key
from kms.keys.service import KeyService
from kms.keys.states import KeyState


@operations.operation("EnableKey", on=the_key("EnableKey"))
def enable_key(keys: KeyService, params: Params) -> Params:
    keys.lifecycle.enable(params["KeyId"])
    return {}


@operations.operation("DisableKey", on=the_key("DisableKey"))
def disable_key(keys: KeyService, params: Params) -> Params:
    keys.lifecycle.disable(params["KeyId"])
    return {}


@operations.operation("UpdateKeyDescription", on=the_key("UpdateKeyDescription"))
def update_key_description(keys: KeyService, params: Params) -> Params:
    keys.lifecycle.describe(params["KeyId"], params["Description"])
    return {}


def _window(params: Params) -> int:
    return judge_window(params.get("PendingWindowInDays"))


def _asked(params: Params) -> Question:
    return Question({"kms:schedulekeydeletionpendingwindowindays": str(_window(params))})


@operations.operation("ScheduleKeyDeletion", on=the_key("ScheduleKeyDeletion", _window, asked=_asked))
def schedule_key_deletion(keys: KeyService, params: Params) -> Params:
    days = _window(params)
    found = keys.lifecycle.schedule_deletion(params["KeyId"], days)
    shape: Params = {"KeyId": found.arn, "KeyState": str(found.state), "PendingWindowInDays": days}
    if found.state == KeyState.PENDING_DELETION:
        shape["DeletionDate"] = found.deletion_at
    return shape


@operations.operation("CancelKeyDeletion", on=the_key("CancelKeyDeletion"))
def cancel_key_deletion(keys: KeyService, params: Params) -> Params:
    return {"KeyId": keys.lifecycle.cancel_deletion(params["KeyId"]).arn}
