"""The `use` record: what a key did, for whom, by whose word. Written for refused requests too."""

from datetime import datetime

import msgspec

from kms.hsm import frames
from kms.hsm.labels import KeyLabel, Peer


class UseRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """at: wall clock, RFC 3339 in UTC. request and principal are what the asker said; role and pid what the core saw.

    digest: SHA-256 of the message signed, hex. outcome: "ok" or the name of the refusal.
    """

    at: str
    op: str
    outcome: str = "ok"
    detail: str = ""
    request: str = ""
    principal: str = ""
    role: str = ""
    pid: int = 0
    purpose: str = ""
    account: str = ""
    region: str = ""
    key: str = ""
    version: int = 0
    spec: str = ""
    algorithm: str = ""
    kind: str = ""
    digest: str = ""
    context: dict[str, str] = {}
    place: list[str] = []
    target: str = ""


_encode = msgspec.json.Encoder(order="deterministic").encode


def use_record(
    ask: frames.Ask, peer: Peer, at: datetime, refusal: frames.Refusal | None, digest: str = ""
) -> bytes:
    """The record of one request as JSON; never the bytes that the request or its answer carried."""
    body = ask.body
    label: KeyLabel | None = getattr(body, "label", None)
    extra: dict[str, object] = {}
    if label is not None:
        extra = {
            "purpose": label.purpose, "account": label.account, "region": label.region, "key": label.key_id,
            "version": label.version, "spec": label.spec,
        }  # fmt: skip
    elif isinstance(body, (frames.Seal, frames.Open)):
        extra = {"purpose": body.purpose, "place": body.place}
    elif isinstance(body, frames.NewAccessKey):
        extra = {"purpose": "iam", "account": body.account, "key": body.access_key_id}
    elif isinstance(body, frames.SigningKey):
        extra = {
            "purpose": "iam", "account": body.account, "key": body.access_key_id, "region": body.region,
            "target": f"{body.date}/{body.service}",
        }  # fmt: skip
    if isinstance(body, frames.Sign):
        extra |= {"algorithm": body.algorithm, "kind": body.kind, "digest": digest}
    elif isinstance(body, (frames.Encrypt, frames.Decrypt, frames.GenerateDataKey)):
        # A context that was refused for its size is not written down at its size.
        extra["context"] = {} if refusal is not None and frames.oversize(body.context) else body.context
    elif isinstance(body, frames.Reseal):
        extra["target"] = body.region
    record = UseRecord(
        at=at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        op=type(body).__name__,
        outcome="ok" if refusal is None else refusal.code,
        detail="" if refusal is None else refusal.message,
        request=ask.asker.request_id,
        principal=ask.asker.principal,
        role=peer.role,
        pid=peer.pid,
        **extra,  # type: ignore[arg-type]  # each value is of its field's type, a few lines up
    )
    return _encode(record)
