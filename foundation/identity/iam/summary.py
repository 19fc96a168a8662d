"""The account at a glance: GetAccountSummary and GetAccountAuthorizationDetails."""

from typing import Any, Final

from sqlmodel import func, select

from foundation.identity.decisions import Resource, account_resource
from foundation.identity.iam import quotas
from foundation.identity.iam.documents import encoded, shown_trust
from foundation.identity.iam.listing import count_entities, entities, policies
from foundation.identity.iam.paging import among, paged
from foundation.identity.iam.registry import iam
from foundation.identity.iam.room import Iam
from foundation.identity.iam.shapes import (
    aws_policy_shape,
    policy_shape,
    role_shape,
    user_shape,
    version_shape,
)
from foundation.identity.keys import KEYS_PER_PRINCIPAL
from foundation.identity.names import parse_arn
from foundation.identity.policy import AWS_POLICIES
from foundation.identity.records import EntityRecord
from foundation.identity.tables import AccessKey, ManagedPolicy, PolicyVersion
from foundation.wire import Params

__all__: list[str] = []

KINDS: Final = ("User", "Role", "LocalManagedPolicy", "AWSManagedPolicy")
EVERYTHING: Final = 10_000


def _account(room: Iam, _params: Params) -> Resource:
    return account_resource(room.call)


@iam.operation("GetAccountSummary", on=_account)
def get_account_summary(room: Iam, _params: Params) -> Params:
    """Count what the account has, beside its quotas. What keystead does not have counts as none."""
    with room.unit.read() as session:
        users, roles = (count_entities(session, kind) for kind in ("user", "role"))
        own = session.exec(select(func.count()).select_from(ManagedPolicy)).one()
        versions = session.exec(select(func.count()).select_from(PolicyVersion)).one()
        of_root = select(func.count()).select_from(AccessKey).where(AccessKey.principal_id == room.account)
        root_keys = session.exec(of_root).one()
    return {
        "SummaryMap": {
            "Users": users,
            "UsersQuota": quotas.ENTITIES["user"],
            "Roles": roles,
            "RolesQuota": quotas.ENTITIES["role"],
            "Groups": 0,
            "GroupsQuota": 0,
            "Policies": own,
            "PoliciesQuota": quotas.POLICIES,
            "PolicySizeQuota": quotas.MANAGED_SIZE,
            "PolicyVersionsInUse": versions,
            "VersionsPerPolicyQuota": quotas.VERSIONS,
            "UserPolicySizeQuota": quotas.INLINE_SIZE["user"],
            "RolePolicySizeQuota": quotas.INLINE_SIZE["role"],
            "AssumeRolePolicySizeQuota": quotas.TRUST_SIZE,
            "AttachedPoliciesPerUserQuota": quotas.ATTACHED,
            "AttachedPoliciesPerRoleQuota": quotas.ATTACHED,
            "AccessKeysPerUserQuota": KEYS_PER_PRINCIPAL,
            "AccountAccessKeysPresent": int(root_keys > 0),
            "AccountMFAEnabled": 0,
            "MFADevices": 0,
            "MFADevicesInUse": 0,
        }
    }


@iam.operation("GetAccountAuthorizationDetails", on=_account)
def get_account_authorization_details(room: Iam, params: Params) -> Params:
    """Show users, roles and policies with their documents, of the kinds that are asked for."""
    wanted = [kind for kind in KINDS if kind in params.get("Filter", KINDS)]
    items: list[tuple[str, str, Params]] = []
    if "User" in wanted:
        items += [("UserDetailList", one.id, _user(one)) for one in _all(room, "user")]
    if "Role" in wanted:
        items += [("RoleDetailList", one.id, _role(room, one)) for one in _all(room, "role")]
    items += [("Policies", shape["PolicyId"], shape) for shape in _policies(room, wanted)]
    page = paged(
        room,
        "GetAccountAuthorizationDetails",
        params,
        "Items",
        among(items, lambda one: one[1]),
        key=lambda one: one[1],
        shape=lambda one: one,
    )
    answer: dict[str, Any] = {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": [],
        "Policies": [],
    }
    for member, _, shape in page.pop("Items"):
        answer[member].append(shape)
    return {**answer, **page}


def _all(room: Iam, kind: str) -> list[EntityRecord]:
    return list(entities(room, kind, "/")("", EVERYTHING))


def _user(record: EntityRecord) -> Params:
    return {**user_shape(record), "UserPolicyList": _inline(record), **_attached(record), "GroupList": []}


def _role(room: Iam, record: EntityRecord) -> Params:
    shape = role_shape(record, room.rooms.principals)
    kept = {name: value for name, value in shape.items() if name not in ("Description", "MaxSessionDuration")}
    return {
        **kept,
        "AssumeRolePolicyDocument": shown_trust(record.trust, room.rooms.principals),
        "RolePolicyList": _inline(record),
        **_attached(record),
        "InstanceProfileList": [],
    }


def _inline(record: EntityRecord) -> list[Params]:
    return [{"PolicyName": name, "PolicyDocument": encoded(text)} for name, text in record.inline]


def _attached(record: EntityRecord) -> Params:
    named = [(arn, parse_arn(arn)) for arn in record.attached]
    return {
        "AttachedManagedPolicies": [
            {"PolicyName": one.name, "PolicyArn": arn} for arn, one in named if one is not None
        ]
    }


def _policies(room: Iam, wanted: list[str]) -> list[Params]:
    shapes = []
    if "LocalManagedPolicy" in wanted:
        for record in policies(room, "/", attached=False, boundary=False)("", EVERYTHING):
            versions = [version_shape(record, one, document=True) for one in record.versions]
            shapes.append({**policy_shape(record, listed=True), "PolicyVersionList": versions})
    if "AWSManagedPolicy" in wanted:
        for policy in AWS_POLICIES.values():
            shape = aws_policy_shape(policy, 0, boundaries=0, listed=True)
            version = {
                "VersionId": "v1",
                "IsDefaultVersion": True,
                "CreateDate": policy.created_at,
                "Document": encoded(policy.document),
            }
            shapes.append({**shape, "PolicyVersionList": [version]})
    return shapes
