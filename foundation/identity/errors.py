"""What identity refuses beside signatures: IAM's own errors, and a bearer token that is not good."""

from foundation.wire import AccessDenied, AwsError

__all__ = [
    "BearerRefused",
    "ConcurrentModification",
    "DeleteConflict",
    "EntityAlreadyExists",
    "InvalidInput",
    "LimitExceeded",
    "MalformedPolicyDocument",
    "NoSuchEntity",
    "PackedPolicyTooLarge",
    "Tampered",
    "UnmodifiableEntity",
]


class ConcurrentModification(AwsError, code="ConcurrentModification", status=409):
    """Others kept changing what this call wanted to change."""


class DeleteConflict(AwsError, code="DeleteConflict", status=409):
    """What is to be deleted has something, or is used by something, that must go first."""


class MalformedPolicyDocument(AwsError, code="MalformedPolicyDocument", status=400):
    """A policy document breaks the grammar, or names a principal that does not exist."""


class EntityAlreadyExists(AwsError, code="EntityAlreadyExists", status=409):
    """The account or access key exists already."""


class InvalidInput(AwsError, code="InvalidInput", status=400):
    """An account id or access key that AWS could not have made either."""


class LimitExceeded(AwsError, code="LimitExceeded", status=409):
    """A quota of IAM is used up."""


class NoSuchEntity(AwsError, code="NoSuchEntity", status=404):
    """No such account, user, access key or token."""


class BearerRefused(AwsError, code="Unauthorized", status=401):
    """The bearer token is missing, unknown, revoked or expired."""


class Tampered(AccessDenied):
    """A stored record that keystead did not write: it is refused, never used."""


class UnmodifiableEntity(AwsError, code="UnmodifiableEntity", status=400):
    """AWS's own policies are not changed."""


class PackedPolicyTooLarge(AwsError, code="PackedPolicyTooLarge", status=400):
    """A session's policies and tags are too long together."""
