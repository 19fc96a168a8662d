"""What each command does: `(assembly, arguments, progress) -> dict`, judged and recorded like every other call."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ca import AuthorityView, PublicPki
from foundation.identity import Call, NewAccount, NewToken
from foundation.store import SYSTEM, Unit
from foundation.trail import HeadAltered, TrailBroken, verify_trail
from server import clock_advance
from server.admin import acting, ca_bundle, ca_ceremony, ca_keeping, ca_log
from server.admin.acting import Arguments
from server.admin.doctor import examine
from server.admin.protocol import NOTHING_THERE, CommandFailed, Progress
from server.door_certificate import DoorCertificate
from server.regions import DEFAULT_REGION

if TYPE_CHECKING:
    from server.assembly import Assembly

EXPLAINED = (
    *("eventTime", "eventSource", "eventName", "awsRegion", "userIdentity", "errorCode", "errorMessage"),
    "keystead",
)
"""What `keystead why` needs of an event; parameters and answers may be long."""
MOST_EVENTS = 20


def account_create(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ account_id, access_key_id, secret_access_key, admin_arn."""
    account = acting.text(arguments, "id") or assembly.accounts.draw_account_id()
    access_key, secret = acting.text(arguments, "access_key"), acting.text(arguments, "secret_key")

    def run(_unit: Unit) -> NewAccount:
        return assembly.accounts.create(account, access_key, secret)

    call = acting.operator(assembly, account, DEFAULT_REGION)
    made = acting.perform(assembly, call, "CreateAccount", {"accountId": account}, run)
    return {
        "account_id": made.account_id,
        "access_key_id": made.access_key_id,
        "secret_access_key": made.secret_access_key,
        "admin_arn": made.admin_arn,
    }


def ca_init(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ account, root_arn, subordinate_arn, root_pem (a file under DIR/roots)."""
    account = acting.account(assembly, arguments)
    region = acting.region(assembly, arguments)
    progress("making a root and a subordinate; their keys are made in the key core")

    def run_as(call: Call) -> Callable[[Unit], tuple[AuthorityView, AuthorityView]]:
        return lambda unit: assembly.ca(call, unit).init()

    call = acting.operator(assembly, account, region)
    root, subordinate = acting.perform(
        assembly, call, "CreateHierarchy", {"accountId": account}, run_as(call)
    )
    pem = assembly.settings.data / "roots" / f"{root.id}.pem"
    pem.parent.mkdir(mode=0o700, exist_ok=True)
    pem.write_text(root.certificate_pem)
    return {
        "account": account,
        "root_arn": root.arn,
        "subordinate_arn": subordinate.arn,
        "root_pem": str(pem.absolute()),
    }


def token_create(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ token, principal."""
    principal = acting.text(arguments, "principal")
    if principal is None:
        principal = f"arn:aws:iam::{acting.account(assembly, arguments)}:user/admin"
    account = principal.split(":")[4] if principal.count(":") >= 5 else ""

    def run(_unit: Unit) -> NewToken:
        return assembly.bearer.create(principal)

    call = acting.operator(assembly, account, DEFAULT_REGION)
    made = acting.perform(assembly, call, "CreateToken", {"principal": principal}, run)
    return {"token": made.token, "principal": made.principal_arn}


def roots(assembly: "Assembly", _arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ pem: all roots, the door's last."""
    pem = PublicPki(assembly.store.unit(SYSTEM)).every_root()
    door = DoorCertificate(assembly.settings.data).root
    return {"pem": pem + (door.read_text("ascii") if door.exists() else "")}


def advance(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ now."""
    seconds = arguments.get("seconds")
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise CommandFailed("the clock only moves forward")
    now = clock_advance.advance(assembly, timedelta(seconds=seconds), progress)
    return {"now": f"{now:%Y-%m-%d %H:%M:%S} UTC"}


def trail_verify(assembly: "Assembly", _arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ records, segments, head, other_chains."""
    try:
        verdict = verify_trail(assembly.settings.data / "trail", head=assembly.heads.known())
    except HeadAltered as altered:
        raise CommandFailed(f"{altered}: the files cannot be held to it") from altered
    except TrailBroken as broken:
        raise CommandFailed(
            f"the trail is damaged; the first bad record is {broken}. Keep the files: compare them with a copy"
        ) from broken
    return {
        "records": verdict.records,
        "segments": verdict.segments,
        "head": verdict.head_hash or "-",
        "other_chains": assembly.heads.others(),
    }


def why(assembly: "Assembly", arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ events: the records of one request, oldest first."""
    request_id = acting.text(arguments, "request_id") or ""
    assembly.shipper.ship()
    found = [json.loads(body) for body in assembly.trail_index.of_request(request_id)]
    events = [{name: event[name] for name in EXPLAINED if name in event} for event in found[:MOST_EVENTS]]
    if not events:
        raise CommandFailed(f"the trail knows no request {request_id[:64]}", NOTHING_THERE)
    return {"events": events}


def doctor(assembly: "Assembly", _arguments: Arguments, _progress: Progress) -> dict[str, Any]:
    """→ findings: a list of {verdict: ok | note | wrong, about, says}."""
    return {"findings": examine(assembly)}


COMMANDS: Mapping[str, acting.Command] = {
    "account.create": account_create,
    "ca.init": ca_init,
    **ca_keeping.COMMANDS,
    **ca_ceremony.COMMANDS,
    **ca_log.COMMANDS,
    **ca_bundle.COMMANDS,
    "token.create": token_create,
    "roots": roots,
    "clock.advance": advance,
    "trail.verify": trail_verify,
    "why": why,
    "doctor": doctor,
}


def run(assembly: "Assembly", command: str, arguments: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Does one command. Raises `CommandFailed` for one that cannot be done, and for one that there is not."""
    if command not in COMMANDS:
        raise CommandFailed(
            f"this server knows no command {command}: the client is of another version ({assembly.version} serves)"
        )
    return COMMANDS[command](assembly, arguments, progress)
