"""KMS's pages: Marker and Limit in, NextMarker and Truncated out (TRAPS 6)."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from foundation.wire import Keyset, Page, page
from kms.keys.context import Context
from kms.keys.errors import ValidationError

T = TypeVar("T")

LIMITS: Final = {
    "ListKeys": (100, 1000),
    "ListKeyPolicies": (100, 1000),
    "ListKeyRotations": (100, 1000),
    "ListAliases": (50, 100),
    "ListGrants": (50, 100),
    "ListRetirableGrants": (50, 100),
    "ListResourceTags": (50, 50),
}
"""Operation → (items when Limit is left out, most that Limit may say)."""


def judge_limit(operation: str, limit: int | None) -> int:
    """The page's size. Raises ValidationError beyond the operation's own bound, which the model has in words only."""
    usual, most = LIMITS[operation]
    if limit is None:
        return usual
    if limit > most:
        raise ValidationError(f"Limit must be between 1 and {most}, inclusive.")
    return limit


def paged(
    context: Context,
    operation: str,
    fetch: Callable[[Keyset | None, int], Sequence[T]],
    key: Callable[[T], Keyset],
    *,
    limit: int,
    marker: str | None,
    filters: tuple[str, ...] = (),
) -> Page[T]:
    """One page; a marker of another caller, Region, operation or filter is foundation.wire.BadToken."""
    here = context.here
    return page(
        fetch,
        key=key,
        token=marker,
        limit=limit,
        seal=context.rooms.seal,
        bound_to=(here.account, here.region, operation, *filters),
    )


def answer(member: str, items: Sequence[Any], next_marker: str | None) -> dict[str, Any]:
    """The list as the operations answer it."""
    shape: dict[str, Any] = {member: list(items), "Truncated": next_marker is not None}
    if next_marker is not None:
        shape["NextMarker"] = next_marker
    return shape
