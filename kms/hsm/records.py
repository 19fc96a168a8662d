"""The `use` record: what a key did, for whom, by whose word. Written for refused requests too."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from kms.hsm import checkpoints, frames
from kms.hsm.labels import KeyLabel, Peer
from kms.hsm.specs import SYMMETRIC


class UseRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """at: wall clock, RFC 3339 in UTC. request and principal are what the asker said; role and pid what the core saw.

    op: KMS's name of the operation, or the core's. digest: SHA-256 of the message signed, hex. recipient: SHA-256 of
    the public key (SPKI) that alone can read what left. outcome: "ok" or the name of the refusal. A re-encryption has
    two records, of kind "source" and "destination"; the target of each is the other key.
    A checkpoint's target is the size and root of its tree.
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
    message_type: str = ""
    digest: str = ""
    recipient: str = ""
    context: dict[str, str] = {}
    place: list[str] = []
    target: str = ""


Facts = dict[str, Any]
_encode = msgspec.json.Encoder(order="deterministic").encode


def use_records(
    ask: frames.Ask, peer: Peer, at: datetime, refusal: frames.Refusal | None
) -> tuple[bytes, ...]:
    """The records of one request as JSON; never the bytes that the request or its answer carried."""
    body = ask.body
    told = _FACTS[type(body)](body)
    if not isinstance(body, frames.ReEncrypt):
        return (_record(ask, peer, at, refusal, told),)
    return _record(ask, peer, at, refusal, told), _record(ask, peer, at, refusal, _destination(body))


def _record(ask: frames.Ask, peer: Peer, at: datetime, refusal: frames.Refusal | None, facts: Facts) -> bytes:
    if refusal is not None:
        facts["outcome"], facts["detail"] = refusal.code, refusal.message
        if frames.oversize(facts.get("context", {})):
            facts["context"] = {}  # a context that was refused for its size is not written down at its size
    record = UseRecord(
        at=_moment(at),
        op=facts.pop("op", type(ask.body).__name__),
        request=ask.asker.request_id,
        principal=ask.asker.principal,
        role=peer.role,
        pid=peer.pid,
        **facts,
    )
    return _encode(record)


def _moment(at: datetime) -> str:
    """RFC 3339 to the microsecond. msgspec writes it in a tenth of isoformat's time, but for a whole second."""
    return str(msgspec.to_builtins(at)) if at.microsecond else f"{at:%Y-%m-%dT%H:%M:%S}.000000Z"


def _label(label: KeyLabel) -> Facts:
    return {
        "purpose": label.purpose, "account": label.account, "region": label.region, "key": label.key_id,
        "version": label.version, "spec": label.spec,
    }  # fmt: skip


def _key(body: Any) -> Facts:
    return _label(body.label)


def _signature(body: frames.Sign | frames.Verify) -> Facts:
    facts = _label(body.label)
    facts["algorithm"] = body.algorithm
    facts["digest"] = hashlib.sha256(body.message).hexdigest()
    if isinstance(body, frames.Sign):
        facts["kind"] = body.kind
        if body.kind == "checkpoint":
            facts["target"] = checkpoints.summary(body.message)
    if body.message_type != "RAW":
        facts["message_type"] = body.message_type
    return facts


def _algorithm(body: Any) -> Facts:
    return _key(body) | {"algorithm": body.algorithm}


def _cipher(body: frames.Encrypt | frames.Decrypt) -> Facts:
    facts = _label(body.label)
    facts["context"] = body.context
    if body.algorithm != SYMMETRIC:
        facts["algorithm"] = body.algorithm
    if isinstance(body, frames.Decrypt) and body.recipient:
        facts |= _recipient(body)
    return facts


def _data_key(body: frames.GenerateDataKey | frames.GenerateDataKeyPair) -> Facts:
    facts = _label(body.label)
    facts["context"] = body.context
    if body.recipient:
        facts |= _recipient(body)
    elif not body.plaintext:
        facts["op"] = f"{type(body).__name__}WithoutPlaintext"
    if isinstance(body, frames.GenerateDataKeyPair):
        facts["target"] = body.spec
    return facts


def _source(body: frames.ReEncrypt) -> Facts:
    return _algorithm(body) | {"kind": "source", "context": body.context, "target": body.target_label.key_id}


def _destination(body: frames.ReEncrypt) -> Facts:
    return _label(body.target_label) | {
        "kind": "destination", "algorithm": body.target_algorithm, "context": body.target_context,
        "target": body.label.key_id,
    }  # fmt: skip


def _agreement(body: frames.DeriveSharedSecret) -> Facts:
    return _key(body) | _recipient(body)


def _recipient(body: Any) -> Facts:
    return {"recipient": hashlib.sha256(body.recipient).hexdigest()} if body.recipient else {}


def _sealing(body: frames.Seal | frames.Open) -> Facts:
    return {"purpose": body.purpose, "place": body.place}


def _access_key(body: frames.NewAccessKey) -> Facts:
    return {"purpose": "iam", "account": body.account, "key": body.access_key_id}


def _signing_key(body: frames.SigningKey) -> Facts:
    return {
        "purpose": "iam", "account": body.account, "key": body.access_key_id, "region": body.region,
        "target": f"{body.date}/{body.service}",
    }  # fmt: skip


_FACTS: Mapping[type[frames.Body], Callable[[Any], Facts]] = {
    frames.GenerateKey: _key,
    frames.Reseal: lambda body: _key(body) | {"target": body.region},
    frames.Lock: _key,
    frames.Unlock: lambda body: _key(body) | {"target": str(body.until)},
    frames.Sign: _signature,
    frames.Verify: _signature,
    frames.Encrypt: _cipher,
    frames.Decrypt: _cipher,
    frames.ReEncrypt: _source,
    frames.GenerateDataKey: _data_key,
    frames.GenerateDataKeyPair: _data_key,
    frames.GenerateMac: _algorithm,
    frames.VerifyMac: _algorithm,
    frames.DeriveSharedSecret: _agreement,
    frames.Encapsulate: _key,
    frames.Decapsulate: _key,
    frames.ImportParameters: lambda body: _algorithm(body) | {"target": body.wrapping_spec},
    frames.ImportMaterial: _key,
    frames.Seal: _sealing,
    frames.Open: _sealing,
    frames.NewAccessKey: _access_key,
    frames.SigningKey: _signing_key,
}
"""What a record says besides who and when. What is not here is not recorded (see `kms.hsm.service.UNRECORDED`)."""
