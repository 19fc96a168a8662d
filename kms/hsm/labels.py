"""Names of keys, specs, kinds and purposes: what the core binds into everything it seals."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from kms.hsm.specs import spec_named, usual_usage

EVENT_LIMIT = 256 * 1024
Name = Annotated[str, Meta(max_length=512)]
Kind = Literal["raw", "certificate", "ca-certificate", "rollover", "crl", "ocsp", "csr", "checkpoint"]
MessageType = Literal["RAW", "DIGEST", "EXTERNAL_MU"]
Role = Literal["worker", "scheduler", "admin"]


class KeyLabel(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Which key this is. Every field is authenticated by the key's token: change one and it does not open.

    purpose: "kms", "ca", "ocsp", "acm", "log" or "door" (the authority of the HTTPS door), see `kms.hsm.usage`.
    version: counts the key's materials from 1.
    spec: a name of `kms.hsm.specs`. usage: KMS's KeyUsage; "" means what the spec suggests.
    origin: "EXTERNAL" for imported material, anything else for what the core made.
    """

    purpose: Name
    account: Name
    region: Name
    key_id: Name
    version: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    spec: Name
    origin: Name = "KEYSTEAD"
    usage: Name = ""

    @property
    def resolved_usage(self) -> str:
        return self.usage or usual_usage(self.spec)

    @property
    def multi_region(self) -> bool:
        return self.key_id.startswith("mrk-")


class Asker(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Who asked, as the caller says; it goes into the `use` record. A captured worker can lie here.

    event: what the trail is to say of the whole call, if the core succeeds: then the two are one record, durable
    before the answer, and the caller needs no `append`.
    """

    request_id: Name = ""
    principal: Annotated[str, Meta(max_length=2048)] = ""
    event: Annotated[bytes, Meta(max_length=EVENT_LIMIT)] = b""


NOBODY = Asker()


class Peer(Struct, frozen=True):
    """Who is at the other end of a connection: the role it has, and the pid that the kernel names."""

    role: Role
    pid: int


def canonical(*parts: bytes | str | int) -> bytes:
    """Length-prefixed encoding of a list, so that ("ab", "c") and ("a", "bc") differ.

    Each part: a type letter, a 32-bit big-endian length, the bytes. Integers are eight bytes, unsigned.
    """
    out = [len(parts).to_bytes(4, "big")]
    for part in parts:
        if isinstance(part, bytes):
            letter, raw = b"b", part
        elif isinstance(part, str):
            letter, raw = b"s", part.encode()
        else:
            letter, raw = b"i", part.to_bytes(8, "big")
        out.append(letter + len(raw).to_bytes(4, "big") + raw)
    return b"".join(out)


def canonical_context(context: Mapping[str, str]) -> bytes:
    """An encryption context as bytes: pairs in the order of their UTF-8 names, lengths first (TRAPS 8)."""
    if not context:
        return _NO_PARTS
    pairs = sorted([(name.encode(), value.encode()) for name, value in context.items()])
    out = [
        (2 * len(pairs)).to_bytes(4, "big")
    ]  # `canonical` of the names and values in turn, without its calls
    for name, value in pairs:
        out += (b"b", len(name).to_bytes(4, "big"), name, b"b", len(value).to_bytes(4, "big"), value)
    return b"".join(out)


_NO_PARTS = canonical()


def token_binding(label: KeyLabel) -> bytes:
    """What a backing-key token is bound to: the whole label."""
    return canonical(
        "keystead key token 1", label.purpose, label.account, label.region, label.key_id,
        label.version, spec_named(label.spec).name, label.resolved_usage, label.origin,
    )  # fmt: skip


def cipher_region(label: KeyLabel) -> str:
    """The Region that a ciphertext is bound to: none for `mrk-` keys, so that a replica opens it (TRAPS 16)."""
    return "" if label.multi_region else label.region
