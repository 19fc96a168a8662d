"""Reading many users, roles and policies, in the order of their names."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, func, select

from foundation.identity.iam.paging import Fetch
from foundation.identity.iam.room import Iam
from foundation.identity.records import EntityRecord, PolicyRecord, read_entity, read_policy
from foundation.identity.tables import AttachedPolicy, Entity, ManagedPolicy

__all__ = ["attachments", "boundaries", "count_entities", "entities", "holders", "policies"]


def entities(room: Iam, kind: str, prefix: str) -> Fetch[EntityRecord]:
    """Make the fetch of the users or roles under a path."""

    def fetch(after: str, count: int) -> Sequence[EntityRecord]:
        mine = (
            select(Entity.id)
            .where(Entity.kind == kind, Entity.name_key > after, _under(Entity.path, prefix))
            .order_by(col(Entity.name_key))
            .limit(count)
        )
        with room.unit.read() as session:
            found = [read_entity(session, room.account, unique) for unique in session.exec(mine).all()]
        return _held(room, found)

    return fetch


def policies(room: Iam, prefix: str, *, attached: bool, boundary: bool) -> Fetch[PolicyRecord]:
    """Make the fetch of the customer managed policies under a path that are in use that way, from a name on."""

    def fetch(after: str, count: int) -> Sequence[PolicyRecord]:
        mine = select(ManagedPolicy.id).where(
            ManagedPolicy.name_key >= after, _under(ManagedPolicy.path, prefix)
        )
        if attached:
            mine = mine.where(ManagedPolicy.attachments > 0)
        if boundary:
            mine = mine.where(ManagedPolicy.boundaries > 0)
        with room.unit.read() as session:
            listed = session.exec(mine.order_by(col(ManagedPolicy.name_key)).limit(count)).all()
            found = [read_policy(session, room.account, unique) for unique in listed]
        return _held(room, found)

    return fetch


def holders(room: Iam, arn: str, *, boundary: bool) -> list[EntityRecord]:
    """List the users and roles that have a policy, attached or as their boundary."""
    if boundary:
        mine = select(Entity.id).where(Entity.boundary == arn)
    else:
        mine = select(AttachedPolicy.entity_id).where(AttachedPolicy.policy_arn == arn)
    with room.unit.read() as session:
        found = [read_entity(session, room.account, unique) for unique in session.exec(mine).all()]
    return _held(room, found)


def attachments(session: Session, arn: str) -> int:
    """Count what one of AWS's policies is attached to."""
    mine = select(func.count()).select_from(AttachedPolicy).where(AttachedPolicy.policy_arn == arn)
    return session.exec(mine).one()


def boundaries(session: Session, arn: str) -> int:
    """Count whose boundary a policy is."""
    return session.exec(select(func.count()).select_from(Entity).where(Entity.boundary == arn)).one()


def count_entities(session: Session, kind: str) -> int:
    """Count the users or roles of the account."""
    return session.exec(select(func.count()).select_from(Entity).where(Entity.kind == kind)).one()


def _under(path: Any, prefix: str) -> Any:
    # LIKE would ignore case on SQLite, and take % and _ in the prefix for wildcards.
    return func.substr(path, 1, len(prefix)) == prefix


def _held(room: Iam, found: Sequence[tuple[Any, bytes] | None]) -> list[Any]:
    listed = [one for one in found if one is not None]
    for record, mac in listed:
        room.rooms.principals.watch.hold(record, mac)
    return [record for record, _ in listed]
