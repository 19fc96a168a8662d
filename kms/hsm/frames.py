"""The protocol between the core and its callers: fixed-schema msgpack frames, each behind a 32-bit length.

One request, one answer, matched by number. Deadlines are CLOCK_MONOTONIC nanoseconds, which all processes of a host
share. A frame that is too long is refused by its prefix; nothing is allocated from a declared length.
"""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from kms.hsm.errors import CoreError
from kms.hsm.labels import Asker, KeyLabel, Kind, MessageType, Name, Role
from kms.hsm.specs import SYMMETRIC

PROTOCOL = 3
MAX_FRAME = 8 * 1024 * 1024
LONG_FRAME = 56 * 1024 * 1024  # of those who publish CRLs, the longest of all messages
SMALL = 64 * 1024
CRL_LIMIT = 55 * 1024 * 1024  # a million entries, each with its reason
SEAL_LIMIT = 1024 * 1024
PLAINTEXT_LIMIT = 4096
BLOB_LIMIT = 6144  # KMS's CiphertextType: the longest that its API takes
NOTE_LIMIT = 1024
MOST_MACS = 256

Token = Annotated[bytes, Meta(max_length=16 * 1024)]
CONTEXT_LIMIT = 16 * 1024  # characters of all names and values: it is written to the trail in clear
Context = Annotated[
    dict[Annotated[str, Meta(max_length=8192)], Annotated[str, Meta(max_length=8192)]], Meta(max_length=64)
]


Message = Annotated[bytes, Meta(max_length=PLAINTEXT_LIMIT)]
Blob = Annotated[bytes, Meta(max_length=BLOB_LIMIT)]
PublicKeyDer = Annotated[bytes, Meta(max_length=8192)]


class FrameError(CoreError):
    """The peer broke the protocol; its connection ends."""


class Body(msgspec.Struct, frozen=True, array_like=True, tag=True, forbid_unknown_fields=True):
    """Base of what can be asked; the class name is the tag."""


class Hello(Body, frozen=True):
    protocol: int
    role: Role


class Ping(Body, frozen=True):
    pass


class GenerateKey(Body, frozen=True):
    label: KeyLabel


class Reseal(Body, frozen=True):
    token: Token
    label: KeyLabel
    region: Name


class Lock(Body, frozen=True):
    token: Token
    label: KeyLabel


class Unlock(Body, frozen=True):
    """until: the end of the window, in seconds since 1970 by the wall clock."""

    token: Token
    label: KeyLabel
    until: Annotated[int, Meta(ge=0, le=2**53)]


class Sign(Body, frozen=True):
    token: Token
    label: KeyLabel
    algorithm: Name
    message: Annotated[bytes, Meta(max_length=CRL_LIMIT)]
    kind: Kind
    message_type: MessageType = "RAW"


class Verify(Body, frozen=True):
    token: Token
    label: KeyLabel
    algorithm: Name
    message: Message
    signature: Blob
    message_type: MessageType = "RAW"


class Encrypt(Body, frozen=True):
    token: Token
    label: KeyLabel
    plaintext: Message
    context: Context
    algorithm: Name = SYMMETRIC


class Decrypt(Body, frozen=True):
    """recipient: SPKI of an RSA key; when given, the answer is a CMS EnvelopedData for it, here and below."""

    token: Token
    label: KeyLabel
    ciphertext: Annotated[bytes, Meta(max_length=SMALL)]
    context: Context
    algorithm: Name = SYMMETRIC
    recipient: PublicKeyDer = b""


class ReEncrypt(Body, frozen=True):
    token: Token
    label: KeyLabel
    ciphertext: Blob
    context: Context
    algorithm: Name
    target_token: Token
    target_label: KeyLabel
    target_context: Context
    target_algorithm: Name


class GenerateDataKey(Body, frozen=True):
    """plaintext: whether the key also leaves in clear, here and below."""

    token: Token
    label: KeyLabel
    size: Annotated[int, Meta(ge=1, le=1024)]
    context: Context
    plaintext: bool = True
    recipient: PublicKeyDer = b""


class GenerateDataKeyPair(Body, frozen=True):
    token: Token
    label: KeyLabel
    spec: Name
    context: Context
    plaintext: bool = True
    recipient: PublicKeyDer = b""


class GenerateRandom(Body, frozen=True):
    size: Annotated[int, Meta(ge=1, le=1024)]
    recipient: PublicKeyDer = b""


class GenerateMac(Body, frozen=True):
    token: Token
    label: KeyLabel
    algorithm: Name
    message: Message


class VerifyMac(Body, frozen=True):
    token: Token
    label: KeyLabel
    algorithm: Name
    message: Message
    mac: Blob


class DeriveSharedSecret(Body, frozen=True):
    token: Token
    label: KeyLabel
    public_key: PublicKeyDer
    recipient: PublicKeyDer = b""


class Encapsulate(Body, frozen=True):
    token: Token
    label: KeyLabel


class Decapsulate(Body, frozen=True):
    token: Token
    label: KeyLabel
    ciphertext: Blob


class ImportParameters(Body, frozen=True):
    """note: what the caller binds into the token and reads from it again (its expiry)."""

    label: KeyLabel
    algorithm: Name
    wrapping_spec: Name
    note: Annotated[bytes, Meta(max_length=NOTE_LIMIT)] = b""


class ImportMaterial(Body, frozen=True):
    """known: version by id of the materials that the key has had; one of them is sealed as that version again."""

    token: Token
    label: KeyLabel
    wrapped: Blob
    known: Annotated[dict[Name, int], Meta(max_length=256)]


class Seal(Body, frozen=True):
    purpose: Name
    place: Annotated[list[Name], Meta(max_length=16)]
    plaintext: Annotated[bytes, Meta(max_length=SEAL_LIMIT)]


class Open(Body, frozen=True):
    purpose: Name
    place: Annotated[list[Name], Meta(max_length=16)]
    sealed: Annotated[bytes, Meta(max_length=SEAL_LIMIT + 1024)]


class Mac(Body, frozen=True):
    purpose: Name
    data: Annotated[bytes, Meta(max_length=SEAL_LIMIT)]


class Macs(Body, frozen=True):
    """Several of one purpose, in one round trip. The frame's own limit bounds them together."""

    purpose: Name
    data: Annotated[list[Annotated[bytes, Meta(max_length=SEAL_LIMIT)]], Meta(max_length=MOST_MACS)]


class NewAccessKey(Body, frozen=True):
    account: Name
    access_key_id: Name
    secret: Annotated[str, Meta(max_length=256)] | None


class SigningKey(Body, frozen=True):
    sealed: Token
    account: Name
    access_key_id: Name
    date: Annotated[str, Meta(pattern=r"^[0-9]{8}$")]
    region: Name
    service: Name


class Append(Body, frozen=True):
    events: Annotated[list[bytes], Meta(max_length=1024)]


AnyBody = (
    Hello | Ping | GenerateKey | Reseal | Sign | Verify | Encrypt | Decrypt | ReEncrypt | GenerateDataKey
    | GenerateDataKeyPair | GenerateRandom | GenerateMac | VerifyMac | DeriveSharedSecret | Encapsulate | Decapsulate
    | ImportParameters | ImportMaterial | Lock | Unlock | Seal | Open | Mac | Macs | NewAccessKey | SigningKey | Append
)  # fmt: skip


class Ask(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    number: int
    deadline_ns: int
    asker: Asker
    body: AnyBody


class CoreStatus(msgspec.Struct, frozen=True, array_like=True, tag="status"):
    """How the core is: `sequence` and `head` are the last durable record of its trail."""

    pid: int
    deployment_id: str
    uptime: float  # seconds
    domain_key_version: int
    sequence: int
    head: bytes
    memory_locked: bool
    helpers: list[int]  # pids of the helper processes


class Result(msgspec.Struct, frozen=True, array_like=True, tag="result"):
    """What came of it: up to three byte strings and a number (see each operation)."""

    first: bytes = b""
    second: bytes = b""
    third: bytes = b""
    number: int = 0


class Refusal(msgspec.Struct, frozen=True, array_like=True, tag="refusal"):
    """Why not: `code` is the name of a class in `kms.hsm.errors`."""

    code: str
    message: str


class Answer(msgspec.Struct, frozen=True, array_like=True):
    number: int
    body: Result | Refusal | CoreStatus


def oversize(context: dict[str, str]) -> bool:
    total = 0
    for name, value in context.items():  # a loop: it costs half of a generator's sum
        total += len(name) + len(value)
    return total > CONTEXT_LIMIT


_encode = msgspec.msgpack.Encoder().encode
_ask = msgspec.msgpack.Decoder(Ask)
_answer = msgspec.msgpack.Decoder(Answer)
_number = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw, msgspec.Raw, msgspec.Raw])
_UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)  # bad UTF-8 is no DecodeError


def read_ask(payload: bytes) -> Ask:
    """A request; FrameError says what is wrong with it."""
    try:
        return _ask.decode(payload)
    except _UNREADABLE as malformed:
        raise FrameError(str(malformed)) from malformed


def read_answer(payload: bytes) -> Answer:
    """An answer; FrameError when it is none."""
    try:
        return _answer.decode(payload)
    except _UNREADABLE as malformed:
        raise FrameError(str(malformed)) from malformed


def read_number(payload: bytes) -> int:
    """The number of a request that is otherwise malformed, so that its sender can be told; -1 when there is none."""
    try:
        return _number.decode(payload)[0]
    except _UNREADABLE:
        return -1


def longest(role: Role | None) -> int:
    """The longest frame that a peer may send. Workers, which parse what strangers send, sign no CRL."""
    return LONG_FRAME if role in {"scheduler", "admin"} else MAX_FRAME


def pack(frame: Ask | Answer, most: int = MAX_FRAME) -> bytes:
    payload = _encode(frame)
    if len(payload) > most:
        raise FrameError(f"a frame of {len(payload)} bytes is longer than the limit of {most}")
    return len(payload).to_bytes(4, "big") + payload


def take_frames(buffer: bytearray, limit: int, most: int = MAX_FRAME) -> Iterator[bytes]:
    """Take up to `limit` whole frames off the front of `buffer`; raises FrameError for an oversize prefix."""
    start = 0
    try:
        for _ in range(limit):
            if len(buffer) - start < 4:
                break
            length = int.from_bytes(buffer[start : start + 4], "big")
            if length > most:
                raise FrameError(f"a frame of {length} bytes is announced, the limit is {most}")
            if len(buffer) - start - 4 < length:
                break
            payload = bytes(memoryview(buffer)[start + 4 : start + 4 + length])
            start += 4 + length  # before the yield: the taker may leave after one
            yield payload
    finally:
        del buffer[:start]
