"""`keystead why`"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from server.cli.shared import call, data_option

LAYERS = {
    "identity": "the caller's policy",
    "boundary": "the permissions boundary",
    "session": "the session policy",
    "resource": "the resource's policy",
    "trust": "the role's trust policy",
    "grant": "the grant",
    "root": "the account's root user",
}


@click.command()
@click.argument("request_id")
@data_option
def why(request_id: str, data: Path) -> None:
    """Say why a request was allowed or denied: which statement, condition or grant decided.

    The request id is in each answer (`x-amzn-RequestId`; boto3: ResponseMetadata.RequestId) and in the trail.

    \b
    Example:
      keystead why 6bb8a24a-2f0b-4c8a-9f55-3f1c5a5f0f5e --data ./data
    """
    found = call(data, "why", {"request_id": request_id})
    click.echo("\n\n".join("\n".join(_event(event)) for event in found["events"]))


def _event(event: Mapping[str, Any]) -> Iterator[str]:
    identity = event.get("userIdentity") or {}
    who = identity.get("arn") or identity.get("invokedBy") or "nobody"
    service = str(event.get("eventSource", "")).partition(".")[0]
    outcome = event.get("errorCode", "done")
    yield f"{event['eventTime']} {who} {service}:{event['eventName']} in {event['awsRegion']}: {outcome}"
    if "errorMessage" in event:
        yield f"  {event['errorMessage']}"
    decisions = event.get("keystead", {}).get("decisions", [])
    if not decisions:
        yield "  No policy was asked: the call ended before that, or needs no permission."
    for decision in decisions:
        yield from _decision(decision)


def _decision(decision: Mapping[str, Any]) -> Iterator[str]:
    verb = {"allowed": "ALLOWED", "explicitDeny": "DENIED by a Deny"}.get(
        decision["decision"], "DENIED for want of an Allow"
    )
    yield f"  {decision['action']} on {decision['resource']}: {verb}, {decision['because']}"
    for ground in decision["grounds"]:
        yield f"    decided: {_place(ground)}"
    if decision["decision"] == "allowed":
        return
    for one in decision.get("considered", []):
        yield f"    considered: {_place(one)} ({one['effect']}): {_said(one['outcome'])}"
    for grant in decision.get("grants", []):
        yield f"    considered: the grant {grant['grant']}: {_said(grant['outcome'])}"
    for name in ("considered", "grants"):
        if omitted := decision.get(f"{name}Omitted"):
            yield f"    and {omitted} more"


def _place(ground: Mapping[str, str]) -> str:
    layer = LAYERS.get(ground["layer"], ground["layer"])
    if ground["layer"] in {"grant", "root"}:
        return f"{layer} {ground['statement']}"
    return f"{layer} {ground['policy']}, statement {ground['statement']}"


def _said(outcome: str) -> str:
    return outcome if outcome == "applies" else f"does not apply, because of its {outcome}"
