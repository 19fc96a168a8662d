"""What the wire's generic errors are called: one table per question, since every service answers otherwise."""

from typing import Final, NamedTuple

from foundation.wire.errors import (
    AwsError,
    BadToken,
    ExpiredToken,
    InternalFailure,
    ServiceUnavailable,
    ValidationFailure,
)
from foundation.wire.messages import Addressed
from foundation.wire.models import ServiceModel
from foundation.wire.protocols import Codec

VALIDATION_CODES: Final = {
    "acm": ("ValidationException", "InvalidParameterException", "InvalidArgsException"),
    "acm-pca": ("InvalidArgsException", "InvalidRequestException"),
    "cloudhsmv2": ("CloudHsmInvalidRequestException",),
    "cloudtrail": ("InvalidParameterException",),
    "iam": (),
    "kms": (),
    "secretsmanager": ("InvalidParameterException",),
    "sts": (),
}
"""What a breach of the model is called: the first of these in the operation's own list of errors; when none
is, the code under which AWS's common front refuses it (ValidationException; ValidationError in query)."""

TOKEN_CODES: Final = ("InvalidMarkerException", "InvalidNextTokenException", "InvalidTokenException")
"""What a bad paging token is called: the first in the operation's list; when none is, a breach of the model."""

SERVICE_CODES: Final = {
    ("cloudhsmv2", "AccessDeniedException"): "CloudHsmAccessDeniedException",
    ("cloudhsmv2", "InternalFailure"): "CloudHsmInternalFailureException",
    ("acm", "InternalFailure"): "InternalServerException",
    ("kms", "InternalFailure"): "KMSInternalException",
    ("kms", "ServiceUnavailableException"): "KeyUnavailableException",
    ("secretsmanager", "InternalFailure"): "InternalServiceError",
}
"""Generic codes for which a service's model has its own word, where the operation lists it."""

QUERY_CODES: Final = {
    "AccessDeniedException": ("AccessDenied", 403),
    "ExpiredTokenException": ("ExpiredToken", 403),
    "IncompleteSignatureException": ("IncompleteSignature", 400),
    "InternalFailure": ("InternalFailure", 500),
    "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
    "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
    "NotImplementedException": ("NotImplemented", 400),
    "RequestEntityTooLargeException": ("RequestEntityTooLarge", 413),
    "SerializationException": ("MalformedInput", 400),
    "ServiceUnavailableException": ("ServiceUnavailable", 503),
    "ThrottlingException": ("Throttling", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnrecognizedClientException": ("InvalidClientTokenId", 403),
    "ValidationException": ("ValidationError", 400),
}
"""Generic codes in the query protocol, which has older names and its own statuses."""

CBOR_STATUSES: Final = {"UnknownOperationException": 404}
"""Where RPC v2 CBOR's specification asks for another status than JSON 1.1 uses."""


class Fault(NamedTuple):
    """An error as it is answered: code and status on the wire, its shape in the model ("": it has none), and
    what the shape calls its text."""

    code: str
    status: int
    shape: str
    text: str


def fault(addressed: Addressed | None, model: ServiceModel | None, error: AwsError) -> Fault:
    """How `error` is answered to this operation. `model` is the addressed service's."""
    codec = addressed.codec if addressed else error.codec
    code = error.code
    if addressed is not None and model is not None:
        code = _own_code(addressed, model, error)
        # STS's own shape of this code is about the token of a web identity, not about that of the caller.
        declared = None if isinstance(error, ExpiredToken) else _declared(model, code)
        if declared is not None:
            shape = model.errors[declared]
            return Fault(shape.code, shape.status, declared, shape.text)
    if codec is Codec.QUERY:
        return Fault(*QUERY_CODES.get(code, (code, error.status)), "", "message")
    if codec is Codec.CBOR:
        return Fault(code, CBOR_STATUSES.get(code, error.status), "", "message")
    return Fault(code, error.status, "", "message")


def _own_code(addressed: Addressed, model: ServiceModel, error: AwsError) -> str:
    listed = model.operations[addressed.operation].errors if addressed.operation in model.operations else ()
    if isinstance(error, BadToken):
        return _first(TOKEN_CODES + VALIDATION_CODES[addressed.service], listed, ValidationFailure.code)
    if type(error) is ValidationFailure:
        return _first(VALIDATION_CODES[addressed.service], listed, ValidationFailure.code)
    if isinstance(error, InternalFailure | ServiceUnavailable) or error.code == "AccessDeniedException":
        return _first((SERVICE_CODES.get((addressed.service, error.code), ""),), listed, error.code)
    return error.code


def _first(preferred: tuple[str, ...], listed: tuple[str, ...], otherwise: str) -> str:
    return next((code for code in preferred if code in listed), otherwise)


def _declared(model: ServiceModel, code: str) -> str | None:
    """The model's shape for a code, which is the shape's name or, in query models, what `error` calls it."""
    if code in model.errors:
        return code
    return next((name for name, shape in model.errors.items() if shape.code == code), None)
