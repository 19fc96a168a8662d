"""ACM's errors by the model's own names; acm's operations raise only what their own list allows."""

from __future__ import annotations

from foundation.wire import AwsError


class InvalidArn(AwsError, code="InvalidArnException", status=400):
    """The ARN is not one of a certificate (or of a private CA) that could exist here."""


class InvalidArgs(AwsError, code="InvalidArgsException", status=400):
    """ListCertificates' own word for arguments that do not go together."""


class InvalidParameter(AwsError, code="InvalidParameterException", status=400):
    """RequestCertificate's word for a parameter that cannot be honoured."""


class InvalidDomainValidationOptions(AwsError, code="InvalidDomainValidationOptionsException", status=400):
    """A DomainValidationOption names no domain of the request, or no superdomain of it."""


class LimitExceeded(AwsError, code="LimitExceededException", status=400):
    """More names than one certificate may carry."""


class ResourceNotFound(AwsError, code="ResourceNotFoundException", status=400):
    """No such certificate in the caller's account and Region."""


class RequestInProgress(AwsError, code="RequestInProgressException", status=400):
    """The certificate is not issued yet."""


class TooManyTags(AwsError, code="TooManyTagsException", status=400):
    """More than 50 tags on one certificate."""


class InvalidTag(AwsError, code="InvalidTagException", status=400):
    """A tag key or value that is reserved or repeated."""


class Unsupported(AwsError, code="ValidationException", status=400):
    """A choice that the model has and keystead refuses clearly."""
