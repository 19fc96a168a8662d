"""acm-pca's errors by the model's own names, and the one table that says what the CA's plain errors are called there."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from ca import errors as plain
from foundation.wire import AwsError


class InvalidArgs(AwsError, code="InvalidArgsException", status=400):
    """Arguments that cannot be honoured, or not together."""


class InvalidArn(AwsError, code="InvalidArnException", status=400):
    """The ARN is not one of an authority, certificate or template that could exist here."""


class InvalidState(AwsError, code="InvalidStateException", status=400):
    """The authority's state does not allow the operation."""


class InvalidRequest(AwsError, code="InvalidRequestException", status=400):
    """The request cannot be performed, or a mandatory field is missing."""


class InvalidTag(AwsError, code="InvalidTagException", status=400):
    """A tag key that is reserved or repeated."""


class TooManyTags(AwsError, code="TooManyTagsException", status=400):
    """More than 50 tags on one authority."""


class InvalidPolicy(AwsError, code="InvalidPolicyException", status=400):
    """The resource policy is malformed or names what it may not."""


class InvalidNextToken(AwsError, code="InvalidNextTokenException", status=400):
    """The token for the next page is not of this question."""


class ResourceNotFound(AwsError, code="ResourceNotFoundException", status=400):
    """No such authority, certificate, permission or policy."""


class RequestInProgress(AwsError, code="RequestInProgressException", status=400):
    """The certificate is not signed yet."""


class AlreadyProcessed(AwsError, code="RequestAlreadyProcessedException", status=400):
    """The certificate is revoked already."""


class CertificateMismatch(AwsError, code="CertificateMismatchException", status=400):
    """The certificate is not for this authority's key, or its chain does not lead up to it."""


class MalformedCertificate(AwsError, code="MalformedCertificateException", status=400):
    """What was imported is no certificate that a CA may have."""


class MalformedCsr(AwsError, code="MalformedCSRException", status=400):
    """The signing request is malformed, unproven or weak."""


class RequestFailed(AwsError, code="RequestFailedException", status=400):
    """The request could not be done as it was asked."""


class PermissionExists(AwsError, code="PermissionAlreadyExistsException", status=400):
    """The service has a permission on this authority already."""


NAMES: Final = MappingProxyType(
    {
        plain.BadKey: MalformedCsr,
        plain.BadCsr: MalformedCsr,
        plain.OrderRefused: InvalidArgs,
        plain.LintFailure: InvalidArgs,
        plain.ClaimTaken: InvalidArgs,
        plain.AuthorityNotFound: ResourceNotFound,
        plain.NotPermitted: InvalidState,
        plain.AuthorityState: InvalidState,
        plain.CertificateNotFound: ResourceNotFound,
        plain.CertificateState: AlreadyProcessed,
        plain.BucketMissing: InvalidArgs,
        plain.BucketDenied: InvalidPolicy,
        plain.SinkUnavailable: RequestFailed,
    }
)
"""Every error of the room that a caller can cause. The others are faults of ours and pass."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise acm-pca's error for the CA's own."""
    try:
        yield
    except plain.CaError as error:
        name = NAMES.get(type(error))
        if name is None:
            raise
        raise name(str(error)) from error
