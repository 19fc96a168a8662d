"""Records as IAM's answers show them."""

from typing import Any

from foundation.identity.iam.documents import encoded, shown_trust
from foundation.identity.iam.tags import shown_tags
from foundation.identity.policy import AwsPolicy
from foundation.identity.principals import Principals
from foundation.identity.records import EntityRecord, KeyRecord, PolicyRecord, VersionRecord
from foundation.wire import Params

__all__ = [
    "aws_policy_shape",
    "key_shape",
    "policy_shape",
    "role_shape",
    "user_shape",
    "version_shape",
]


def user_shape(record: EntityRecord, *, listed: bool = False) -> Params:
    """Give a User. Lists show neither tags nor boundary."""
    shape: Params = {
        "Path": record.path,
        "UserName": record.name,
        "UserId": record.id,
        "Arn": record.arn,
        "CreateDate": record.created_at,
    }
    return shape if listed else {**shape, **_more(record)}


def role_shape(record: EntityRecord, principals: Principals, *, listed: bool = False) -> Params:
    """Give a Role."""
    shape: Params = {
        "Path": record.path,
        "RoleName": record.name,
        "RoleId": record.id,
        "Arn": record.arn,
        "CreateDate": record.created_at,
        "AssumeRolePolicyDocument": shown_trust(record.trust, principals),
        "MaxSessionDuration": record.longest_session,
    }
    if record.description:
        shape["Description"] = record.description
    return shape if listed else {**shape, **_more(record)}


def _more(record: EntityRecord) -> Params:
    more: Params = {}
    if record.boundary:
        more["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": record.boundary,
        }
    if record.tags:
        more["Tags"] = shown_tags(record.tags)
    return more


def policy_shape(record: PolicyRecord, *, listed: bool = False) -> Params:
    """Give a customer's Policy."""
    shape: Params = {
        "PolicyName": record.name,
        "PolicyId": record.id,
        "Arn": record.arn,
        "Path": record.path,
        "DefaultVersionId": f"v{record.default_version}",
        "AttachmentCount": record.attachments,
        "PermissionsBoundaryUsageCount": record.boundaries,
        "IsAttachable": True,
        "CreateDate": record.created_at,
        "UpdateDate": record.updated_at,
    }
    if listed:
        return shape
    if record.description:
        shape["Description"] = record.description
    return {**shape, "Tags": shown_tags(record.tags)}


def aws_policy_shape(policy: AwsPolicy, attachments: int, *, boundaries: int, listed: bool = False) -> Params:
    """Give one of AWS's own policies as a Policy."""
    shape: Params = {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": attachments,
        "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": True,
        "CreateDate": policy.created_at,
        "UpdateDate": policy.created_at,
    }
    return shape if listed else {**shape, "Description": policy.description, "Tags": []}


def version_shape(record: PolicyRecord, version: VersionRecord, *, document: bool) -> Params:
    """Give a PolicyVersion."""
    shape: dict[str, Any] = {
        "VersionId": f"v{version.number}",
        "IsDefaultVersion": version.number == record.default_version,
        "CreateDate": version.created_at,
    }
    return {**shape, "Document": encoded(version.document)} if document else shape


def key_shape(record: KeyRecord, user_name: str | None) -> Params:
    """Give an AccessKeyMetadata."""
    shape: Params = {
        "AccessKeyId": record.access_key_id,
        "Status": "Active" if record.active else "Inactive",
        "CreateDate": record.created_at,
    }
    return shape if user_name is None else {"UserName": user_name, **shape}
