"""The log from issue to checkpoint: what is in it, that nothing is in it twice, and what a reader finds wrong with it."""

import base64
import hashlib
import importlib
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlmodel import delete, select

from ca.log import MerkleLog, PublicLog
from ca.log.entries import Entry, entry_of, spki
from ca.log.notes import BadNote, Checkpoint, Verifier, open_checkpoint, read_verifier, signed_note
from ca.log.tables import HeadRow, PendingRow, TileRow
from ca.log.tiles import ENTRIES, Tile, read_path, tiles_of
from ca.log.tree import Tree, grow
from ca.log.verification import LogBroken, read_log
from foundation.store import SYSTEM
from kms.hsm import KeyRefused, leaf_hash
from tests.ca.conftest import THERE, World
from tests.kms.hsm.test_checkpoints import LEAVES, ROOTS, consistency, entries, inclusion, mth

ORIGIN = "keystead.example/log/the-log"


def the_log(world: World) -> MerkleLog:
    """A log under a name of the test's own: the session's core remembers what each log signed."""
    return MerkleLog(world.unit(SYSTEM), world.core, name=world.request, origin=ORIGIN)


def files(world: World) -> Callable[[str], bytes | None]:
    public = PublicLog(world.unit(SYSTEM))

    def read(path: str) -> bytes | None:
        found = public.file(f"{world.request}/{path}")
        return None if found is None else found.body

    return read


class Independent:
    """A reader written from the specifications alone (RFC 6962, C2SP signed-note, tlog-checkpoint and tlog-tiles)."""

    def __init__(self, read: Callable[[str], bytes | None], vkey: str) -> None:
        name, key_id, encoded = vkey.split("+", 2)
        raw = base64.b64decode(encoded)
        assert raw[0] == 1
        assert hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() == key_id
        note = read("checkpoint")
        assert note is not None
        text, signature_line = note.decode().rsplit("\n\n", 1)
        dash, signer, encoded = signature_line.removesuffix("\n").split(" ")
        signature = base64.b64decode(encoded)
        assert (dash, signer, signature[:4].hex()) == ("—", name, key_id)
        Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[4:], text.encode() + b"\n")
        self.origin, size, root = text.split("\n")
        self.size, self.root = int(size), base64.b64decode(root)
        self.entries = []
        for number in range((self.size + 255) // 256):
            width = min(256, self.size - number * 256)
            path = f"tile/entries/{number:03}" + ("" if width == 256 else f".p/{width}")
            bundle = read(path)
            assert bundle is not None
            at = 0
            while at < len(bundle):
                end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
                self.entries.append(bundle[at + 2 : end])
                at = end
        assert len(self.entries) == self.size
        assert mth(self.entries) == self.root


def test_the_tree_of_tiles_has_the_published_roots_and_the_proofs_of_the_recursive_definition() -> None:
    everything = [*LEAVES, *entries(700)]
    tiles: dict[tuple[int, int], bytes] = {}

    def read(level: int, number: int) -> bytes:
        return tiles.get((level, number), b"")

    size = 0
    for step in (1, 1, 1, 1, 1, 1, 1, 1, 247, 1, 256, 130):
        tiles |= grow(read, size, everything[size : size + step])
        size += step
        tree = Tree(read, size)
        assert tree.root == (ROOTS[size - 1] if size <= 8 else mth(everything[:size]))
        for old in {1, 2, 5, size // 2, size - 1, size} & set(range(1, size + 1)):
            assert tree.consistency(old) == consistency(old, everything[:size])
        for index in {0, size // 3, size - 1}:
            assert tree.inclusion(index) == inclusion(index, everything[:size])
    assert {Tile(level, number) for level, number in tiles} == {
        tile._replace(width=256) for tile in tiles_of(size)
    }


def test_paths_are_those_of_the_specification() -> None:
    """The examples of tlog-tiles: index 1234067, and a tree of 70,000 entries."""
    assert Tile(0, 1234067).path == "tile/0/x001/x234/067"
    of_70000 = list(tiles_of(70_000))
    widths = [(tile.level, tile.width) for tile in of_70000]
    assert widths.count((0, 256)) == 273
    assert [each for each in widths if each[0] >= 0 and each != (0, 256)] == [
        (0, 112),
        (1, 256),
        (1, 17),
        (2, 1),
    ]
    assert [tile.path for tile in tiles_of(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert all(read_path(tile.path) == tile for tile in of_70000)
    for wrong in ("tile/0/0", "tile/00/000", "tile/0/x000/001", "tile/64/000", "tile/0/000.p/0", "tile/0/000.p/256",
                  "tile/0/000.p/01", "tile/0/1000", "tile/entries/", "checkpoint/", "tile/0/001/x002"):  # fmt: skip
        assert read_path(wrong) is None, wrong


def test_a_verifier_key_and_a_note_are_read_as_the_specification_has_them() -> None:
    """The example of golang.org/x/mod/sumdb/note's documentation: PeterNeumann's key and note."""
    verifier = read_verifier("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert str(verifier) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    note = (
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    with pytest.raises(BadNote, match="does not name"):  # the signature holds; it is no checkpoint
        open_checkpoint(note.encode(), verifier)
    with pytest.raises(BadNote, match="not by the log's key"):
        open_checkpoint(note.replace("answer", "question").encode(), verifier)


def test_what_is_issued_and_revoked_is_in_the_log_of_the_deployment_whoever_issued_it(world: World) -> None:
    root, sub = world.service().init()
    _, other = world.service(THERE).init()
    issued = world.issue(sub.arn)
    world.service(THERE).issue(world.order(other.arn))
    world.service().revoke(sub.arn, issued.serial, "KEY_COMPROMISE")
    log = the_log(world)
    size = log.advance()
    reader = Independent(files(world), str(log.verifier()))
    assert (reader.origin, reader.size) == (ORIGIN, size)
    assert size == 2 + 2 + 2 + 1  # two hierarchies, two certificates, a revocation
    certificate = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
    issuer = x509.load_pem_x509_certificate(sub.certificate_pem.encode())
    assert entry_of(certificate, spki(issuer)) in reader.entries
    key = hashlib.sha256(spki(issuer)).hexdigest()
    assert (
        f'{{"type":"revoked","issuer":"{key}","serial":"{issued.serial}","reason":"KEY_COMPROMISE"}}'.encode()
        in reader.entries
    )
    read = read_log(files(world), log.verifier())
    assert read.entries[read.leaves[leaf_hash(entry_of(certificate, spki(issuer)))]].serial == issued.serial
    for name in ("host.example.com", root.subject, "111122223333", root.id, sub.id):  # the log is public
        assert not any(name.encode() in entry for entry in reader.entries)


def test_an_intent_that_was_never_signed_is_in_the_log(quick_world: World) -> None:
    world = quick_world
    _, sub = world.service().init()
    before = the_log(world).advance()

    class Lost(Exception):
        """The core is gone at the moment of signing."""

    def lost(*_: object, **__: object) -> bytes:
        raise Lost

    service = world.service()
    service._signer.certificate = lost  # type: ignore[method-assign]  # a crash between intent and signature
    with pytest.raises(Lost):
        service.issue(world.order(sub.arn))
    assert the_log(world).advance() == before + 1


def test_the_log_grows_and_every_checkpoint_begins_with_the_one_before(world: World) -> None:
    log = the_log(world)
    assert log.advance() == 0
    empty = open_checkpoint(files(world)("checkpoint") or b"", log.verifier())
    assert empty == Checkpoint(ORIGIN, 0, hashlib.sha256().digest())
    _, sub = world.service().init()
    log.advance()
    first = open_checkpoint(files(world)("checkpoint") or b"", log.verifier())
    world.issue(sub.arn)
    the_log(world).advance()
    second = read_log(files(world), log.verifier())
    assert (first.size, second.checkpoint.size) == (2, 3)
    second.check_since(first)
    second.check_since(empty)
    with pytest.raises(LogBroken, match="rewritten"):
        second.check_since(Checkpoint(ORIGIN, 2, bytes(32)))
    with pytest.raises(LogBroken, match="shrunk"):
        second.check_since(Checkpoint(ORIGIN, 9, bytes(32)))


def put(world: World, waiting: list[bytes]) -> None:
    def body(session: object) -> None:
        for entry in waiting:
            session.add(PendingRow(leaf=leaf_hash(entry), entry=entry))  # type: ignore[attr-defined]  # a session

    world.unit(SYSTEM).write(body)


def entry(number: int) -> bytes:
    return f'{{"type":"revoked","issuer":"{number:064x}","serial":"4b","reason":"UNSPECIFIED"}}'.encode()


def test_hosts_that_sequence_at_once_give_each_entry_one_place(world: World) -> None:
    the_log(world).advance()
    put(world, [entry(number) for number in range(1500)])
    world.at_once(4, lambda _: the_log(world).advance())
    log = the_log(world)
    assert log.advance() == 1500
    reader = Independent(files(world), str(log.verifier()))
    assert sorted(reader.entries) == sorted(entry(number) for number in range(1500))
    assert read_log(files(world), log.verifier()).checkpoint.size == 1500


def test_a_checkpoint_that_was_signed_and_not_kept_is_made_up_for(quick_world: World) -> None:
    """kill -9 after the core's signature: the core is ahead of the database, and is proven the way from there."""
    world = quick_world
    log = the_log(world)
    put(world, [entry(number) for number in range(3)])
    log.advance()

    def forget(session: object) -> None:
        head = session.get_one(HeadRow, 1)  # type: ignore[attr-defined]  # a session
        head.checkpoint, head.checkpoint_size = b"", 0

    world.unit(SYSTEM).write(forget)
    put(world, [entry(number) for number in range(3, 9)])
    assert log.advance() == 9
    assert read_log(files(world), log.verifier()).checkpoint.size == 9


def test_a_rolled_back_database_gets_no_checkpoint(quick_world: World) -> None:
    world = quick_world
    log = the_log(world)
    put(world, [entry(1)])
    log.advance()
    with world.unit(SYSTEM).read() as session:
        before = [row.model_dump() for row in session.exec(select(TileRow)).all()]
        head = session.get_one(HeadRow, 1).model_dump()
    put(world, [entry(2), entry(3)])
    log.advance()

    def roll_back(session: object) -> None:
        for row in before:
            session.merge(TileRow(**row))  # type: ignore[attr-defined]  # a session
        session.merge(HeadRow(**head))  # type: ignore[attr-defined]  # a session

    world.unit(SYSTEM).write(roll_back)
    put(world, [entry(4)])
    with pytest.raises(KeyRefused, match="fork"):
        log.advance()
    put(world, [entry(5), entry(6)])
    with pytest.raises(KeyRefused, match="fork"):
        log.advance()


@pytest.mark.parametrize("harm", ["entry", "hash", "upper", "missing", "root", "twice", "signature", "key"])
def test_a_reader_names_what_was_altered(quick_world: World, harm: str) -> None:
    world = quick_world
    log = the_log(world)
    put(world, [entry(number) for number in range(300)])
    log.advance()
    verifier, right = log.verifier(), files(world)
    found = {tile.path: right(tile.path) or b"" for tile in tiles_of(300)} | {
        "checkpoint": right("checkpoint") or b""
    }
    match harm:
        case "entry":
            found["tile/entries/001.p/44"] = found["tile/entries/001.p/44"].replace(b'"4b"', b'"4c"', 1)
        case "hash":
            found["tile/0/001.p/44"] = bytes(32) + found["tile/0/001.p/44"][32:]
        case "upper":
            found["tile/1/000.p/1"] = bytes(32)
        case "missing":
            del found["tile/0/000"]
        case "twice":
            bundle = found["tile/entries/001.p/44"]
            first = 2 + int.from_bytes(bundle[:2], "big")
            found["tile/entries/001.p/44"] = bundle[:first] + bundle[:-first]
        case "root":
            found["checkpoint"] = found["checkpoint"].replace(b"\n300\n", b"\n299\n")
        case "signature":
            found["checkpoint"] = found["checkpoint"][:-6] + b"AAA=\n"
        case _:
            verifier = Verifier(ORIGIN, bytes(32))
    with pytest.raises(LogBroken):
        read_log(found.get, verifier)


def test_an_inclusion_proof_stands_alone(quick_world: World) -> None:
    world = quick_world
    log = the_log(world)
    put(world, [entry(number) for number in range(20)])
    log.advance()
    read = read_log(files(world), log.verifier())
    index = read.leaves[leaf_hash(entry(7))]
    lines = read.proof(index).split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", f"index {index}"]
    end = lines.index("")
    checkpoint = open_checkpoint("\n".join(lines[end + 1 :]).encode(), log.verifier())
    ordered = Independent(files(world), str(log.verifier())).entries
    assert [base64.b64decode(line) for line in lines[2:end]] == inclusion(index, ordered)
    assert checkpoint.root == mth(ordered)
    assert isinstance(read.entries[index], Entry)


def test_a_note_with_signatures_of_others_is_read_by_ours(quick_world: World) -> None:
    world = quick_world
    log = the_log(world)
    log.advance()
    note = files(world)("checkpoint") or b""
    witness = Verifier("witness.example", bytes(32))
    cosigned = note + signed_note(b"", witness, bytes(64)).removeprefix(b"\n")
    assert open_checkpoint(cosigned, log.verifier()) == open_checkpoint(note, log.verifier())
    with pytest.raises(BadNote, match="not signed by"):
        open_checkpoint(cosigned, Verifier(ORIGIN, bytes(31) + b"\1"))


def test_only_files_that_there_are_are_served(quick_world: World) -> None:
    world = quick_world
    public = PublicLog(world.unit(SYSTEM))
    assert public.file(f"{world.request}/checkpoint") is None  # it has not begun
    put(world, [entry(number) for number in range(300)])
    the_log(world).advance()
    for path in (
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
    ):
        assert public.file(f"{world.request}/{path}") is not None, path
    for path in ("tile/0/001", "tile/0/001.p/45", "tile/1/000", "tile/2/000", "tile/entries/001", "", "x"):
        assert public.file(f"{world.request}/{path}") is None, path
    assert public.file("other/checkpoint") is None
    one = public.file(f"{world.request}/tile/entries/001.p/1")
    assert one is not None
    assert one.final
    assert ENTRIES == -1


def test_the_migration_writes_the_past_down_as_the_log_does(quick_world: World) -> None:
    world = quick_world
    _, sub = world.service().init()
    issued = world.issue(sub.arn)
    world.service().revoke(sub.arn, issued.serial)
    with world.unit(SYSTEM).read() as session:
        written = {row.leaf: row.entry for row in session.exec(select(PendingRow)).all()}
    world.unit(SYSTEM).write(lambda session: session.exec(delete(PendingRow)))
    migration = importlib.import_module("foundation.store.migrations.versions.0012_ca_log")
    world.store._write(migration._take_in_the_past)
    with world.unit(SYSTEM).read() as session:
        assert {row.leaf: row.entry for row in session.exec(select(PendingRow)).all()} == written
    assert len(written) == 4
