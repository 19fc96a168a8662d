"""Who calls, from where and when: the frozen facts that authentication hands to everything after it."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, Self

import msgspec

if TYPE_CHECKING:
    from foundation.identity.policy import Policy

__all__ = [
    "ADMINISTRATOR_ACCESS",
    "Call",
    "Permissions",
    "Principal",
    "PrincipalKind",
    "Session",
    "operator_call",
    "service_call",
]

PrincipalKind = Literal["root", "user", "role", "service", "operator"]

ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"


@dataclass(frozen=True, slots=True)
class Session:
    """What temporary credentials add to their principal. `issued_at` and `mfa_at` are UTC.

    AssumeRole: `role_arn` and `role_id` (`AROA…`) are the role's. GetSessionToken: both are empty, for the
    principal is still the user. `transitive` are the keys of the tags that a chained session inherits.
    """

    issued_at: datetime
    role_arn: str = ""
    role_id: str = ""
    mfa_at: datetime | None = None
    source_identity: str = ""
    transitive: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Permissions:
    """The compiled policies of a principal, but for the AWS managed ones, which `Principal.policies` names."""

    identity: tuple["Policy", ...] = ()
    boundary: "Policy | None" = None
    session: tuple["Policy", ...] = ()


NO_PERMISSIONS: Final = Permissions()


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller. `principal_id` is AWS's unique id: a recreated name gets another one and inherits nothing.

    For an account's root it is the account id, for a user `AIDA…`, for a role's session `AROA…:session` (with
    `arn` the session's and `name` the role's), for a service its own name; the operator is whoever may open the
    data directory's admin socket.
    `policies` are the ARNs of the AWS managed policies attached to it, `permissions` its other policies;
    without either it may do nothing but what a resource's own policy allows it. `tags` are those of the user or
    role, and of the session.
    """

    account: str
    arn: str
    principal_id: str
    kind: PrincipalKind
    name: str
    policies: tuple[str, ...] = ()
    permissions: Permissions = NO_PERMISSIONS
    session: Session | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Call(msgspec.Struct, frozen=True):
    """One authenticated request. `at` is wall-clock time (UTC); `region` is the signature's scope.

    `account` is the caller's, `service` is botocore's name of what is called ("cloudhsmv2"). `via_service` and `source_arn` are set when a service asks another one on
    the caller's behalf (`kms:ViaService`, `aws:SourceArn`). `secure` is whether the request came over TLS.
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
    secure: bool = False

    def via(self, service: str, *, source_arn: str | None = None) -> Self:
        """Return the same caller, narrowed to what `service` does for it about `source_arn`."""
        return msgspec.structs.replace(self, via_service=service, source_arn=source_arn)

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
