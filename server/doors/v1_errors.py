"""What goes wrong in `/v1`, said as problem documents."""

from flask import Response
from pydantic import ValidationError

from foundation.wire import AwsError
from server.doors.problems import problem

# AWS's JSON protocols answer 400 for nearly everything; plain HTTP has better words for some of it.
_STATUS = {
    "MissingAuthenticationTokenException": 401,
    "UnrecognizedClientException": 401,
    "ExpiredTokenException": 401,
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "ResourceInUseException": 409,
    "ConflictException": 409,
    "RequestInProgressException": 409,
    "ThrottlingException": 429,
    "LimitExceededException": 429,
}


def error_problem(error: AwsError) -> Response:
    """An AWS error as a problem document, with the HTTP status that fits it."""
    status = _STATUS.get(error.code, error.status)
    answer = problem(status, error.code, error.message, retry_after=error.retry_after)
    if status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def validation_problem(error: ValidationError) -> Response:
    """The first things that are wrong with a body, query or path, each with its place; values are not repeated."""
    places = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'body'}: {fault['msg']}"
        for fault in error.errors()[:5]
    ]
    return problem(400, "ValidationException", "; ".join(places))
