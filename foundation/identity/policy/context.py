"""The global condition keys (`aws:…`), worked out from a call only when a policy asks for them.

Names, availability and forms are those of the IAM User Guide, "AWS global condition context keys". Keys are looked
up in lower case.
"""

from collections.abc import Callable, Mapping
from typing import Final

from foundation.identity.calls import Call
from foundation.identity.policy.facts import Value

__all__ = ["GLOBAL_KEYS", "CallContext"]

Answer = Callable[[Call], Value | None]

NO_TAGS: Final[Mapping[str, str]] = {}
NO_VALUES: Final[Mapping[str, Value]] = {}

PRINCIPAL_TYPES: Final = {"root": "Account", "user": "User", "role": "AssumedRole", "service": "Service"}


def flag(value: bool) -> str:
    """Write a truth as conditions compare it."""
    return "true" if value else "false"


def _user_name(call: Call) -> str | None:
    return call.principal.name if call.principal.kind == "user" else None


def _principal_arn(call: Call) -> str | None:
    if call.principal.kind == "service":
        return None
    session = call.principal.session
    return session.role_arn if session is not None and session.role_arn else call.principal.arn


def _account(call: Call) -> str | None:
    return None if call.principal.kind == "service" else call.principal.account


def _is_service(call: Call) -> str:
    return flag(call.principal.kind == "service")


def _service_name(call: Call) -> str | None:
    return call.principal.arn if call.principal.kind == "service" else None


def _current_time(call: Call) -> str:
    return call.at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _epoch_time(call: Call) -> str:
    return str(int(call.at.timestamp()))


def _called_via(call: Call) -> Value | None:
    return (f"{call.via_service}.amazonaws.com",) if call.via_service else None


def _called_via_one(call: Call) -> Value | None:
    return f"{call.via_service}.amazonaws.com" if call.via_service else None


def _source_account(call: Call) -> str | None:
    account = call.source_arn.split(":", 5)[4] if call.source_arn and call.source_arn.count(":") > 4 else ""
    return account or None


def _token_issued(call: Call) -> str | None:
    session = call.principal.session
    return None if session is None else session.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _mfa_present(call: Call) -> str | None:
    # Present with temporary credentials only: a long-lived key has no MFA to speak of, not even "false".
    session = call.principal.session
    return None if session is None else flag(session.mfa_at is not None)


def _mfa_age(call: Call) -> str | None:
    session = call.principal.session
    if session is None or session.mfa_at is None:
        return None
    return str(max(0, int((call.at - session.mfa_at).total_seconds())))


def _source_identity(call: Call) -> str | None:
    session = call.principal.session
    return None if session is None else session.source_identity or None


GLOBAL_KEYS: Final[Mapping[str, Answer]] = {
    "aws:principalarn": _principal_arn,
    "aws:principalaccount": _account,
    "aws:principaltype": lambda call: PRINCIPAL_TYPES.get(call.principal.kind),
    "aws:principalisawsservice": _is_service,
    "aws:principalservicename": _service_name,
    "aws:userid": lambda call: call.principal.principal_id,
    "aws:username": _user_name,
    "aws:sourceip": lambda call: call.source_ip or None,
    "aws:securetransport": lambda call: flag(call.secure),
    "aws:currenttime": _current_time,
    "aws:epochtime": _epoch_time,
    "aws:requestedregion": lambda call: call.region,
    "aws:useragent": lambda call: call.user_agent or None,
    "aws:viaawsservice": lambda call: flag(call.via_service is not None),
    "aws:calledvia": _called_via,
    "aws:calledviafirst": _called_via_one,
    "aws:calledvialast": _called_via_one,
    "aws:sourcearn": lambda call: call.source_arn,
    "aws:sourceaccount": _source_account,
    "aws:sourceidentity": _source_identity,
    "aws:tokenissuetime": _token_issued,
    "aws:multifactorauthpresent": _mfa_present,
    "aws:multifactorauthage": _mfa_age,
}


class CallContext:
    """The condition keys of one call on one resource.

    `keys` are the service's own (`kms:ViaService`), by name in lower case; they come before the global ones.
    `resource_tags` and `request_tags` are the tags that the resource has and those that the request brings
    (None when it can bring none, which leaves aws:TagKeys absent). Names of tags have no case in keys.
    """

    __slots__ = ("_call", "_keys", "_request_tags", "_resource_tags")

    def __init__(
        self,
        call: Call,
        keys: Mapping[str, Value] = NO_VALUES,
        resource_tags: Mapping[str, str] = NO_TAGS,
        request_tags: Mapping[str, str] | None = None,
    ) -> None:
        self._call = call
        self._keys = keys
        self._resource_tags = resource_tags
        self._request_tags = request_tags

    def get(self, key: str, /) -> Value | None:
        """Give the value of a key, or None when the request has none."""
        value = self._keys.get(key)
        if value is not None:
            return value
        answer = GLOBAL_KEYS.get(key)
        return self._tag(key) if answer is None else answer(self._call)

    def _tag(self, key: str) -> Value | None:
        kind, slash, name = key.partition("/")
        if key == "aws:tagkeys":
            return None if self._request_tags is None else tuple(self._request_tags)
        if not slash:
            return None
        if kind == "aws:principaltag":
            return _among(dict(self._call.principal.tags), name)
        if kind == "aws:requesttag":
            return _among(self._request_tags or NO_TAGS, name)
        return _among(self._resource_tags, name) if kind == "aws:resourcetag" else None


def _among(tags: Mapping[str, str], name: str) -> str | None:
    for key, value in tags.items():
        if key.lower() == name:
            return value
    return None
