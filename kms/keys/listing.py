"""ListKeys, ListResourceTags and ListKeyPolicies, page by page (TRAPS 6)."""

from collections.abc import Sequence

from sqlmodel import col, select

from foundation.wire import Keyset, Page
from kms.keys.context import Context
from kms.keys.keys import Lookup
from kms.keys.pages import paged
from kms.keys.policies import DEFAULT_NAME
from kms.keys.tables import Key

SELF = "SELF"


class Listing:
    """Lists of one call's account and Region."""

    def __init__(self, context: Context, lookup: Lookup) -> None:
        self._context = context
        self._lookup = lookup

    def keys(self, owners: Sequence[str], *, limit: int, marker: str | None) -> Page[str]:
        """Ids in their order. No account shares keys by RAM here, so other owners have none."""

        def fetch(after: Keyset | None, count: int) -> Sequence[str]:
            if SELF not in owners:
                return ()
            statement = select(Key.id).order_by(col(Key.id)).limit(count)
            if after is not None:
                statement = statement.where(col(Key.id) > str(after[0]))
            with self._context.unit.read() as session:
                return list(session.exec(statement))

        return paged(
            self._context, "ListKeys", fetch, lambda key_id: (key_id,),
            limit=limit, marker=marker, filters=tuple(sorted(set(owners))),
        )  # fmt: skip

    def tags(self, key_id: str, *, limit: int, marker: str | None) -> Page[tuple[str, str]]:
        """Tags in the order of their keys."""
        found = self._lookup.find(key_id, "ListResourceTags")
        tags = sorted(found.tags.items())

        def fetch(after: Keyset | None, count: int) -> Sequence[tuple[str, str]]:
            return [tag for tag in tags if after is None or tag[0] > str(after[0])][:count]

        return paged(
            self._context, "ListResourceTags", fetch, lambda tag: (tag[0],),
            limit=limit, marker=marker, filters=(found.arn,),
        )  # fmt: skip

    def policies(self, key_id: str, *, limit: int, marker: str | None) -> Page[str]:
        """Names of the key's policies: the one that every key has."""
        found = self._lookup.find(key_id, "ListKeyPolicies")

        def fetch(after: Keyset | None, count: int) -> Sequence[str]:
            return [name for name in (DEFAULT_NAME,) if after is None or name > str(after[0])][:count]

        return paged(
            self._context, "ListKeyPolicies", fetch, lambda name: (name,),
            limit=limit, marker=marker, filters=(found.arn,),
        )  # fmt: skip
