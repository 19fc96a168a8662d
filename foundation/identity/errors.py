"""What identity refuses beside signatures: IAM's own errors, and a bearer token that is not good."""

from foundation.wire import AwsError

__all__ = ["BearerRefused", "EntityAlreadyExists", "InvalidInput", "NoSuchEntity"]


class EntityAlreadyExists(AwsError, code="EntityAlreadyExists", status=409):
    """The account or access key exists already."""


class InvalidInput(AwsError, code="InvalidInput", status=400):
    """An account id or access key that AWS could not have made either."""


class NoSuchEntity(AwsError, code="NoSuchEntity", status=404):
    """No such account, user, access key or token."""


class BearerRefused(AwsError, code="Unauthorized", status=401):
    """The bearer token is missing, unknown, revoked or expired."""
