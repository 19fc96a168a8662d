"""Access keys: CreateAccessKey, ListAccessKeys, UpdateAccessKey, DeleteAccessKey, GetAccessKeyLastUsed."""

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.errors import NoSuchEntity
from foundation.identity.iam.paging import among, paged
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import about, on_entity, user_of_call
from foundation.identity.iam.room import Iam
from foundation.identity.iam.shapes import key_shape
from foundation.identity.records import KeyRecord
from foundation.wire import Params

__all__: list[str] = []

USER = "user"
NEVER = "N/A"


def _holder(room: Iam, params: Params) -> tuple[str, str | None]:
    """Give the unique id and name of the user whose keys are meant; an account's root has its id and no name."""
    name = params.get("UserName") or user_of_call(room)
    return (room.account, None) if name is None else (room.entity(USER, name).id, name)


def _key(room: Iam, params: Params) -> KeyRecord:
    principal_id, _ = _holder(room, params)
    found = room.rooms.keys.find(room.unit, params["AccessKeyId"])
    if found is None or (found.account, found.principal_id) != (room.account, principal_id):
        raise NoSuchEntity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
    return found


@iam.operation("CreateAccessKey", on=on_entity(USER))
def create_access_key(room: Iam, params: Params) -> Params:
    """Make a key. Its secret is shown in this answer only."""
    principal_id, name = _holder(room, params)
    record, secret = room.rooms.keys.create(room.unit, principal_id)
    return {"AccessKey": {**key_shape(record, name or room.account), "SecretAccessKey": secret}}


@iam.operation("ListAccessKeys", on=on_entity(USER))
def list_access_keys(room: Iam, params: Params) -> Params:
    """List a user's keys, without their secrets."""
    principal_id, name = _holder(room, params)
    return paged(
        room,
        "ListAccessKeys",
        params,
        "AccessKeyMetadata",
        among(room.rooms.keys.of(room.unit, principal_id), lambda record: record.access_key_id),
        key=lambda record: record.access_key_id,
        shape=lambda record: key_shape(record, name),
    )


@iam.operation("UpdateAccessKey", on=on_entity(USER))
def update_access_key(room: Iam, params: Params) -> Params:
    """Enable or disable a key. Once this answers, no worker takes a disabled one."""
    room.rooms.keys.set_active(room.unit, _key(room, params), active=params["Status"] == "Active")
    room.rooms.settle()
    return {}


@iam.operation("DeleteAccessKey", on=on_entity(USER))
def delete_access_key(room: Iam, params: Params) -> Params:
    """Delete a key for good."""
    room.rooms.keys.delete(room.unit, _key(room, params))
    room.rooms.settle()
    return {}


def _user_of_key(room: Iam, params: Params) -> Resource:
    found = room.rooms.keys.find(room.unit, params["AccessKeyId"])
    owner = None
    if found is not None and found.account == room.account:
        owner = room.rooms.principals.entity(room.account, found.principal_id)
    return account_resource(room.call) if owner is None else about(room, owner, {})


@iam.operation("GetAccessKeyLastUsed", on=_user_of_key)
def get_access_key_last_used(room: Iam, params: Params) -> Params:
    """Say when and for what a key of this account was last used, as the trail knows it."""
    found = room.rooms.keys.find(room.unit, params["AccessKeyId"])
    if found is None or found.account != room.account:
        raise NoSuchEntity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
    owner = room.rooms.principals.entity(room.account, found.principal_id)
    used = room.rooms.last_use.last_use(room.account, found.access_key_id)
    shown: Params = {"ServiceName": NEVER, "Region": NEVER}
    if used is not None:
        shown = {"LastUsedDate": used[0], "ServiceName": used[1], "Region": used[2]}
    return {"UserName": room.account if owner is None else owner.name, "AccessKeyLastUsed": shown}
