"""Who calls, from where and when: the frozen facts that authentication hands to everything after it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Self

__all__ = ["ADMINISTRATOR_ACCESS", "Call", "Principal", "PrincipalKind", "operator_call", "service_call"]

PrincipalKind = Literal["root", "user", "service", "operator"]

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller. `principal_id` is AWS's unique id: a recreated name gets another one and inherits nothing.

    For an account's root it is the account id, for a user `AIDA…`, for a service its own name; the operator is
    whoever may open the data directory's admin socket.
    `policies` are the ARNs of the policies attached to it; without one it may do nothing.
    """

    account: str
    arn: str
    principal_id: str
    kind: PrincipalKind
    name: str
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request. `at` is wall-clock time (UTC); `region` is the signature's scope.

    `account` is the caller's, `service` is botocore's name of what is called ("cloudhsmv2"). `via_service` and `source_arn` are set when a service asks another one on
    the caller's behalf (`kms:ViaService`, `aws:SourceArn`).
    """

    principal: Principal
    account: str
    region: str
    service: str
    request_id: str
    at: datetime
    source_ip: str = ""
    user_agent: str = ""
    access_key_id: str = ""
    via_service: str | None = None
    source_arn: str | None = None

    def via(self, service: str, *, source_arn: str | None = None) -> Self:
        """Return the same caller, narrowed to what `service` does for it about `source_arn`."""
        return replace(self, via_service=service, source_arn=source_arn)

    @property
    def asker(self) -> tuple[str, str]:
        """Give (request id, principal ARN), the two fields of the key core's `Asker`."""
        return self.request_id, self.principal.arn


def service_call(service: str, *, account: str, region: str, request_id: str, at: datetime) -> Call:
    """Make the call of a job that keystead runs by itself, such as ACM's renewals.

    Its principal is the service (`acm.amazonaws.com`); it has no policies, so `authorize` denies it everything.
    """
    name = f"{service}.amazonaws.com"
    principal = Principal(account=account, arn=name, principal_id=name, kind="service", name=name)
    return Call(
        principal=principal,
        account=account,
        region=region,
        service=service,
        request_id=request_id,
        at=at,
        source_ip=name,
        user_agent=name,
    )


def operator_call(*, account: str, region: str, request_id: str, at: datetime, uid: int = 0) -> Call:
    """Make the call of an operator's command over the admin socket, so that it is recorded like any other."""
    name = f"uid-{uid}"
    principal = Principal(
        account=account, arn=f"keystead:operator/{name}", principal_id=name, kind="operator", name=name
    )
    return Call(
        principal=principal,
        account=account,
        region=region,
        service="keystead",
        request_id=request_id,
        at=at,
        source_ip="admin.sock",
        user_agent="keystead",
    )
