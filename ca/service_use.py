"""What an AWS service may do with an authority on its own, such as ACM when it renews (acm-pca CreatePermission, PutPolicy).

For certificates of the authority's own account a permission decides; for those of another account the authority's
resource policy does, asked about the service's role there, as AWS asks about its service-linked role.
"""

import json
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from ca.arns import authority_arn
from ca.errors import NotPermitted
from ca.pca.access import compiled
from ca.tables import ConfigurationRow, PermissionRow
from foundation.identity import Call, Permissions, Principal, Resource, decide
from foundation.identity.policy import Kind, Policy, parse
from foundation.store import Scope, Unit

ACM: Final = "acm.amazonaws.com"
# service -> the role that it has in its users' accounts
_ROLES: Final = {ACM: "AWSServiceRoleForCertificateManager"}
# What that role may do by itself (AWS's CertificateManagerServiceRolePolicy): the resource policy has to agree.
_OWN: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["acm-pca:IssueCertificate", "acm-pca:GetCertificate"],
                "Resource": "*",
            }
        ],
    }
)
_ROLE_POLICY: Final = Policy(parse(_OWN, Kind.IDENTITY), "CertificateManagerServiceRolePolicy")


def check_service_use(
    unit: Unit, authority_id: str, *, service: str, source_account: str, action: str, at: datetime
) -> None:
    """Raise NotPermitted unless `service` may do `action` ("IssueCertificate") for `source_account`.

    unit: of the authority's own scope. Raises NotPermitted too, and not that it is missing, for another account's
    authority that does not exist.
    """
    own = unit.scope.account == source_account
    with unit.read() as session:
        allowed = (
            _permitted(session, authority_id, service, source_account, action)
            if own
            else _shared(session, unit.scope, authority_id, service, source_account, action, at)
        )
    if not allowed:
        raise NotPermitted(f"{service} may not {action} with {authority_arn(unit.scope, authority_id)}")


def _permitted(session: Session, authority_id: str, service: str, source_account: str, action: str) -> bool:
    mine = select(PermissionRow).where(
        col(PermissionRow.authority_id) == authority_id,
        col(PermissionRow.principal) == service,
        col(PermissionRow.source_account) == source_account,
    )
    row = session.exec(mine).one_or_none()
    return row is not None and action in json.loads(row.actions)


def _shared(  # noqa: PLR0917 - as check_service_use
    session: Session,
    scope: Scope,
    authority_id: str,
    service: str,
    source_account: str,
    action: str,
    at: datetime,
) -> bool:
    of = ConfigurationRow.authority_id == authority_id
    configuration = session.exec(select(ConfigurationRow).where(of)).one_or_none()
    if configuration is None or configuration.policy is None or service not in _ROLES:
        return False
    arn = authority_arn(scope, authority_id)
    resource = Resource(arn=arn, account=scope.account, policies=(compiled(configuration.policy),))
    return decide(
        _role_call(service, source_account, scope.region, at), f"acm-pca:{action}", resource
    ).allowed


def _role_call(service: str, account: str, region: str, at: datetime) -> Call:
    name = _ROLES[service]
    principal = Principal(
        account=account,
        arn=f"arn:aws:iam::{account}:role/aws-service-role/{service}/{name}",
        principal_id=f"{service}:{account}",
        kind="role",
        name=name,
        permissions=Permissions(identity=(_ROLE_POLICY,)),
    )
    return Call(
        principal=principal, account=account, region=region, service="acm-pca", request_id="", at=at,
        source_ip=service, user_agent=service, via_service=service,
    )  # fmt: skip
