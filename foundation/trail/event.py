"""The record of one API call, in CloudTrail's form (its user guide, "CloudTrail record contents").

keystead adds one member, `keystead`: both clocks, and what is known of the outcome. Parameters arrive here
redacted; what is still too long is cut, as CloudTrail does.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

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

Event = dict[str, Any]
Outcome = Literal["committed", "succeeded", "failed"]

EVENT_VERSION = "1.11"
MOST_PARAMETERS = 100_000  # octets of JSON; CloudTrail omits larger elements too
MOST_TEXT = 1024  # CloudTrail's limit for userAgent and errorMessage
MOST_RESOURCES = 20
MOST_DECISIONS = 8
MOST_EVENT = 250_000  # octets of the whole line; the chain takes 256 kB

_SOURCES = {"cloudhsmv2": "cloudhsm"}
_RESOURCE_TYPES = {
    ("acm", "certificate"): "AWS::ACM::Certificate",
    ("acm-pca", "certificate-authority"): "AWS::ACMPCA::CertificateAuthority",
    ("kms", "key"): "AWS::KMS::Key",
    ("kms", "alias"): "AWS::KMS::Alias",
    ("secretsmanager", "secret"): "AWS::SecretsManager::Secret",
}


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
    return {
        "eventVersion": EVENT_VERSION,
        "userIdentity": _user_identity(call),
        "eventTime": _seconds(call.at),
        "eventSource": event_source(call.service),
        "eventName": name,
        "awsRegion": call.region,
        "sourceIPAddress": call.source_ip,
        "userAgent": _cut(call.user_agent),
        "requestParameters": bounded(parameters, "requestParameters"),
        "responseElements": None,
        "requestID": call.request_id,
        "eventID": event_id,
        "readOnly": read_only,
        "resources": _described([(resource.arn, resource.account) for resource in resources], parameters),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": call.account,
        "eventCategory": "Management",
        "keystead": {"wall": moment(call.at), "now": moment(now), "outcome": "committed"},
    }


def succeeded(event: Event, elements: Mapping[str, Any] | None) -> Event:
    """Complete an event with what was answered; a call that only reads has no response elements."""
    outcome = {**event["keystead"], "outcome": "succeeded"}
    if event["readOnly"]:
        return {**event, "keystead": outcome}
    known = [(entry["ARN"], entry["accountId"]) for entry in event["resources"]]
    return {
        **event,
        "responseElements": bounded(elements, "responseElements"),
        "resources": _described(known, elements),
        "keystead": outcome,
    }


def failed(event: Event, code: str, message: str) -> Event:
    """Complete an event with the error that was answered."""
    return {
        **event,
        "errorCode": code,
        "errorMessage": _cut(message),
        "keystead": {**event["keystead"], "outcome": "failed"},
    }


def add_resource(event: Event, arn: str, account: str) -> None:
    """Name a resource in an event that is not complete yet; `*` names none."""
    known = event["resources"]
    if arn != "*" and len(known) < MOST_RESOURCES and all(entry["ARN"] != arn for entry in known):
        known.append(_resource(arn, account))


def add_decision(event: Event, explanation: dict[str, Any]) -> None:
    """Explain a decision in an event that is not complete yet: one call may rest on several."""
    known = event["keystead"].setdefault("decisions", [])
    if len(known) < MOST_DECISIONS:
        known.append(explanation)


def encode(event: Event) -> bytes:
    """Give the event as one line of JSON, which is never too long for the chain: a call must be recordable."""
    line = msgspec.json.encode(event)
    if len(line) <= MOST_EVENT:
        return line
    omitted = {"omitted": True, "originalSize": len(line), "reason": "event too large"}
    return msgspec.json.encode(
        {**event, "requestParameters": omitted, "responseElements": None, "resources": []}
    )


def event_source(service: str) -> str:
    """Name a service as CloudTrail does: `acm.amazonaws.com`."""
    return f"{_SOURCES.get(service, service)}.amazonaws.com"


def moment(at: datetime) -> str:
    """Write a time to the microsecond, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def bounded(elements: Mapping[str, Any] | None, what: str) -> Mapping[str, Any] | None:
    """Return the elements, or CloudTrail's note of their omission when they are over 100 kB."""
    if elements is None:
        return None
    size = len(msgspec.json.encode(elements))
    if size <= MOST_PARAMETERS:
        return elements
    return {"omitted": True, "originalSize": size, "reason": f"{what} too large"}


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


def _resource(arn: str, account: str) -> dict[str, str]:
    parts = arn.split(":", 6)
    kind = _RESOURCE_TYPES.get((parts[2], parts[5].partition("/")[0])) if len(parts) > 5 else None
    entry = {"ARN": arn, "accountId": account}
    return entry if kind is None else {**entry, "type": kind}


def _arn_part(arn: str, index: int) -> str:
    parts = arn.split(":", 6)
    return parts[index] if len(parts) > index else ""


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


def username(principal: Mapping[str, Any]) -> str:
    """Name the caller as LookupEvents does, from an event's userIdentity."""
    if principal.get("type") == "Root":
        return "root"
    if principal.get("type") == "AssumedRole":
        return str(principal.get("arn", "")).rpartition("/")[2]
    return str(principal.get("userName") or principal.get("invokedBy") or principal.get("principalId") or "")


def _seconds(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[:MOST_TEXT]
