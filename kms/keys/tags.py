"""Tags on keys: at most 50, unique keys, `aws:` reserved. They are part of the key's row, and of its MAC."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kms.keys.changes import Changes
from kms.keys.editing import Editing
from kms.keys.errors import LimitExceeded, Tagging

_RESERVED = "aws:"


def judge_tags(tags: Iterable[Mapping[str, Any]], *, limit: int) -> dict[str, str]:
    """Tags as key → value, in the order given.

    Raises Tagging for a reserved or repeated key, LimitExceeded beyond the limit.
    """
    judged: dict[str, str] = {}
    for tag in tags:
        key, value = tag["TagKey"], tag["TagValue"]
        if key.lower().startswith(_RESERVED):
            raise Tagging(f"Tag keys cannot begin with {_RESERVED}")
        if key in judged:
            raise Tagging(f"Duplicate tag key: {key}")
        judged[key] = value
    check_count(judged, limit)
    return judged


def check_count(tags: Mapping[str, str], limit: int) -> None:
    """Raise LimitExceeded when a key would have more tags than it may."""
    if len(tags) > limit:
        raise LimitExceeded(f"A KMS key can have at most {limit} tags")


def tag_conditions(tags: Mapping[str, str]) -> dict[str, Any]:
    """The global condition keys of a request that brings tags."""
    if not tags:
        return {}
    return {"aws:TagKeys": tuple(tags), **{f"aws:RequestTag/{key}": value for key, value in tags.items()}}


class Tags:
    """TagResource and UntagResource."""

    def __init__(self, editing: Editing, limit: int) -> None:
        self._editing = editing
        self._limit = limit

    def add(self, key_id: str, tags: Sequence[Mapping[str, Any]]) -> None:
        """Add tags; known keys get the new value."""
        judged = judge_tags(tags, limit=self._limit)

        def decide(rows: Any) -> Changes:
            present = {**json.loads(rows.key.tags), **judged}
            check_count(present, self._limit)
            return Changes(updates=[(rows.key, {"tags": json.dumps(present)})])

        self._editing.edit(key_id, "TagResource", decide)

    def remove(self, key_id: str, names: Sequence[str]) -> None:
        """Remove tags; names that the key does not have are passed over."""

        def decide(rows: Any) -> Changes:
            left = {key: value for key, value in json.loads(rows.key.tags).items() if key not in names}
            return Changes(updates=[(rows.key, {"tags": json.dumps(left)})])

        self._editing.edit(key_id, "UntagResource", decide)
