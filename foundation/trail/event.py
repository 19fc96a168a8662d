"""The record of one API call, in CloudTrail's form (its user guide, "CloudTrail record contents").

keystead adds one member, `keystead`: both clocks, and what is known of the outcome. Parameters arrive here
redacted; what is still too long is cut, as CloudTrail does.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from foundation.identity import Call, Principal, Resource, Session

__all__ = [
    "Event",
    "Outcome",
    "add_decision",
    "add_resource",
    "call_event",
    "encode",
    "event_source",
    "moment",
    "resources_of",
]

Outcome = Literal["committed", "succeeded", "failed"]

EVENT_VERSION = "1.11"
MOST_PARAMETERS = 100_000  # octets of JSON; CloudTrail omits larger elements too
MOST_TEXT = 1024  # CloudTrail's limit for userAgent and errorMessage
MOST_RESOURCES = 20
MOST_DECISIONS = 8
MOST_EVENT = 250_000  # octets of the whole line; the chain takes 256 kB
MOST_KNOWN = 4096  # callers whose userIdentity is kept

_SOURCES = {"cloudhsmv2": "cloudhsm"}
_RESOURCE_TYPES = {
    ("acm", "certificate"): "AWS::ACM::Certificate",
    ("acm-pca", "certificate-authority"): "AWS::ACMPCA::CertificateAuthority",
    ("kms", "key"): "AWS::KMS::Key",
    ("kms", "alias"): "AWS::KMS::Alias",
    ("secretsmanager", "secret"): "AWS::SecretsManager::Secret",
}


class Known(msgspec.Struct):
    """What keystead adds: both clocks, the outcome, and why the call was allowed or denied."""

    wall: str
    now: str
    outcome: Outcome
    decisions: list[dict[str, Any] | msgspec.Raw] | UnsetType = UNSET


class Event(msgspec.Struct, rename="camel", kw_only=True):
    """One record. It is encoded as it stands; parameters and identity are JSON already, so that none is made twice."""

    event_version: str = EVENT_VERSION
    user_identity: msgspec.Raw
    event_time: str
    event_source: str
    event_name: str
    aws_region: str
    source_ip_address: str = msgspec.field(name="sourceIPAddress")
    user_agent: str
    request_parameters: msgspec.Raw
    response_elements: msgspec.Raw
    request_id: str = msgspec.field(name="requestID")
    event_id: str = msgspec.field(name="eventID")
    read_only: bool
    resources: list[dict[str, str]]
    event_type: str = "AwsApiCall"
    management_event: bool = True
    recipient_account_id: str
    event_category: str = "Management"
    error_code: str | UnsetType = UNSET
    error_message: str | UnsetType = UNSET
    keystead: Known


def call_event(
    call: Call,
    name: str,
    parameters: Mapping[str, Any] | None,
    *,
    event_id: str,
    now: datetime,
    read_only: bool,
    resources: Iterable[Resource] = (),
) -> Event:
    """Build the event of a call that is about to be tried; `now` is the service clock."""
    wall = moment(call.at)
    return Event(
        user_identity=_identity(call),
        event_time=f"{wall[:19]}Z",
        event_source=event_source(call.service),
        event_name=name,
        aws_region=call.region,
        source_ip_address=call.source_ip,
        user_agent=_cut(call.user_agent),
        request_parameters=bounded(parameters, "requestParameters"),
        response_elements=_NULL,
        request_id=call.request_id,
        event_id=event_id,
        read_only=read_only,
        resources=_described([(resource.arn, resource.account) for resource in resources], parameters),
        recipient_account_id=call.account,
        keystead=Known(wall, moment(now), "committed"),
    )


def succeeded(event: Event, elements: Mapping[str, Any] | None) -> Event:
    """Complete an event with what was answered; a call that only reads has no response elements."""
    outcome = _replace(event.keystead, outcome="succeeded")
    if event.read_only:
        return _replace(event, keystead=outcome)
    known = [(entry["ARN"], entry["accountId"]) for entry in event.resources]
    return _replace(
        event,
        response_elements=bounded(elements, "responseElements"),
        resources=_described(known, elements),
        keystead=outcome,
    )


def failed(event: Event, code: str, message: str) -> Event:
    """Complete an event with the error that was answered."""
    return _replace(
        event,
        error_code=code,
        error_message=_cut(message),
        keystead=_replace(event.keystead, outcome="failed"),
    )


def add_resource(event: Event, arn: str, account: str) -> None:
    """Name a resource in an event that is not complete yet; `*` names none."""
    known = event.resources
    if arn != "*" and len(known) < MOST_RESOURCES and all(entry["ARN"] != arn for entry in known):
        known.append(_resource(arn, account))


def add_decision(event: Event, explanation: dict[str, Any] | msgspec.Raw) -> None:
    """Explain a decision in an event that is not complete yet: one call may rest on several."""
    if event.keystead.decisions is UNSET:
        event.keystead.decisions = []
    if len(event.keystead.decisions) < MOST_DECISIONS:
        event.keystead.decisions.append(explanation)


def encode(event: Event) -> bytes:
    """Give the event as one line of JSON, which is never too long for the chain: a call must be recordable."""
    line = _json(event)
    if len(line) <= MOST_EVENT:
        return line
    omitted = _omitted(len(line), "event too large")
    return _json(_replace(event, request_parameters=omitted, response_elements=_NULL, resources=[]))


def event_source(service: str) -> str:
    """Name a service as CloudTrail does: `acm.amazonaws.com`."""
    return f"{_SOURCES.get(service, service)}.amazonaws.com"


def moment(at: datetime) -> str:
    """Write a time to the microsecond, so that text order is time order."""
    text: str = msgspec.to_builtins(at)  # a tenth of isoformat's time, in the one form that nearly all have
    if len(text) == _LENGTH and text[-1] == "Z":
        return text
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def bounded(elements: Mapping[str, Any] | None, what: str) -> msgspec.Raw:
    """Give the elements as JSON, or CloudTrail's note of their omission when they are over 100 kB."""
    if elements is None:
        return _NULL
    text = _json(elements)
    return msgspec.Raw(text) if len(text) <= MOST_PARAMETERS else _omitted(len(text), f"{what} too large")


def _omitted(size: int, reason: str) -> msgspec.Raw:
    return msgspec.Raw(_json({"omitted": True, "originalSize": size, "reason": reason}))


def resources_of(elements: Mapping[str, Any] | None) -> Iterator[str]:
    """Find the ARNs that parameters or response elements name at their top level."""
    for value in (elements or {}).values():
        for item in value if isinstance(value, list | tuple) else (value,):
            if type(item) is str and item.startswith("arn:") and len(item) <= 2048:
                yield item


def _described(known: list[tuple[str, str]], elements: Mapping[str, Any] | None) -> list[dict[str, str]]:
    found = dict(known)
    for arn in resources_of(elements):
        found.setdefault(arn, _arn_part(arn, 4))
    return [_resource(arn, account) for arn, account in found.items() if arn != "*"][:MOST_RESOURCES]


@lru_cache(maxsize=4096)
def _resource(arn: str, account: str) -> dict[str, str]:
    """The entry of a resource, which is shared: nobody changes one."""
    parts = arn.split(":", 6)
    kind = _RESOURCE_TYPES.get((parts[2], parts[5].partition("/")[0])) if len(parts) > 5 else None
    entry = {"ARN": arn, "accountId": account}
    return entry if kind is None else {**entry, "type": kind}


def _arn_part(arn: str, index: int) -> str:
    parts = arn.split(":", 6)
    return parts[index] if len(parts) > index else ""


def _identity(call: Call) -> msgspec.Raw:
    """The caller as JSON, kept while its principal is: authentication gives the same object until something changes."""
    principal, told = call.principal, (call.access_key_id, call.via_service)
    known = _identities.get(id(principal))
    if known is None or known[0] is not principal or known[1] != told:
        if len(_identities) >= MOST_KNOWN:
            _identities.clear()
        known = _identities[id(principal)] = principal, told, msgspec.Raw(_json(_user_identity(call)))
    return known[2]


_identities: dict[int, tuple[Principal, tuple[str, str | None], msgspec.Raw]] = {}
"""By the principal's identity; it is held here, so its id stands for no other."""


def _user_identity(call: Call) -> dict[str, Any]:
    principal = call.principal
    if principal.kind == "service":
        return {"type": "AWSService", "invokedBy": principal.name}
    identity: dict[str, Any] = {
        "type": _IDENTITY_TYPES[principal.kind],
        "principalId": principal.principal_id,
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": call.access_key_id,
    }
    if principal.kind == "user":
        identity["userName"] = principal.name
    if principal.session is not None:
        identity["sessionContext"] = _session_context(principal, principal.session)
    if call.via_service is not None:
        identity["invokedBy"] = event_source(call.via_service)
    return identity


_IDENTITY_TYPES: Mapping[str, str] = {
    "root": "Root",
    "user": "IAMUser",
    "role": "AssumedRole",
    "operator": "KeysteadOperator",
}


def _session_context(principal: Principal, session: Session) -> dict[str, Any]:
    """Describe temporary credentials (CloudTrail's user guide, "userIdentity element")."""
    present = "true" if session.mfa_at is not None else "false"
    context: dict[str, Any] = {
        "attributes": {"creationDate": _seconds(session.issued_at), "mfaAuthenticated": present}
    }
    if session.role_id:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": session.role_id,
            "arn": session.role_arn,
            "accountId": principal.account,
            "userName": principal.name,
        }
    if session.source_identity:
        context["sourceIdentity"] = session.source_identity
    return context


def _seconds(at: datetime) -> str:
    return f"{moment(at)[:19]}Z"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT]


_json = msgspec.json.encode
_replace = msgspec.structs.replace
_NULL: Final = msgspec.Raw(b"null")
_LENGTH: Final = len("2026-01-31T12:00:00.000000Z")
