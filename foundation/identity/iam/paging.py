"""IAM's paging: Marker and MaxItems in, Marker and IsTruncated out."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

from foundation.identity.iam.room import Iam
from foundation.wire import Params, page

__all__ = ["among", "paged"]

T = TypeVar("T")
Fetch = Callable[[str, int], Sequence[T]]
DEFAULT: Final = 100


def paged(
    iam: Iam,
    operation: str,
    params: Params,
    member: str,
    fetch: Fetch[T],
    *,
    key: Callable[[T], str],
    shape: Callable[[T], Any],
) -> Params:
    """Answer one page. `fetch(after, count)` gives the items whose key is greater than `after`, in order of keys."""
    filters = {name: value for name, value in params.items() if name not in ("Marker", "MaxItems")}
    found = page(
        lambda after, count: fetch("" if after is None else str(after[0]), count),
        key=lambda item: (key(item),),
        token=params.get("Marker"),
        limit=params.get("MaxItems", DEFAULT),
        seal=iam.rooms.seal,
        bound_to=(iam.account, f"iam:{operation}", repr(sorted(filters.items()))),
    )
    answer: Params = {
        member: [shape(item) for item in found.items],
        "IsTruncated": found.next_token is not None,
    }
    if found.next_token is not None:
        answer["Marker"] = found.next_token
    return answer


def among(items: Iterable[T], key: Callable[[T], str]) -> Fetch[T]:
    """Make the fetch of a short list that is at hand."""
    ordered = sorted(items, key=key)
    return lambda after, count: [item for item in ordered if key(item) > after][:count]
