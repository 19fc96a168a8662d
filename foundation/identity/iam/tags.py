"""Tags of users, roles and policies: keys have no case, and AWS's own are not taken."""

from collections.abc import Iterable, Mapping
from typing import Any

from foundation.identity.errors import InvalidInput, LimitExceeded
from foundation.identity.iam.quotas import TAGS
from foundation.identity.records import Tags

__all__ = ["given_tags", "merged", "request_tags", "shown_tags", "without"]


def given_tags(params: Mapping[str, Any]) -> Tags:
    """Read the parameter Tags. Raises InvalidInput for keys that are repeated or AWS's."""
    tags = tuple((tag["Key"], tag["Value"]) for tag in params.get("Tags", ()))
    keys = [key.lower() for key, _ in tags]
    if len(set(keys)) < len(keys):
        raise InvalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise InvalidInput("Tag keys that begin with aws: are reserved for AWS.")
    return tags


def request_tags(params: Mapping[str, Any]) -> dict[str, str]:
    """Give the tags, or the keys to be removed, as conditions on `aws:RequestTag` and `aws:TagKeys` see them."""
    return {
        **{tag["Key"]: tag["Value"] for tag in params.get("Tags", ())},
        **dict.fromkeys(params.get("TagKeys", ()), ""),
    }


def merged(old: Tags, new: Tags) -> Tags:
    """Add tags, in place of those with the same key. Raises LimitExceeded."""
    tags = (*without(old, (key for key, _ in new)), *new)
    if len(tags) > TAGS:
        raise LimitExceeded(f"The number of tags has reached the maximum limit of {TAGS}.")
    return tags


def without(old: Tags, keys: Iterable[str]) -> Tags:
    """Take tags away; keys that are not there do not matter."""
    gone = {key.lower() for key in keys}
    return tuple((key, value) for key, value in old if key.lower() not in gone)


def shown_tags(tags: Tags) -> list[dict[str, str]]:
    """Write tags as answers have them."""
    return [{"Key": key, "Value": value} for key, value in tags]
