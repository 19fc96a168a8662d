"""Writing customer managed policies: a record and its MAC become a row and its versions."""

from sqlmodel import Session

from foundation.identity.errors import DeleteConflict
from foundation.identity.records import PolicyRecord, stored_tags
from foundation.identity.tables import ManagedPolicy, PolicyVersion
from foundation.store import Conflict

__all__ = ["add_policy", "remove_policy", "replace_policy"]


def add_policy(session: Session, record: PolicyRecord, mac: bytes) -> None:
    """Insert a record; the store raises Duplicate when its name is taken."""
    session.add(
        ManagedPolicy(
            account=record.account,
            id=record.id,
            name=record.name,
            name_key=record.name.lower(),
            path=record.path,
            description=record.description,
            created_at=record.created_at,
            updated_at=record.updated_at,
            default_version=record.default_version,
            last_version=record.last_version,
            tags=stored_tags(record.tags),
            mac=mac,
        )
    )
    _add_versions(session, record, set())


def replace_policy(session: Session, old: PolicyRecord, new: PolicyRecord, mac: bytes) -> None:
    """Update the default version, tags and versions of a record that was read before. Raises Conflict."""
    row = _unchanged(session, old)
    row.updated_at = new.updated_at
    row.default_version = new.default_version
    row.last_version = new.last_version
    row.tags = stored_tags(new.tags)
    row.mac = mac
    session.add(row)
    kept = {version.number for version in new.versions}
    for version in old.versions:
        gone = (
            None
            if version.number in kept
            else session.get(PolicyVersion, (old.account, old.id, version.number))
        )
        if gone is not None:
            session.delete(gone)
    _add_versions(session, new, {version.number for version in old.versions})


def remove_policy(session: Session, old: PolicyRecord) -> None:
    """Delete a policy with its last version. Raises DeleteConflict while it is in use, Conflict when it changed."""
    row = _unchanged(session, old)
    if row.attachments or row.boundaries:
        raise DeleteConflict("Cannot delete a policy attached to entities.")
    for version in old.versions:
        session.delete(session.get_one(PolicyVersion, (old.account, old.id, version.number)))
    session.delete(row)


def _add_versions(session: Session, record: PolicyRecord, known: set[int]) -> None:
    for version in record.versions:
        if version.number not in known:
            session.add(
                PolicyVersion(
                    account=record.account,
                    policy_id=record.id,
                    number=version.number,
                    document=version.document,
                    created_at=version.created_at,
                )
            )


def _unchanged(session: Session, old: PolicyRecord) -> ManagedPolicy:
    row = session.get(ManagedPolicy, (old.account, old.id))
    if row is None or row.row_version != old.version:
        raise Conflict(f"the {old} changed since it was read")
    return row
