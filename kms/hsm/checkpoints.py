"""Checkpoints of the transparency log: the core signs one only when its tree begins with the last one that it signed.

So a forged or rolled back database cannot make the log's key sign a fork. What was signed last is in memory, and is read
back from the trail at start. What is to be signed comes as a witness is asked for it (C2SP tlog-witness, add-checkpoint):

    old SIZE
    BASE64          the consistency proof from the tree of that size, a hash a line
    (empty line)
    ORIGIN          the checkpoint's text (C2SP tlog-checkpoint), which alone is signed
    SIZE
    BASE64          the root
"""

import base64
import binascii
import re
from typing import NamedTuple

import msgspec

from kms.hsm.errors import CheckpointUnproven, KeyRefused
from kms.hsm.labels import KeyLabel
from kms.hsm.merkle import EMPTY_ROOT, HASH_BYTES, ProofFailed, check_consistency

_NUMBER = r"(0|[1-9][0-9]{0,18})"
_OLD = re.compile(f"old {_NUMBER}")
_TEXT = re.compile(rf"[^\s+]{{1,255}}\n{_NUMBER}\n([A-Za-z0-9+/]{{43}}=)\n")
_MOST_HASHES = 63


class _Use(msgspec.Struct):
    """What is read of a `use` record (kms.hsm.records)."""

    key: str = ""
    kind: str = ""
    outcome: str = "ok"
    target: str = ""


_use = msgspec.json.Decoder(_Use)


class Tree(NamedTuple):
    """A tree by its size and root."""

    size: int
    root: bytes


class Wish(NamedTuple):
    """What is to be signed: `text`, about `tree`, which is proven to begin with one of `old` entries."""

    text: bytes
    tree: Tree
    old: int
    proof: tuple[bytes, ...]


class Checkpoints:
    """The last tree that each key has signed."""

    def __init__(self) -> None:
        self._last: dict[str, Tree] = {}

    def judge(self, label: KeyLabel, message: bytes) -> Wish:
        """Raises KeyRefused for what is no checkpoint, or of a tree that does not begin with the last that was signed;
        CheckpointUnproven when the proof is from another size than that one's.
        """
        wish = read_wish(message)
        last = self._last.get(label.key_id, Tree(0, EMPTY_ROOT))
        if wish.tree.size < last.size:
            raise KeyRefused(
                f"a checkpoint of {last.size} entries was signed before: one of {wish.tree.size} would be a fork"
            )
        if wish.old != last.size:
            raise CheckpointUnproven(str(last.size))
        try:
            check_consistency(last.size, wish.tree.size, wish.proof, last.root, wish.tree.root)
        except ProofFailed as failed:
            raise KeyRefused(f"the log's tree is a fork: {failed}") from failed
        return wish

    def recall(self, record: bytes) -> None:
        """A `use` record that the trail holds already: if a checkpoint was signed by it, that one counts."""
        if b'"checkpoint"' not in record:  # of thousands, few are
            return
        use = _use.decode(record)
        if use.kind == "checkpoint" and use.outcome == "ok":
            size, _, root = use.target.partition(" ")
            self.signed(use.key, Tree(int(size), bytes.fromhex(root)))

    def signed(self, key_id: str, tree: Tree) -> None:
        """From now on every tree of this key begins with this one."""
        self._last[key_id] = tree


def wish_for(text: bytes, old: int, proof: list[bytes]) -> bytes:
    """The message that asks for a signature on the checkpoint's text."""
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in proof), "", ""]
    return "\n".join(lines).encode() + text


def summary(message: bytes) -> str:
    """The size and root of what is to be signed, for the record of it; empty for what is no checkpoint."""
    try:
        tree = read_wish(message).tree
    except KeyRefused:
        return ""
    return f"{tree.size} {tree.root.hex()}"


def read_wish(message: bytes) -> Wish:
    """Raises KeyRefused for what does not have the form."""
    try:
        head, _, text = message.decode().partition("\n\n")
        first, *hashes = head.split("\n")
        old, tree = _OLD.fullmatch(first), _TEXT.fullmatch(text)
        proof = tuple(base64.b64decode(each, validate=True) for each in hashes)
        root = base64.b64decode(tree[2], validate=True) if tree else b""
    except (UnicodeDecodeError, binascii.Error) as malformed:
        raise KeyRefused(f"the bytes to be signed are no checkpoint: {malformed}") from malformed
    if old is None or tree is None or len(proof) > _MOST_HASHES:
        raise KeyRefused("the bytes to be signed are no checkpoint of three lines, with a proof before it")
    if any(len(each) != HASH_BYTES for each in (*proof, root)):
        raise KeyRefused("a hash of the checkpoint or its proof is not 32 bytes long")
    return Wish(text.encode(), Tree(int(tree[1]), root), int(old[1]), proof)
