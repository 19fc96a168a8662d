"""Writing users and roles: a record and its MAC become rows, together with the counts of the policies they hold."""

from collections import Counter
from typing import Any

from sqlmodel import Session, select

from foundation.identity.errors import NoSuchEntity
from foundation.identity.names import parse_arn, policy_arn
from foundation.identity.records import EntityRecord, stored_tags
from foundation.identity.tables import AttachedPolicy, Entity, InlinePolicy, ManagedPolicy
from foundation.store import Conflict

__all__ = ["add_entity", "remove_entity", "replace_entity"]


def add_entity(session: Session, record: EntityRecord, mac: bytes) -> None:
    """Insert a record; the store raises Duplicate when its name is taken. Raises NoSuchEntity for a missing policy."""
    row = Entity(
        account=record.account, id=record.id, kind=record.kind, created_at=record.created_at, **_own(record)
    )
    row.mac = mac
    session.add(row)
    session.flush()
    _add_policies(session, record, EntityRecord(record.account, "", "", "", "", record.created_at))


def replace_entity(session: Session, old: EntityRecord, new: EntityRecord, mac: bytes) -> None:
    """Update the rows of a record that was read before. Raises Conflict when it changed, NoSuchEntity as above."""
    row = _unchanged(session, old)
    for name, value in _own(new).items():
        setattr(row, name, value)
    row.mac = mac
    session.add(row)
    for name, _ in set(old.inline) - set(new.inline):
        session.delete(session.get_one(InlinePolicy, (old.account, old.id, name)))
    for arn in set(old.attached) - set(new.attached):
        session.delete(session.get_one(AttachedPolicy, (old.account, old.id, arn)))
    session.flush()
    _add_policies(session, new, old)


def remove_entity(session: Session, old: EntityRecord) -> None:
    """Delete a record that has no policies but perhaps a boundary. Raises Conflict when it changed."""
    session.delete(_unchanged(session, old))
    _count(session, Counter(), Counter({old.boundary: -1}) if old.boundary else Counter())


def _unchanged(session: Session, old: EntityRecord) -> Entity:
    row = session.get(Entity, (old.account, old.id))
    if row is None or row.row_version != old.version:
        raise Conflict(f"the {old} changed since it was read")
    return row


def _own(record: EntityRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "name_key": record.name.lower(),
        "path": record.path,
        "tags": stored_tags(record.tags),
        "boundary": record.boundary,
        "trust": record.trust,
        "description": record.description,
        "longest_session": record.longest_session,
    }


def _add_policies(session: Session, new: EntityRecord, old: EntityRecord) -> None:
    for name, document in set(new.inline) - set(old.inline):
        session.add(InlinePolicy(account=new.account, entity_id=new.id, name=name, document=document))
    for arn in set(new.attached) - set(old.attached):
        session.add(AttachedPolicy(account=new.account, entity_id=new.id, policy_arn=arn))
    attachments = Counter(new.attached)
    attachments.subtract(old.attached)
    boundaries = Counter([new.boundary] if new.boundary else [])
    boundaries.subtract([old.boundary] if old.boundary else [])
    _count(session, attachments, boundaries)


def _count(session: Session, attachments: Counter[str], boundaries: Counter[str]) -> None:
    """Keep the counts of customer managed policies; so a policy cannot be deleted while it is being attached."""
    for arn in sorted({*attachments, *boundaries}):
        change = attachments[arn], boundaries[arn]
        named = parse_arn(arn)
        if change == (0, 0) or named is None or named.account == "aws":
            continue
        row = session.exec(
            select(ManagedPolicy).where(ManagedPolicy.name_key == named.name.lower())
        ).one_or_none()
        if row is None or policy_arn(row.account, row.path, row.name) != arn:
            raise NoSuchEntity(f"Policy {arn} does not exist or is not attachable.")
        row.attachments += change[0]
        row.boundaries += change[1]
        session.add(row)
