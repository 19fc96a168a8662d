"""What users and roles hold, under operations of two names each: inline policies, attachments, boundaries, tags."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from foundation.identity.errors import LimitExceeded, NoSuchEntity
from foundation.identity.iam.documents import encoded, judge_inline, size
from foundation.identity.iam.paging import among, paged
from foundation.identity.iam.quotas import ATTACHED
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import NAME, on_entity
from foundation.identity.iam.room import Iam
from foundation.identity.iam.tags import given_tags, merged, shown_tags, without
from foundation.identity.names import parse_arn
from foundation.identity.records import EntityRecord
from foundation.wire import Params

__all__: list[str] = []

Handler = Callable[[Iam, Params], Params]
KINDS: Final = ("user", "role")


def _edits(kind: str, edit: Callable[[Iam, EntityRecord, Params], EntityRecord]) -> Handler:
    """Make the handler that changes the named user or role and answers nothing."""

    def handle(room: Iam, params: Params) -> Params:
        room.change_entity(kind, params[NAME[kind]], lambda old: edit(room, old, params))
        return {}

    return handle


def put_inline(_room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """PutUserPolicy, PutRolePolicy: add or replace an inline policy."""
    name = params["PolicyName"]
    others = tuple(one for one in old.inline if one[0] != name)
    document = judge_inline(params["PolicyDocument"], old.kind, sum(size(text) for _, text in others))
    return replace(old, inline=tuple(sorted((*others, (name, document)))))


def delete_inline(_room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """DeleteUserPolicy, DeleteRolePolicy."""
    _document(old, params["PolicyName"])
    return replace(old, inline=tuple(one for one in old.inline if one[0] != params["PolicyName"]))


def attach(room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """AttachUserPolicy, AttachRolePolicy: again is no error."""
    arn = params["PolicyArn"]
    room.attachable(arn)
    attached = tuple(sorted({*old.attached, arn}))
    if len(attached) > ATTACHED:
        quota = f"PoliciesPer{old.kind.capitalize()}"
        raise LimitExceeded(f"Cannot exceed quota for {quota}: {ATTACHED}")
    return replace(old, attached=attached)


def detach(_room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """DetachUserPolicy, DetachRolePolicy."""
    arn = params["PolicyArn"]
    if arn not in old.attached:
        raise NoSuchEntity(f"Policy {arn} was not found.")
    return replace(old, attached=tuple(one for one in old.attached if one != arn))


def put_boundary(room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """PutUserPermissionsBoundary, PutRolePermissionsBoundary."""
    room.attachable(params["PermissionsBoundary"])
    return replace(old, boundary=params["PermissionsBoundary"])


def delete_boundary(_room: Iam, old: EntityRecord, _params: Params) -> EntityRecord:
    """DeleteUserPermissionsBoundary, DeleteRolePermissionsBoundary."""
    if not old.boundary:
        raise NoSuchEntity(f"The {old} does not have a permissions boundary.")
    return replace(old, boundary="")


def tag(_room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """TagUser, TagRole."""
    return replace(old, tags=merged(old.tags, given_tags(params)))


def untag(_room: Iam, old: EntityRecord, params: Params) -> EntityRecord:
    """UntagUser, UntagRole."""
    return replace(old, tags=without(old.tags, params["TagKeys"]))


def get_inline(kind: str) -> Handler:
    """GetUserPolicy, GetRolePolicy."""

    def handle(room: Iam, params: Params) -> Params:
        record = room.entity(kind, params[NAME[kind]])
        return {
            NAME[kind]: record.name,
            "PolicyName": params["PolicyName"],
            "PolicyDocument": encoded(_document(record, params["PolicyName"])),
        }

    return handle


def list_inline(kind: str, operation: str) -> Handler:
    """ListUserPolicies, ListRolePolicies: names only."""

    def handle(room: Iam, params: Params) -> Params:
        record = room.entity(kind, params[NAME[kind]])
        names = among((name for name, _ in record.inline), str)
        return paged(room, operation, params, "PolicyNames", names, key=str, shape=str)

    return handle


def list_attached(kind: str, operation: str) -> Handler:
    """ListAttachedUserPolicies, ListAttachedRolePolicies."""

    def handle(room: Iam, params: Params) -> Params:
        prefix = params.get("PathPrefix", "/")
        record = room.entity(kind, params[NAME[kind]])
        named = [(arn, parse_arn(arn)) for arn in record.attached]
        listed = [(arn, one.name) for arn, one in named if one is not None and one.path.startswith(prefix)]
        return paged(
            room,
            operation,
            params,
            "AttachedPolicies",
            among(listed, lambda one: one[0]),
            key=lambda one: one[0],
            shape=lambda one: {"PolicyName": one[1], "PolicyArn": one[0]},
        )

    return handle


def list_tags(kind: str, operation: str) -> Handler:
    """ListUserTags, ListRoleTags."""

    def handle(room: Iam, params: Params) -> Params:
        record = room.entity(kind, params[NAME[kind]])
        return paged(
            room,
            operation,
            params,
            "Tags",
            among(record.tags, lambda one: one[0]),
            key=lambda one: one[0],
            shape=lambda one: shown_tags((one,))[0],
        )

    return handle


def _document(record: EntityRecord, name: str) -> str:
    for policy, document in record.inline:
        if policy == name:
            return document
    raise NoSuchEntity(f"The {record.kind} policy with name {name} cannot be found.")


def _declare(kind: str) -> None:
    word, on = kind.capitalize(), on_entity(kind)
    changes = {
        f"Put{word}Policy": put_inline,
        f"Delete{word}Policy": delete_inline,
        f"Attach{word}Policy": attach,
        f"Detach{word}Policy": detach,
        f"Put{word}PermissionsBoundary": put_boundary,
        f"Delete{word}PermissionsBoundary": delete_boundary,
        f"Tag{word}": tag,
        f"Untag{word}": untag,
    }
    for name, edit in changes.items():
        iam.operation(name, on=on)(_edits(kind, edit))
    iam.operation(f"Get{word}Policy", on=on)(get_inline(kind))
    lists = {
        f"List{word}Policies": list_inline,
        f"ListAttached{word}Policies": list_attached,
        f"List{word}Tags": list_tags,
    }
    for name, make in lists.items():
        iam.operation(name, on=on)(make(kind, name))


for one_kind in KINDS:
    _declare(one_kind)
