"""What LookupEvents refuses, by CloudTrail's names."""

from foundation.wire import AwsError

__all__ = ["InvalidLookupAttributes", "InvalidTimeRange"]


class InvalidLookupAttributes(AwsError, code="InvalidLookupAttributesException"):
    """More than one attribute, or a value that the attribute cannot have."""


class InvalidTimeRange(AwsError, code="InvalidTimeRangeException"):
    """The start lies after the end."""
