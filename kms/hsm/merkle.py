"""Merkle trees as RFC 6962 2.1 hashes them, and what RFC 9162 2.1.3.2 and 2.1.4.2 do to check a proof."""

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofFailed(Exception):
    """A proof that does not show what it is said to show."""


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises ProofFailed unless the tree of `size` leaves and that root has the leaf hash at `index` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofFailed(f"a tree of {size} entries has no entry {index}")
    here, last, computed = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofFailed("the inclusion proof is too long")
        if here & 1 or here == last:
            computed = node_hash(sibling, computed)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        here, last = here >> 1, last >> 1
    if last or computed != root:
        raise ProofFailed(f"the proof does not lead from entry {index} to the root of the tree of {size}")


def check_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises ProofFailed unless the new tree begins with the old one (RFC 9162 2.1.4.2). Every tree begins with none."""
    if old > new:
        raise ProofFailed(f"a tree of {new} entries does not hold one of {old}")
    if old in {0, new}:
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != EMPTY_ROOT):
            raise ProofFailed(f"there are two trees of {old} entries")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofFailed("the consistency proof is empty")
    if _roots(old, new, path) != (old_root, new_root):
        raise ProofFailed(f"the tree of {new} entries does not begin with the one of {old} that is known")


def _roots(old: int, new: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots that the path leads to. Raises ProofFailed when its length is wrong."""
    here, last = old - 1, new - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    first = second = path[0]
    for each in path[1:]:
        if last == 0:
            raise ProofFailed("the consistency proof is too long")
        if here & 1 or here == last:
            first, second = node_hash(each, first), node_hash(each, second)
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            second = node_hash(second, each)
        here, last = here >> 1, last >> 1
    if last:
        raise ProofFailed("the consistency proof is too short")
    return first, second
