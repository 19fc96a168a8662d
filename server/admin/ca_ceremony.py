"""The operator's command `ca.ceremony`: a root made by a reviewed plan, and its transcript in the trail."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from foundation.store import Unit
from server.admin import acting
from server.admin.acting import Arguments
from server.admin.ca_keeping import kept
from server.admin.protocol import CommandFailed, Progress

if TYPE_CHECKING:
    from server.assembly import Assembly

LONGEST_RECORDED = 128 * 1024
"""Octets of a transcript that the trail has whole; of a longer one it has the digest and the signature."""


def ceremony(assembly: "Assembly", arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """→ says (a list of lines) of a rehearsal; else transcript, signature (base64), sha256, signer, certificates."""
    plan, digest = arguments.get("plan"), acting.text(arguments, "plan_sha256") or ""
    if not isinstance(plan, dict) or len(digest) != 64:
        raise CommandFailed("a ceremony needs its plan, and the SHA-256 of what was reviewed")
    facts = {"planSha256": digest}
    if arguments.get("rehearse") is True:
        progress("rehearsing with keys that are thrown away: nothing is kept")
        says = kept(
            assembly,
            arguments,
            "RehearseCeremony",
            facts,
            lambda custody: custody.rehearse(plan, digest),
            reads=True,
        )
        return {"says": says}
    progress("holding the ceremony")
    held = kept(assembly, arguments, "HoldCeremony", facts, lambda custody: custody.hold(plan, digest))
    signature, transcript = b64encode(held.signature).decode("ascii"), held.transcript.decode()
    sha256 = hashlib.sha256(held.transcript).hexdigest()
    told = {**facts, "transcriptSha256": sha256, "signature": signature, "signer": held.signer_pem}
    if len(held.transcript) <= LONGEST_RECORDED:
        told["transcript"] = transcript
    _record(assembly, arguments, told)
    return {
        "transcript": transcript,
        "signature": signature,
        "sha256": sha256,
        "signer": held.signer_pem,
        "certificates": dict(held.certificates),
    }


def _record(assembly: "Assembly", arguments: Arguments, told: Mapping[str, Any]) -> None:
    account, region = acting.account(assembly, arguments), acting.region(assembly, arguments)

    def nothing(_unit: Unit) -> None:
        """The record is the act."""

    acting.perform(assembly, acting.operator(assembly, account, region), "RecordCeremony", told, nothing)


COMMANDS: Mapping[str, acting.Command] = {"ca.ceremony": ceremony}
