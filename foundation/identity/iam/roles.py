"""Roles: CreateRole, GetRole, ListRoles, UpdateRole, UpdateRoleDescription, UpdateAssumeRolePolicy, DeleteRole."""

from dataclasses import replace

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.errors import InvalidInput
from foundation.identity.iam.documents import judge_trust
from foundation.identity.iam.listing import entities
from foundation.identity.iam.paging import paged
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import new_entity, on_entity
from foundation.identity.iam.room import Iam
from foundation.identity.iam.shapes import role_shape
from foundation.identity.iam.tags import given_tags
from foundation.identity.iam.users import check_bare, check_quota
from foundation.identity.names import ROLE_ID, unique_id
from foundation.identity.records import EntityRecord
from foundation.wire import Params

__all__: list[str] = []

ROLE = "role"


@iam.operation("CreateRole", on=new_entity(ROLE))
def create_role(room: Iam, params: Params) -> Params:
    """Make a role with its trust policy, whose principals must exist."""
    _refuse_sign_in(params)
    boundary = params.get("PermissionsBoundary", "")
    if boundary:
        room.attachable(boundary)
    record = EntityRecord(
        account=room.account,
        id=unique_id(ROLE_ID, room.account, room.rooms.entropy),
        kind=ROLE,
        name=params["RoleName"],
        path=params.get("Path", "/"),
        created_at=room.rooms.now(),
        tags=given_tags(params),
        boundary=boundary,
        trust=judge_trust(params["AssumeRolePolicyDocument"], room.rooms.principals),
        description=params.get("Description", ""),
        longest_session=params.get("MaxSessionDuration", 3600),
    )
    room.add_entity(record, lambda session: check_quota(session, ROLE))
    return {"Role": role_shape(record, room.rooms.principals)}


@iam.operation("GetRole", on=on_entity(ROLE))
def get_role(room: Iam, params: Params) -> Params:
    """Show a role."""
    return {"Role": role_shape(room.entity(ROLE, params["RoleName"]), room.rooms.principals)}


def _all_roles(room: Iam, _params: Params) -> Resource:
    return account_resource(room.call)


@iam.operation("ListRoles", on=_all_roles)
def list_roles(room: Iam, params: Params) -> Params:
    """List roles by name, under a path if one is given."""
    return paged(
        room,
        "ListRoles",
        params,
        "Roles",
        entities(room, ROLE, params.get("PathPrefix", "/")),
        key=lambda record: record.name.lower(),
        shape=lambda record: role_shape(record, room.rooms.principals, listed=True),
    )


@iam.operation("UpdateRole", on=on_entity(ROLE))
def update_role(room: Iam, params: Params) -> Params:
    """Change the description and the longest session; what is not given goes back to its default, as AWS has it."""
    _refuse_sign_in(params)
    room.change_entity(
        ROLE,
        params["RoleName"],
        lambda old: replace(
            old,
            description=params.get("Description", old.description),
            longest_session=params.get("MaxSessionDuration", 3600),
        ),
    )
    return {}


@iam.operation("UpdateRoleDescription", on=on_entity(ROLE))
def update_role_description(room: Iam, params: Params) -> Params:
    """Change the description alone."""
    changed = room.change_entity(
        ROLE, params["RoleName"], lambda old: replace(old, description=params["Description"])
    )
    return {"Role": role_shape(changed, room.rooms.principals)}


@iam.operation("UpdateAssumeRolePolicy", on=on_entity(ROLE))
def update_assume_role_policy(room: Iam, params: Params) -> Params:
    """Replace the trust policy."""
    trust = judge_trust(params["PolicyDocument"], room.rooms.principals)
    room.change_entity(ROLE, params["RoleName"], lambda old: replace(old, trust=trust))
    return {}


@iam.operation("DeleteRole", on=on_entity(ROLE))
def delete_role(room: Iam, params: Params) -> Params:
    """Delete a role that has no policies any more. Its sessions end with it."""
    room.remove_entity(ROLE, params["RoleName"], check_bare)
    return {}


def _refuse_sign_in(params: Params) -> None:
    if params.get("MaxSigninSessionDuration") is not None or params.get("ResetMaxSigninSessionDuration"):
        raise InvalidInput("keystead has no sign-in sessions; leave MaxSigninSessionDuration away.")
