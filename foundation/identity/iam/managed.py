"""Managed policies: CreatePolicy and the rest, versions, and who has them. AWS's own can be read, not changed."""

from dataclasses import replace
from typing import Any, Final

from sqlmodel import Session, func, select

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from foundation.identity.iam.documents import encoded, judge_managed
from foundation.identity.iam.listing import attachments, boundaries, holders, policies
from foundation.identity.iam.paging import among, paged
from foundation.identity.iam.quotas import POLICIES, VERSIONS
from foundation.identity.iam.registry import iam
from foundation.identity.iam.resolvers import new_policy, on_policy
from foundation.identity.iam.room import Iam
from foundation.identity.iam.shapes import aws_policy_shape, policy_shape, version_shape
from foundation.identity.iam.tags import given_tags, merged, shown_tags, without
from foundation.identity.names import POLICY_ID, unique_id
from foundation.identity.policy import AWS_POLICIES, AwsPolicy
from foundation.identity.records import EntityRecord, PolicyRecord, VersionRecord
from foundation.identity.tables import ManagedPolicy
from foundation.wire import AccessDenied, Params

__all__: list[str] = []

ONLY_VERSION: Final = "v1"
BOUNDARY: Final = "PermissionsBoundary"


@iam.operation("CreatePolicy", on=new_policy)
def create_policy(room: Iam, params: Params) -> Params:
    """Make a policy with its first version."""
    now = room.rooms.now()
    record = PolicyRecord(
        account=room.account,
        id=unique_id(POLICY_ID, room.account, room.rooms.entropy),
        name=params["PolicyName"],
        path=params.get("Path", "/"),
        description=params.get("Description", ""),
        created_at=now,
        updated_at=now,
        default_version=1,
        last_version=1,
        tags=given_tags(params),
        versions=(VersionRecord(1, judge_managed(params["PolicyDocument"]), now),),
    )

    def check(session: Session) -> None:
        if session.exec(select(func.count()).select_from(ManagedPolicy)).one() >= POLICIES:
            raise LimitExceeded(f"Cannot exceed quota for PoliciesPerAccount: {POLICIES}")

    room.add_policy(record, check)
    return {"Policy": policy_shape(record)}


@iam.operation("GetPolicy", on=on_policy)
def get_policy(room: Iam, params: Params) -> Params:
    """Show a policy, without its document."""
    aws = AWS_POLICIES.get(params["PolicyArn"])
    if aws is None:
        return {"Policy": policy_shape(room.policy(params["PolicyArn"]))}
    return {"Policy": _aws_shape(room, aws, listed=False)}


def _aws_shape(room: Iam, policy: AwsPolicy, *, listed: bool) -> Params:
    with room.unit.read() as session:
        counts = attachments(session, policy.arn), boundaries(session, policy.arn)
    return aws_policy_shape(policy, counts[0], boundaries=counts[1], listed=listed)


def _all_policies(room: Iam, _params: Params) -> Resource:
    return account_resource(room.call)


@iam.operation("ListPolicies", on=_all_policies)
def list_policies(room: Iam, params: Params) -> Params:
    """List AWS's policies, the account's own (Scope=Local), or both, by name."""
    scope, prefix = params.get("Scope", "All"), params.get("PathPrefix", "/")
    boundary = params.get("PolicyUsageFilter") == BOUNDARY
    attached = params.get("OnlyAttached", False)
    own = policies(room, prefix, attached=attached and not boundary, boundary=boundary)
    shapes: list[Params] = []
    if scope != "Local" and prefix == "/":
        shapes = [_aws_shape(room, policy, listed=True) for policy in AWS_POLICIES.values()]
        if boundary or attached:
            counted = "PermissionsBoundaryUsageCount" if boundary else "AttachmentCount"
            shapes = [shape for shape in shapes if shape[counted]]

    def fetch(after: str, count: int) -> list[Params]:
        name = after.partition(" ")[0]
        mine = [] if scope == "AWS" else [policy_shape(one, listed=True) for one in own(name, count + 1)]
        both = [shape for shape in (*shapes, *mine) if _order(shape) > after]
        return sorted(both, key=_order)[:count]

    return paged(room, "ListPolicies", params, "Policies", fetch, key=_order, shape=lambda shape: shape)


def _order(shape: Params) -> str:
    # A name may be both AWS's and the account's.
    return f"{shape['PolicyName'].lower()} {shape['Arn']}"


@iam.operation("DeletePolicy", on=on_policy)
def delete_policy(room: Iam, params: Params) -> Params:
    """Delete a policy that is attached to nothing and has its default version only."""
    _refuse_aws(params)

    def check(old: PolicyRecord) -> None:
        if len(old.versions) > 1:
            raise DeleteConflict(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )

    room.remove_policy(params["PolicyArn"], check)
    return {}


@iam.operation("CreatePolicyVersion", on=on_policy)
def create_policy_version(room: Iam, params: Params) -> Params:
    """Add a version, the sixth being refused; it takes effect once it is the default."""
    _refuse_aws(params)
    document, now = judge_managed(params["PolicyDocument"]), room.rooms.now()

    def edit(old: PolicyRecord) -> PolicyRecord:
        if len(old.versions) >= VERSIONS:
            raise LimitExceeded(
                f"A managed policy can have up to {VERSIONS} versions. Before you create a new version, you must "
                "delete an existing version."
            )
        number = old.last_version + 1
        return replace(
            old,
            updated_at=now,
            last_version=number,
            default_version=number if params.get("SetAsDefault", False) else old.default_version,
            versions=(*old.versions, VersionRecord(number, document, now)),
        )

    changed = room.change_policy(params["PolicyArn"], edit)
    return {"PolicyVersion": version_shape(changed, changed.versions[-1], document=False)}


@iam.operation("GetPolicyVersion", on=on_policy)
def get_policy_version(room: Iam, params: Params) -> Params:
    """Show a version with its document."""
    aws = AWS_POLICIES.get(params["PolicyArn"])
    if aws is None:
        record = room.policy(params["PolicyArn"])
        version = _version(record, params["VersionId"])
        return {"PolicyVersion": version_shape(record, version, document=True)}
    if params["VersionId"] != ONLY_VERSION:
        raise _no_version(aws.arn, params["VersionId"])
    return {"PolicyVersion": {**_aws_version(aws), "Document": encoded(aws.document)}}


def _aws_version(policy: AwsPolicy) -> Params:
    return {"VersionId": ONLY_VERSION, "IsDefaultVersion": True, "CreateDate": policy.created_at}


@iam.operation("ListPolicyVersions", on=on_policy)
def list_policy_versions(room: Iam, params: Params) -> Params:
    """List versions, newest first, without their documents."""
    aws = AWS_POLICIES.get(params["PolicyArn"])
    shapes: list[tuple[str, Any]]
    if aws is not None:
        shapes = [("0", _aws_version(aws))]
    else:
        record = room.policy(params["PolicyArn"])
        # The key falls as the number rises: the newest come first.
        shapes = [
            (f"{10**9 - version.number}", version_shape(record, version, document=False))
            for version in record.versions
        ]
    return paged(
        room,
        "ListPolicyVersions",
        params,
        "Versions",
        among(shapes, lambda one: one[0]),
        key=lambda one: one[0],
        shape=lambda one: one[1],
    )


@iam.operation("SetDefaultPolicyVersion", on=on_policy)
def set_default_policy_version(room: Iam, params: Params) -> Params:
    """Have another version take effect for all who have the policy."""
    _refuse_aws(params)
    now = room.rooms.now()
    room.change_policy(
        params["PolicyArn"],
        lambda old: replace(old, updated_at=now, default_version=_version(old, params["VersionId"]).number),
    )
    return {}


@iam.operation("DeletePolicyVersion", on=on_policy)
def delete_policy_version(room: Iam, params: Params) -> Params:
    """Delete a version that is not the default. Its number is not given again."""
    _refuse_aws(params)
    now = room.rooms.now()

    def edit(old: PolicyRecord) -> PolicyRecord:
        gone = _version(old, params["VersionId"])
        if gone.number == old.default_version:
            raise DeleteConflict("Cannot delete the default version of a policy.")
        return replace(old, updated_at=now, versions=tuple(one for one in old.versions if one != gone))

    room.change_policy(params["PolicyArn"], edit)
    return {}


@iam.operation("ListEntitiesForPolicy", on=on_policy)
def list_entities_for_policy(room: Iam, params: Params) -> Params:
    """List the users and roles that have a policy; groups there are none."""
    arn = params["PolicyArn"]
    room.attachable(arn)
    usage, prefix = params.get("PolicyUsageFilter"), params.get("PathPrefix", "/")
    found: dict[str, EntityRecord] = {}
    for boundary in (False, True):
        if usage is None or (usage == BOUNDARY) == boundary:
            found |= {record.id: record for record in holders(room, arn, boundary=boundary)}
    kinds: tuple[str, ...] = {"User": ("user",), "Role": ("role",)}.get(
        params.get("EntityFilter", ""), ("user", "role")
    )
    if params.get("EntityFilter") in ("Group", "LocalManagedPolicy", "AWSManagedPolicy"):
        kinds = ()
    listed = [one for one in found.values() if one.kind in kinds and one.path.startswith(prefix)]
    page = paged(
        room,
        "ListEntitiesForPolicy",
        params,
        "Entities",
        among(listed, lambda one: one.id),
        key=lambda one: one.id,
        shape=lambda one: one,
    )
    entities: list[EntityRecord] = page.pop("Entities")
    users = [{"UserName": one.name, "UserId": one.id} for one in entities if one.kind == "user"]
    roles = [{"RoleName": one.name, "RoleId": one.id} for one in entities if one.kind == "role"]
    return {**page, "PolicyGroups": [], "PolicyUsers": users, "PolicyRoles": roles}


@iam.operation("TagPolicy", on=on_policy)
def tag_policy(room: Iam, params: Params) -> Params:
    """Add tags to a customer managed policy."""
    _refuse_aws(params)
    room.change_policy(
        params["PolicyArn"], lambda old: replace(old, tags=merged(old.tags, given_tags(params)))
    )
    return {}


@iam.operation("UntagPolicy", on=on_policy)
def untag_policy(room: Iam, params: Params) -> Params:
    """Take tags from a customer managed policy."""
    _refuse_aws(params)
    room.change_policy(
        params["PolicyArn"], lambda old: replace(old, tags=without(old.tags, params["TagKeys"]))
    )
    return {}


@iam.operation("ListPolicyTags", on=on_policy)
def list_policy_tags(room: Iam, params: Params) -> Params:
    """List a customer managed policy's tags."""
    return paged(
        room,
        "ListPolicyTags",
        params,
        "Tags",
        among(room.policy(params["PolicyArn"]).tags, lambda one: one[0]),
        key=lambda one: one[0],
        shape=lambda one: shown_tags((one,))[0],
    )


def _version(record: PolicyRecord, version_id: str) -> VersionRecord:
    for version in record.versions:
        if f"v{version.number}" == version_id:
            return version
    raise _no_version(record.arn, version_id)


def _no_version(arn: str, version_id: str) -> NoSuchEntity:
    return NoSuchEntity(f"Policy {arn} version {version_id} does not exist or is not attachable.")


def _refuse_aws(params: Params) -> None:
    if params["PolicyArn"] in AWS_POLICIES:
        raise AccessDenied("AWS managed policies cannot be changed.")
