"""Callers for tests: an account's administrator, and a user of the same account who may do nothing."""

from datetime import UTC, datetime

from foundation.identity import ADMINISTRATOR_ACCESS, Call, Principal

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "eu-central-1"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def administrator(
    account: str = ACCOUNT, region: str = REGION, service: str = "acm", at: datetime = AT, request_id: str = ""
) -> Call:
    """Make the call of `admin`, who holds AdministratorAccess in `account`."""
    principal = Principal(
        account=account,
        arn=f"arn:aws:iam::{account}:user/admin",
        principal_id="AIDAEXAMPLEADMIN00001",
        kind="user",
        name="admin",
        policies=(ADMINISTRATOR_ACCESS,),
    )
    return _call(principal, region, service, at, request_id)


def powerless(
    account: str = ACCOUNT, region: str = REGION, service: str = "acm", at: datetime = AT, request_id: str = ""
) -> Call:
    """Make the call of a user to whom no policy is attached."""
    principal = Principal(
        account=account,
        arn=f"arn:aws:iam::{account}:user/nobody",
        principal_id="AIDAEXAMPLENOBODY0001",
        kind="user",
        name="nobody",
    )
    return _call(principal, region, service, at, request_id)


def _call(principal: Principal, region: str, service: str, at: datetime, request_id: str) -> Call:
    return Call(
        principal=principal,
        account=principal.account,
        region=region,
        service=service,
        request_id=request_id or "7f1b7d3e-0000-4000-8000-000000000001",
        at=at,
        source_ip="192.0.2.7",
        user_agent="Boto3/1.44.8",
        access_key_id="AKIAEXAMPLEADMIN0001",
    )
