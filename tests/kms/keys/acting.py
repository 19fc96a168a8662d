"""Calls to KMS's operations by anybody, without the wire: resolved, allowed, done, as the pipeline does it."""

from datetime import UTC, datetime
from typing import Any

from foundation.identity import ADMINISTRATOR_ACCESS, Call, Principal, authorize
from foundation.store import Scope
from foundation.wire import Params
from kms.keys import Context, KeyService, operations
from kms.keys.found import FoundKey, Question
from tests.kms.keys.world import ACCOUNT, HERE, REGION, Process


def arn_of(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/{name}"


def acting(process: Process, name: str, *, account: str = ACCOUNT, admin: bool = False) -> KeyService:
    """KMS for a user. (`Everyone` pins ARNs to themselves, so an ARN is its own unique id.)"""
    arn = arn_of(name, account)
    policies = (ADMINISTRATOR_ACCESS,) if admin else ()
    return _service(process, Principal(account, arn, arn, "user", name, policies))


def service_acting(process: Process, name: str, source_arn: str | None) -> KeyService:
    """KMS for an AWS service that acts for a resource."""
    return _service(process, Principal(ACCOUNT, name, name, "service", name), source_arn)


def _service(process: Process, principal: Principal, source_arn: str | None = None) -> KeyService:
    scope = Scope(principal.account, REGION)
    call = Call(principal, scope.account, REGION, "kms", "request", datetime.now(UTC), source_arn=source_arn)
    return KeyService(Context(process.rooms, process.store.unit(scope), call))


def do(keys: KeyService, name: str, **params: Any) -> Params:
    """One operation. Raises what it raises, AccessDenied among it."""
    operation = operations.declared[name]
    assert operation.on is not None
    authorize(keys.context.call, operation.action, operation.on(keys, params))
    return operation.handler(keys, params)


def may(
    keys: KeyService,
    key: FoundKey,
    operation: str = "Encrypt",
    context: dict[str, str] | None = None,
    tokens: tuple[str, ...] = (),
) -> None:
    """Raise AccessDenied unless the caller may use the key so."""
    question = Question(encryption_context=context or {}, tokens=frozenset(tokens))
    authorize(keys.context.call, f"kms:{operation}", keys.resource(key.arn, operation, question))


__all__ = ["HERE", "acting", "arn_of", "do", "may", "service_acting"]
