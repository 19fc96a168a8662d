"""The one log of a deployment: gives entries their places, and has the core sign how far it is.

`advance` may run on any number of hosts at once and be killed at any point:

- A round moves entries from the waiting rows into the tiles and raises the head, in one transaction. Two rounds at once
  both change the head's row, so one of them starts over. No entry is lost, none has two places.
- A checkpoint is signed of what is committed, never of what is to be. The core refuses a tree that does not begin with
  the last one that it signed.
"""

from typing import Final

from sqlmodel import Session, col, delete, select

from ca.log.notes import Checkpoint, Verifier, signed_note
from ca.log.tables import HeadRow, PendingRow, TileRow
from ca.log.tree import Tree, grow
from foundation.store import SYSTEM, Unit
from kms.hsm import EMPTY_ROOT, Asker, CheckpointUnproven, CoreClient, KeyLabel, KeyRefused, wish_for

AT_ONCE: Final = 1024
"""Entries of one transaction: it holds the only writer of SQLite for some tens of milliseconds."""
SPEC: Final = "ED25519"
ALGORITHM: Final = "ED25519_SHA_512"
_THE_HEAD: Final = 1


class MerkleLog:
    """unit: of the SYSTEM scope. name: what the log is called under /log/. origin: of a log that is yet to begin."""

    def __init__(self, unit: Unit, core: CoreClient, *, name: str, origin: str) -> None:
        if unit.scope != SYSTEM:
            raise ValueError("the log is the deployment's, and of no account")
        self._unit = unit
        self._core = core
        self._name = name
        self._origin = origin
        self._asker = Asker("log", "acm-pca.amazonaws.com")

    def advance(self) -> int:
        """Sequence what waits and sign the newest checkpoint; → its size. Cheap when there is nothing to do.

        Raises KeyRefused when the core has signed a tree that this one does not begin with: the database was rolled
        back or altered. Entries are sequenced all the same.
        """
        with self._unit.read() as session:
            head = session.get(HeadRow, _THE_HEAD)
            waiting = session.exec(select(PendingRow.leaf).limit(1)).first() is not None
        if head is None:
            head = self._begin()
        while waiting:
            head, waiting = self._unit.write(_round)
        if not head.checkpoint or head.checkpoint_size < head.size:
            self._sign(head)
        return head.size

    def verifier(self) -> Verifier:
        """The log's public key. Begins the log if need be."""
        with self._unit.read() as session:
            head = session.get(HeadRow, _THE_HEAD)
        return verifier_of(head or self._begin())

    def _begin(self) -> HeadRow:
        key = self._core.generate_key(self._label(), self._asker)
        row = HeadRow(
            name=self._name,
            origin=self._origin,
            key_token=key.token,
            public_key=key.public_key[-32:],  # an SPKI of RFC 8410 ends with the key
            root=EMPTY_ROOT,
            checkpoint=b"",
        )
        values = row.model_dump()

        def body(session: Session) -> HeadRow:
            begun: HeadRow | None = session.get(HeadRow, _THE_HEAD)
            if begun is None:
                begun = HeadRow(**values)
                session.add(begun)
            return begun

        return self._unit.write(body)

    def _sign(self, head: HeadRow) -> None:
        checkpoint = Checkpoint(head.origin, head.size, head.root)
        try:
            signature = self._proven(head, checkpoint)
        except KeyRefused:
            with self._unit.read() as session:
                now = session.get_one(HeadRow, _THE_HEAD)
            if now.size == head.size:
                raise
            self._sign(now)  # another was quicker, and had more signed
            return
        note = signed_note(checkpoint.text, verifier_of(head), signature)

        def body(session: Session) -> None:
            row = session.get_one(HeadRow, _THE_HEAD)
            if not row.checkpoint or row.checkpoint_size < checkpoint.size:
                row.checkpoint_size, row.checkpoint = checkpoint.size, note
                session.add(row)

        self._unit.write(body)

    def _proven(self, head: HeadRow, checkpoint: Checkpoint) -> bytes:
        """The signature, with a proof from the last checkpoint that this host's core has signed."""
        try:
            return self._signature(head, checkpoint, head.checkpoint_size)
        except CheckpointUnproven as behind:  # it signed what was not kept, or another host's did meanwhile
            return self._signature(head, checkpoint, behind.size)

    def _signature(self, head: HeadRow, checkpoint: Checkpoint, old: int) -> bytes:
        with self._unit.read() as session:
            proof = Tree(reader(session), checkpoint.size).consistency(old)
        wish = wish_for(checkpoint.text, old, proof)
        return self._core.sign(head.key_token, self._label(), self._asker, ALGORITHM, wish, kind="checkpoint")

    def _label(self) -> KeyLabel:
        return KeyLabel("log", SYSTEM.account, SYSTEM.region, self._name, 1, SPEC)


def verifier_of(head: HeadRow) -> Verifier:
    return Verifier(head.origin, head.public_key)


class reader:  # noqa: N801 - used as the function that `Tree` takes
    """Tiles from the database, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, number: int) -> bytes:
        content = self._known.get((level, number))
        if content is None:
            row = self._session.get(TileRow, (level, number))
            content = self._known[level, number] = b"" if row is None else row.content
        return content


def _round(session: Session) -> tuple[HeadRow, bool]:
    """Give the entries that wait their places, and say whether there may be more."""
    head = session.get_one(
        HeadRow, _THE_HEAD, with_for_update=True
    )  # PostgreSQL: one round waits, and starts over
    waiting = session.exec(select(PendingRow).order_by(col(PendingRow.leaf)).limit(AT_ONCE)).all()
    if not waiting:
        return head, False
    changed = grow(reader(session), head.size, [row.entry for row in waiting])
    for (level, number), content in changed.items():
        tile = session.get(TileRow, (level, number)) or TileRow(level=level, number=number, content=b"")
        tile.content = content
        session.add(tile)
    session.exec(delete(PendingRow).where(col(PendingRow.leaf).in_([row.leaf for row in waiting])))
    session.flush()
    head.size += len(waiting)
    head.root = Tree(reader(session), head.size).root
    session.add(head)
    return head, len(waiting) == AT_ONCE
