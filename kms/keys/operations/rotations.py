"""EnableKeyRotation, DisableKeyRotation, GetKeyRotationStatus, RotateKeyOnDemand, ListKeyRotations."""

from foundation.wire import Params
from kms.keys.found import Question
from kms.keys.operations.registry import operations, the_key
from kms.keys.pages import answer, judge_limit
from kms.keys.rotation import DEFAULT_PERIOD
from kms.keys.service import KeyService
from kms.keys.shapes import rotation_entry


def _period(params: Params) -> Question:
    return Question({"kms:rotationperiodindays": str(params.get("RotationPeriodInDays", DEFAULT_PERIOD))})


@operations.operation("EnableKeyRotation", on=the_key("EnableKeyRotation", asked=_period))
def enable_key_rotation(keys: KeyService, params: Params) -> Params:
    keys.rotation.enable(params["KeyId"], params.get("RotationPeriodInDays"))
    return {}


@operations.operation("DisableKeyRotation", on=the_key("DisableKeyRotation"))
def disable_key_rotation(keys: KeyService, params: Params) -> Params:
    keys.rotation.disable(params["KeyId"])
    return {}


@operations.operation("GetKeyRotationStatus", on=the_key("GetKeyRotationStatus"))
def get_key_rotation_status(keys: KeyService, params: Params) -> Params:
    return dict(keys.rotation.status(params["KeyId"]))


@operations.operation("RotateKeyOnDemand", on=the_key("RotateKeyOnDemand"))
def rotate_key_on_demand(keys: KeyService, params: Params) -> Params:
    return {"KeyId": keys.rotation.rotate_now(params["KeyId"]).arn}


def _limit(params: Params) -> int:
    return judge_limit("ListKeyRotations", params.get("Limit"))


@operations.operation("ListKeyRotations", on=the_key("ListKeyRotations", _limit))
def list_key_rotations(keys: KeyService, params: Params) -> Params:
    found, page = keys.rotation.history(
        params["KeyId"],
        include=params.get("IncludeKeyMaterial", "ROTATIONS_ONLY"),
        limit=_limit(params),
        marker=params.get("Marker"),
    )
    entries = [rotation_entry(found, material) for material in page.items]
    return answer("Rotations", entries, page.next_token)
