"""Aliases: names that stand for keys, and are no property of them (TRAPS 19)."""

import re
from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from foundation.identity import Resource, authorize
from foundation.store import Conflict, Duplicate
from foundation.wire import Keyset, Page
from kms.keys.arns import ALIAS_PREFIX, MANAGED_PREFIX, alias_arn
from kms.keys.changes import Changes, commit, decided
from kms.keys.context import Context
from kms.keys.editing import Editing
from kms.keys.errors import AlreadyExists, InvalidAliasName, LimitExceeded, NotFound, ValidationError
from kms.keys.found import FoundKey
from kms.keys.keys import Lookup
from kms.keys.managed import PREDEFINED
from kms.keys.pages import paged
from kms.keys.states import check_state
from kms.keys.tables import Alias, Key

_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+")


def judge_name(name: str, refusal: type[InvalidAliasName] | type[ValidationError] = ValidationError) -> None:
    """Raise the operation's refusal of a name without prefix, with other letters, or of AWS's own."""
    if not name.startswith(ALIAS_PREFIX):
        raise refusal(f'Alias must start with the prefix "{ALIAS_PREFIX}".')
    if not _NAME.fullmatch(name):
        raise refusal(
            "Alias must contain only alphanumeric characters, forward slashes, underscores and dashes."
        )
    if name.startswith(MANAGED_PREFIX) or name == MANAGED_PREFIX.rstrip("/"):
        raise refusal(f"Aliases that begin with {MANAGED_PREFIX} are reserved for AWS managed keys.")


def judge_target(key_id: str) -> None:
    """Raise ValidationError for a target that is an alias itself."""
    if key_id.startswith(ALIAS_PREFIX) or ":alias/" in key_id:
        raise ValidationError("Aliases must refer to keys. Not aliases.")


class Aliases:
    """The alias operations of one call. Each is asked about the alias first, then about each key it concerns."""

    def __init__(self, context: Context, lookup: Lookup, editing: Editing) -> None:
        self._context = context
        self._rooms = context.rooms
        self._lookup = lookup
        self._editing = editing

    def resource(self, name: str) -> Resource:
        """The alias as its own operations are asked about it; only IAM policies speak of aliases."""
        return Resource(arn=alias_arn(self._context.here, name), account=self._context.here.account)

    def create(self, name: str, target: str) -> None:
        """CreateAlias. Raises AlreadyExists; LimitExceeded when the key has its 50."""
        found = self._allowed(target, "CreateAlias")
        here, now = self._context.here, self._rooms.now()
        values = {
            "account": here.account, "region": here.region, "name": name, "key_id": found.id,
            "created_at": now, "updated_at": now,
        }  # fmt: skip

        def act() -> None:
            self._fresh(found, "CreateAlias")
            changes = Changes(new=[(Alias, values)], also=[lambda session: self._count(session, found)])
            commit(self._context.unit, self._rooms.core, changes)

        try:
            decided(act)
        except Duplicate as taken:
            raise AlreadyExists(f"An alias with the name {alias_arn(here, name)} already exists") from taken
        self._rooms.settle()

    def update(self, name: str, target: str) -> None:
        """UpdateAlias: to a key of the same class and usage. Permission on the old key is needed too."""
        found = self._allowed(target, "UpdateAlias")

        def act() -> None:
            row = self._row(name)
            self._fresh(found, "UpdateAlias")
            before = self._rooms.cache.key(self._context.here, row.key_id)
            if before is not None and before.id != found.id:
                self._ask(before, "UpdateAlias")
                _same_class(before, found)
            changes = Changes(updates=[(row, {"key_id": found.id, "updated_at": self._rooms.now()})])
            if row.key_id != found.id:
                changes.also.append(lambda session: self._count(session, found))
            commit(self._context.unit, self._rooms.core, changes)

        decided(act)
        self._rooms.settle()

    def delete(self, name: str) -> None:
        """DeleteAlias."""

        def act() -> None:
            row = self._row(name)
            found = self._rooms.cache.key(self._context.here, row.key_id)
            if found is not None:
                self._ask(found, "DeleteAlias")
            commit(self._context.unit, self._rooms.core, Changes(gone=[row]))

        decided(act)
        self._rooms.settle()

    def page(self, key_id: str | None, *, limit: int, marker: str | None) -> Page[Alias]:
        """ListAliases: in order of names, then the predefined aliases that nobody used; those have no key id."""
        found = None if key_id is None else self._lookup.find(key_id, "ListAliases")

        def fetch(after: Keyset | None, count: int) -> Sequence[Alias]:
            unused, last = (False, "") if after is None else (bool(after[0]), str(after[1]))
            rows = [] if unused else self._rows_after(last, count, found)
            if found is None and len(rows) < count:
                rows += self._unused_after(last if unused else "")[: count - len(rows)]
            return rows

        return paged(
            self._context, "ListAliases", fetch, lambda row: (int(not row.key_id), row.name),
            limit=limit, marker=marker, filters=("" if found is None else found.arn,),
        )  # fmt: skip

    def _rows_after(self, last: str, count: int, found: FoundKey | None) -> list[Alias]:
        statement = select(Alias).where(col(Alias.name) > last).order_by(col(Alias.name)).limit(count)
        if found is not None:
            statement = statement.where(Alias.key_id == found.id)
        with self._context.unit.read() as session:
            rows = list(session.exec(statement))
        self._rooms.rows.verified(self._context.here, rows)
        return rows

    def _unused_after(self, last: str) -> list[Alias]:
        """Predefined aliases that stand for no key yet; they follow all that do."""
        here = self._context.here
        with self._context.unit.read() as session:
            used = set(session.exec(select(Alias.name).where(col(Alias.name).in_(PREDEFINED))))
        return [
            Alias(account=here.account, region=here.region, name=name, key_id="")  # type: ignore[call-arg]  # it has no dates: nothing was made
            for name in sorted(PREDEFINED)
            if name > last and name not in used
        ]

    def _allowed(self, target: str, operation: str) -> FoundKey:
        """The key that is to be named, once the caller is allowed to name it."""
        found = self._lookup.find(target, operation)
        self._ask(found, operation)
        self._editing.own(found, operation)
        return found

    def _ask(self, found: FoundKey, operation: str) -> None:
        resource = self._lookup.resource(found.arn, operation)
        self._context.also_about(resource)
        authorize(self._context.call, f"kms:{operation}", resource)

    def _fresh(self, found: FoundKey, operation: str) -> None:
        """The target's state as of now; the row of a key that goes in the meantime takes its aliases along."""
        rows = self._editing.rows(self._context.unit, found.id)
        check_state(operation, rows.found.as_of(self._rooms.now()).state, found.arn)

    def _row(self, name: str) -> Alias:
        row = self._rooms.rows.alias(self._context.unit, name)
        if row is None:
            raise NotFound(f"Alias {alias_arn(self._context.here, name)} is not found.")
        return row

    def _count(self, session: Session, found: FoundKey) -> None:
        """The quota, counted in the commit that adds one; a key that went before it is no target any more."""
        if session.get(Key, (found.scope.account, found.scope.region, found.id)) is None:
            raise Conflict("the key was deleted")
        mine = select(func.count()).select_from(Alias).where(Alias.key_id == found.id)
        quota = self._rooms.settings.aliases_per_key
        if session.exec(mine).one() > quota:
            raise LimitExceeded(f"{found.arn} has reached the quota of {quota} aliases.")


def _same_class(before: FoundKey, after: FoundKey) -> None:
    if (before.spec.kind, before.usage) != (after.spec.kind, after.usage):
        raise ValidationError(
            f"An alias of a {before.spec.kind} key for {before.usage} cannot be moved to a {after.spec.kind} key "
            f"for {after.usage}."
        )
