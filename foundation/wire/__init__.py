"""AWS's protocols from botocore's service models: no Flask, no SQL, no crypto, no clock."""

from foundation.wire.bodies import read_json
from foundation.wire.errors import (
    AccessDenied,
    AwsError,
    BadToken,
    ExpiredToken,
    IncompleteSignature,
    InternalFailure,
    InvalidSignature,
    MethodNotAllowed,
    MissingAuthenticationToken,
    NotImplementedByKeystead,
    RequestEntityTooLarge,
    SerializationError,
    ServiceUnavailable,
    SignatureDoesNotMatch,
    Throttling,
    UnknownOperation,
    UnrecognizedClient,
    UnsupportedMediaType,
    ValidationFailure,
)
from foundation.wire.ids import uuid_text
from foundation.wire.limits import LARGEST_BODY
from foundation.wire.messages import Addressed, Params, Request, Response
from foundation.wire.paging import Keyset, Page, TokenSeal, page
from foundation.wire.protocols import SERVED, Codec
from foundation.wire.registry import READING_VERBS, Operation, Operations
from foundation.wire.wire import Wire
from foundation.wire.writers import ResultMismatch

__all__ = [
    "LARGEST_BODY",
    "READING_VERBS",
    "SERVED",
    "AccessDenied",
    "Addressed",
    "AwsError",
    "BadToken",
    "Codec",
    "ExpiredToken",
    "IncompleteSignature",
    "InternalFailure",
    "InvalidSignature",
    "Keyset",
    "MethodNotAllowed",
    "MissingAuthenticationToken",
    "NotImplementedByKeystead",
    "Operation",
    "Operations",
    "Page",
    "Params",
    "Request",
    "RequestEntityTooLarge",
    "Response",
    "ResultMismatch",
    "SerializationError",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "Throttling",
    "TokenSeal",
    "UnknownOperation",
    "UnrecognizedClient",
    "UnsupportedMediaType",
    "ValidationFailure",
    "Wire",
    "page",
    "read_json",
    "uuid_text",
]
