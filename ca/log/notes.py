"""Signed notes and the checkpoints in them (C2SP signed-note, tlog-checkpoint)."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519: Final = b"\x01"
MOST_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[^\s+]+")
_TEXT: Final = re.compile(
    r"(?P<origin>[^\n]+)\n(?P<size>0|[1-9][0-9]{0,18})\n(?P<root>[A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*"
)


class BadNote(Exception):
    """A note, checkpoint or verifier key that cannot be trusted: malformed, or not signed by the key."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """A log's public key under its name."""

    name: str
    key: bytes  # Ed25519, 32 bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.key).digest()[:4]

    def __str__(self) -> str:
        """As Go's sumdb/note writes verifier keys: NAME+ID+KEY."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.key).decode()}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says of its log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> bytes:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n".encode()


def read_verifier(text: str) -> Verifier:
    """A verifier key from its text. Raises BadNote."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        key = base64.b64decode(encoded, validate=True)
    except ValueError as malformed:
        raise BadNote("a verifier key has the form NAME+ID+KEY") from malformed
    found = Verifier(name, key[1:])
    if key[:1] != ED25519 or len(found.key) != 32 or _NAME.fullmatch(name) is None:
        raise BadNote("a verifier key names an Ed25519 key of 32 bytes")
    if found.key_id.hex() != key_id:
        raise BadNote(f"the verifier key's ID is {found.key_id.hex()}, not {key_id[:8]}")
    return found


def signed_note(text: bytes, verifier: Verifier, signature: bytes) -> bytes:
    """The note of a text that ends in a newline."""
    line = base64.b64encode(verifier.key_id + signature).decode()
    return text + f"\n— {verifier.name} {line}\n".encode()


def open_checkpoint(note: bytes, verifier: Verifier) -> Checkpoint:
    """The checkpoint of a note that the key has signed; other keys' signatures are ignored. Raises BadNote."""
    text, _, lines = note.rpartition(b"\n\n")
    text += b"\n"
    if len(note) > MOST_BYTES or not lines.endswith(b"\n") or any(byte < 32 and byte != 10 for byte in note):
        raise BadNote("the checkpoint is not a signed note")
    _check_signed(text, lines, verifier)
    try:
        match = _TEXT.fullmatch(text.decode())
    except UnicodeDecodeError as malformed:
        raise BadNote("the checkpoint is not UTF-8") from malformed
    if match is None:
        raise BadNote("the checkpoint does not name an origin, a size and a root")
    if match["origin"] != verifier.name:
        raise BadNote(f"the checkpoint is of {match['origin']}, not of {verifier.name}")
    root = base64.b64decode(match["root"])
    return Checkpoint(match["origin"], int(match["size"]), root)


def _check_signed(text: bytes, lines: bytes, verifier: Verifier) -> None:
    start = f"— {verifier.name} ".encode()
    found = False
    for line in lines.removesuffix(b"\n").split(b"\n"):
        if not line.startswith("— ".encode()):
            raise BadNote("a signature line of the checkpoint is malformed")
        try:
            signature = (
                base64.b64decode(line.removeprefix(start), validate=True) if line.startswith(start) else b""
            )
        except binascii.Error as malformed:
            raise BadNote("a signature of the checkpoint is not base64") from malformed
        if signature[:4] != verifier.key_id:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(verifier.key).verify(signature[4:], text)
        except InvalidSignature as wrong:
            raise BadNote("the checkpoint's signature is not by the log's key") from wrong
        found = True
    if not found:
        raise BadNote(f"the checkpoint is not signed by {verifier.name} ({verifier.key_id.hex()})")
