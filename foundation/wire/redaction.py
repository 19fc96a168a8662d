"""Parameters and results as the trail and logs may show them, by the models' ``sensitive`` trait."""

from datetime import datetime
from typing import Any, Final

from foundation.wire.messages import Params
from foundation.wire.models import ServiceModel, Shape
from foundation.wire.writers import iso8601

HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""What CloudTrail writes in the place of a sensitive value."""


def redact(model: ServiceModel, shape: str, params: Params) -> Params:
    """A copy in JSON types: sensitive members hidden, blobs as their length, timestamps in ISO 8601.

    A member that the model lacks is left out, so nothing passes that was not judged.
    """
    redacted: Params = _members(model, model.shapes[shape], params)
    return redacted


def _members(model: ServiceModel, shape: Shape, value: dict[str, Any]) -> Params:
    return {
        name: _redact(model, model.shapes[shape.members[name]], member)
        for name, member in value.items()
        if name in shape.members and member is not None
    }


def _redact(model: ServiceModel, shape: Shape, value: Any) -> Any:
    if shape.sensitive:
        return HIDDEN
    if shape.kind == "structure":
        return _members(model, shape, value)
    if shape.kind == "list":
        return [_redact(model, model.shapes[shape.element], element) for element in value]
    if shape.kind == "map":
        # A sensitive key hides only its value's owner; no served model has one (a test holds that).
        return {
            str(key): _redact(model, model.shapes[shape.value], element) for key, element in value.items()
        }
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} octets"
    return iso8601(value) if isinstance(value, datetime) else value
