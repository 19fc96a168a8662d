"""The log's key signs a checkpoint only of a tree that begins with the last one it signed, across restarts too."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from kms.hsm import check_consistency, check_inclusion, frames, leaf_hash, node_hash, wish_for
from kms.hsm.labels import KeyLabel
from kms.hsm.merkle import EMPTY_ROOT, ProofFailed
from kms.hsm.service import KeyService
from tests.kms.hsm.inside import perform, refusal, result, service

LOG = KeyLabel("log", "keystead", "global", "the-log", 1, "ED25519")

# The trees of the reference implementation's tests: google/certificate-transparency, merkletree/merkle_tree_test.cc
# (also in RFC 9162's example implementations): eight leaves, and the root of the tree of each size from 1 to 8.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]


def mth(entries: list[bytes]) -> bytes:
    """RFC 6962 2.1, as it is written."""
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    split = 1 << (len(entries) - 1).bit_length() - 1
    return node_hash(mth(entries[:split]), mth(entries[split:]))


def consistency(old: int, entries: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962 2.1.2, as it is written."""
    if old == len(entries):
        return [] if whole else [mth(entries)]
    split = 1 << (len(entries) - 1).bit_length() - 1
    if old <= split:
        return [*consistency(old, entries[:split], whole=whole), mth(entries[split:])]
    return [*consistency(old - split, entries[split:], whole=False), mth(entries[:split])]


def inclusion(index: int, entries: list[bytes]) -> list[bytes]:
    """RFC 6962 2.1.1, as it is written."""
    if len(entries) == 1:
        return []
    split = 1 << (len(entries) - 1).bit_length() - 1
    if index < split:
        return [*inclusion(index, entries[:split]), mth(entries[split:])]
    return [*inclusion(index - split, entries[split:]), mth(entries[:split])]


def entries(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def text(size: int, root: bytes) -> bytes:
    return f"log.example/here\n{size}\n{base64.b64encode(root).decode()}\n".encode()


class Log:
    """The log's key in a core, asked for checkpoints of trees."""

    def __init__(self) -> None:
        self.core = service()
        made = result(self.core, frames.GenerateKey(LOG))
        self.token, self.public = made.first, Ed25519PublicKey.from_public_bytes(made.second[-32:])
        self.records: list[tuple[str, bytes]] = []

    def body(self, wish: bytes) -> frames.Sign:
        return frames.Sign(self.token, LOG, "ED25519_SHA_512", wish, "checkpoint")

    def sign(self, tree: list[bytes], old: int) -> None:
        note = text(len(tree), mth(tree))
        proof = consistency(old, tree) if 0 < old <= len(tree) else []
        outcome = perform(self.core, self.body(wish_for(note, old, proof)), "scheduler")
        self.records += outcome.records
        assert isinstance(outcome.answer, frames.Result), outcome.answer
        self.public.verify(outcome.answer.first, note)

    def refused(self, tree: list[bytes], old: int, proof: list[bytes] | None = None) -> frames.Refusal:
        proof = consistency(old, tree) if proof is None and 0 < old <= len(tree) else proof or []
        outcome = perform(self.core, self.body(wish_for(text(len(tree), mth(tree)), old, proof)), "scheduler")
        self.records += outcome.records
        assert isinstance(outcome.answer, frames.Refusal)
        return outcome.answer


def restarted(log: Log) -> KeyService:
    """The core after a crash: it has read its trail back. (The domain keys of these tests are the same.)"""
    core = service()
    for kind, body in log.records:
        core.remember(kind, body)
    return core


def test_hashes_are_those_of_the_reference_implementation() -> None:
    assert [mth(LEAVES[:size]) for size in range(1, 9)] == ROOTS
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 33])
def test_every_true_proof_is_accepted_and_no_altered_one(size: int) -> None:
    tree = entries(size)
    root = mth(tree)
    for index in range(size):
        path = inclusion(index, tree)
        check_inclusion(leaf_hash(tree[index]), index, size, path, root)
        for wrong in ([*path, root], path[1:], path[::-1] if path[::-1] != path else [root]):
            if wrong == path:
                continue
            with pytest.raises(ProofFailed):
                check_inclusion(leaf_hash(tree[index]), index, size, wrong, root)
        with pytest.raises(ProofFailed):
            check_inclusion(leaf_hash(b"other"), index, size, path, root)
    for old in range(1, size):
        proof = consistency(old, tree)
        check_consistency(old, size, proof, mth(tree[:old]), root)
        for wrong in ([*proof, root], proof[:-1], []):
            with pytest.raises(ProofFailed):
                check_consistency(old, size, wrong, mth(tree[:old]), root)
        with pytest.raises(ProofFailed):
            check_consistency(old, size, proof, mth([*entries(old)[:-1], b"other"]), root)


def test_a_growing_tree_is_signed_and_a_fork_or_a_smaller_one_is_not() -> None:
    log = Log()
    log.sign(entries(0), 0)
    log.sign(entries(5), 0)
    log.sign(entries(5), 5)  # again: after a crash between the signature and its keeping
    log.sign(entries(300), 5)
    fork = [*entries(299), b"other", *entries(2)]
    assert "fork" in log.refused(fork, 300).message
    assert "fork" in log.refused([*entries(299), b"other"], 300, []).message
    assert "would be a fork" in log.refused(entries(200), 5).message
    log.sign(entries(301), 300)


def test_a_proof_from_another_size_is_answered_with_the_size_to_prove_from() -> None:
    log = Log()
    log.sign(entries(7), 0)
    refusal_ = log.refused(entries(9), 3)
    assert (refusal_.code, refusal_.message) == ("CheckpointUnproven", "7")


def test_a_restarted_core_reads_back_what_it_signed() -> None:
    log = Log()
    log.sign(entries(7), 0)
    log.refused(entries(9), 3)  # is recorded as well, and was not signed
    log.core = restarted(log)
    assert log.refused(entries(9), 0).message == "7"
    assert "would be a fork" in log.refused(entries(6), 0).message


def test_a_worker_gets_no_checkpoint_and_the_key_signs_nothing_else() -> None:
    log = Log()
    wish = wish_for(text(0, EMPTY_ROOT), 0, [])
    answer = perform(log.core, log.body(wish), "worker").answer
    assert isinstance(answer, frames.Refusal)
    assert "worker" in answer.message
    for kind in ("raw", "certificate", "ca-certificate", "crl", "ocsp", "csr"):
        asked = frames.Sign(log.token, LOG, "ED25519_SHA_512", wish, kind)
        assert "does not sign" in refusal(log.core, asked).message


@pytest.mark.parametrize(
    "wish",
    [
        b"",
        b"log.example/here\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        b"old 0\n\nlog.example/here\n00\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        b"old 0\n\nlog.example/here\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nextension\n",
        b"old 0\n\nlog example\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        b"old 0\nAAAA\n\nlog.example/here\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        b"old 0\n\nlog.example/here\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        b"old 0\n\xff\n\nlog.example/here\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ],
)
def test_what_is_no_checkpoint_is_not_signed(wish: bytes) -> None:
    log = Log()
    assert refusal(log.core, log.body(wish)).code == "KeyRefused"
