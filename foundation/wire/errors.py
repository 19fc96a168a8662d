"""The errors of the wire itself: each class knows its AWS code, so no name is kept away from its fault.

Codes and statuses here are those of JSON 1.1. `foundation.wire.faults` says what each becomes in another
protocol or service; a service's own errors are declared beside the service:

    class NotFound(AwsError, code="NotFoundException"): ...
"""

from typing import Any, ClassVar

from foundation.wire.protocols import Codec


class AwsError(Exception):
    """An answer that is an error. ``members`` are further members of the error's shape (``DomainName`` ...)."""

    code: ClassVar[str] = "InternalFailure"
    status: ClassVar[int] = 500

    def __init_subclass__(cls, *, code: str | None = None, status: int = 400, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if code is not None:
            cls.code, cls.status = code, status

    def __init__(self, message: str = "", *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members: dict[str, Any] = members
        self.retry_after = retry_after
        """Seconds for the Retry-After header."""
        self.codec: Codec | None = None
        """The protocol of a request that could not be addressed; the answer must still be in it."""


class UnknownOperation(AwsError, code="UnknownOperationException"):
    """No such target, service, version or operation."""


class MethodNotAllowed(AwsError, code="MethodNotAllowedException", status=405):
    """AWS calls are POST (query protocol: also GET)."""


class UnsupportedMediaType(AwsError, code="UnsupportedMediaTypeException", status=415):
    """The content type is not that of the protocol."""


class SerializationError(AwsError, code="SerializationException"):
    """The body or a header cannot be read as what the protocol says: syntax, type or bounds."""


class RequestEntityTooLarge(AwsError, code="RequestEntityTooLargeException", status=413):
    """The body is over its limit (`foundation.wire.limits`)."""


class ValidationFailure(AwsError, code="ValidationException"):
    """A parameter breaks the model's or the operation's rules. The wire answers with the operation's own code."""


class BadToken(AwsError, code="InvalidNextTokenException"):
    """A paging token that was tampered with, or that another caller, operation or filter was given."""


class AccessDenied(AwsError, code="AccessDeniedException"):
    """The caller is known, and may not."""


class UnrecognizedClient(AwsError, code="UnrecognizedClientException"):
    """The access key or session token is not known."""


class SignatureDoesNotMatch(AwsError, code="InvalidSignatureException"):
    """The signature was computed and differs, or its date or scope does not fit."""


class InvalidSignature(SignatureDoesNotMatch):
    """The same answer: JSON services know one code for every signature that does not hold."""


class IncompleteSignature(AwsError, code="IncompleteSignatureException"):
    """The Authorization header or its query form lacks a part or repeats one."""


class ExpiredToken(AwsError, code="ExpiredTokenException"):
    """The session behind the token is over."""


class MissingAuthenticationToken(AwsError, code="MissingAuthenticationTokenException"):
    """The call is not signed at all."""


class Throttling(AwsError, code="ThrottlingException"):
    """Too many calls; stock clients back off and retry."""


class ServiceUnavailable(AwsError, code="ServiceUnavailableException", status=503):
    """Something below is away for the moment; stock clients retry."""


class InternalFailure(AwsError, code="InternalFailure", status=500):
    """A fault of ours."""


class NotImplementedByKeystead(AwsError, code="NotImplementedException"):
    """The model has this operation and keystead does not (yet)."""
