"""Users: CreateUser, GetUser, ListUsers, UpdateUser, DeleteUser."""

from dataclasses import replace

from sqlmodel import Session, func, select

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.errors import DeleteConflict, LimitExceeded
from foundation.identity.iam.listing import count_entities, entities
from foundation.identity.iam.paging import paged
from foundation.identity.iam.quotas import ENTITIES
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import new_entity, on_entity, user_of_call
from foundation.identity.iam.room import Iam
from foundation.identity.iam.shapes import user_shape
from foundation.identity.iam.tags import given_tags
from foundation.identity.names import USER_ID, root_arn, unique_id
from foundation.identity.records import EntityRecord
from foundation.identity.tables import AccessKey, Account
from foundation.wire import Params

__all__ = ["check_bare", "check_quota"]

USER = "user"


@iam.operation("CreateUser", on=new_entity(USER))
def create_user(room: Iam, params: Params) -> Params:
    """Make a user without keys or policies."""
    boundary = params.get("PermissionsBoundary", "")
    if boundary:
        room.attachable(boundary)
    record = EntityRecord(
        account=room.account,
        id=unique_id(USER_ID, room.account, room.rooms.entropy),
        kind=USER,
        name=params["UserName"],
        path=params.get("Path", "/"),
        created_at=room.rooms.now(),
        tags=given_tags(params),
        boundary=boundary,
    )
    room.add_entity(record, lambda session: check_quota(session, USER))
    return {"User": user_shape(record)}


@iam.operation("GetUser", on=on_entity(USER))
def get_user(room: Iam, params: Params) -> Params:
    """Show a user; without a name the caller, who may be the account's root."""
    name = params.get("UserName") or user_of_call(room)
    if name is not None:
        return {"User": user_shape(room.entity(USER, name))}
    with room.unit.read() as session:
        account = session.get_one(Account, room.account)
    return {
        "User": {
            "Path": "/",
            "UserName": room.account,
            "UserId": room.account,
            "Arn": root_arn(room.account),
            "CreateDate": account.created_at,
        }
    }


def _all_users(room: Iam, _params: Params) -> Resource:
    return account_resource(room.call)


@iam.operation("ListUsers", on=_all_users)
def list_users(room: Iam, params: Params) -> Params:
    """List users by name, under a path if one is given."""
    return paged(
        room,
        "ListUsers",
        params,
        "Users",
        entities(room, USER, params.get("PathPrefix", "/")),
        key=lambda record: record.name.lower(),
        shape=lambda record: user_shape(record, listed=True),
    )


@iam.operation("UpdateUser", on=on_entity(USER))
def update_user(room: Iam, params: Params) -> Params:
    """Rename or move a user. Its unique id stays, and with it what policies say of it."""
    room.change_entity(
        USER,
        params["UserName"],
        lambda old: replace(
            old, name=params.get("NewUserName", old.name), path=params.get("NewPath", old.path)
        ),
    )
    return {}


@iam.operation("DeleteUser", on=on_entity(USER))
def delete_user(room: Iam, params: Params) -> Params:
    """Delete a user that has neither keys nor policies any more."""

    def check(session: Session, old: EntityRecord) -> None:
        keys = select(func.count()).select_from(AccessKey).where(AccessKey.principal_id == old.id)
        if session.exec(keys).one():
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        check_bare(session, old)

    room.remove_entity(USER, params["UserName"], check)
    return {}


def check_bare(_session: Session, old: EntityRecord) -> None:
    """Raise DeleteConflict for a user or role that still has policies."""
    if old.inline:
        raise DeleteConflict("Cannot delete entity, must delete policies first.")
    if old.attached:
        raise DeleteConflict("Cannot delete entity, must detach all policies first.")


def check_quota(session: Session, kind: str) -> None:
    """Raise LimitExceeded when the account has as many users or roles as it may have."""
    if count_entities(session, kind) >= ENTITIES[kind]:
        raise LimitExceeded(f"Cannot exceed quota for {kind.capitalize()}sPerAccount: {ENTITIES[kind]}")
