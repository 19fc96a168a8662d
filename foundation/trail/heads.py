"""Heads of chains, kept in the database under a MAC of the core: by them a cut end of the trail is found.

Who can write the files could remove the last records and leave a chain that holds; the database remembers that they
were there. (Both together are for a copy of the head off the host.)
"""

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sqlmodel import Session, select

from foundation.store import SYSTEM, Store
from foundation.trail import chain
from foundation.trail.tables import TrailHead

__all__ = ["HeadAltered", "HeadMac", "Heads"]

PURPOSE = "trail"


class HeadMac(Protocol):
    """The key core, as far as heads need it. Never called inside a transaction."""

    def mac(self, purpose: str, data: bytes) -> bytes:
        """Give the MAC of `data` under the deployment's key for this purpose."""
        ...


class HeadAltered(Exception):
    """The database's own row about this chain is not what keystead wrote."""


class Heads:
    """The head of the chain in `directory`. `reached` gives how far the shipper has read it."""

    def __init__(
        self, store: Store, core: HeadMac, directory: Path, reached: Callable[[], chain.Position]
    ) -> None:
        self._store = store
        self._core = core
        self._directory = directory
        self._reached = reached
        self._seen: chain.Position = chain.START
        self._kept = -1
        self._chain: str | None = None  # found once: a directory holds one chain for ever

    def keep(self) -> None:
        """Write down what the call before saw: by now it is durable in the file too. Call it every second or so."""
        seen, self._seen = self._seen, self._reached()
        if seen.sequence <= self._kept:
            return
        name = self._name()
        if name is None:
            return
        mac = self._core.mac(PURPOSE, _stated(name, seen.sequence, seen.hash))

        def write(session: Session) -> None:
            row = session.get(TrailHead, name)
            if row is None:
                row = TrailHead(chain=name, sequence=-1, hash=b"", mac=b"")
            if row.sequence < seen.sequence:
                row.sequence, row.hash, row.mac = seen.sequence, seen.hash, mac
                session.add(row)

        self._store.unit(SYSTEM).write(write)
        self._kept = seen.sequence

    def known(self) -> chain.Head | None:
        """The last record that this chain is known to hold, None before the first was kept. Raises HeadAltered."""
        name = self._name()
        if name is None:
            return None
        with self._store.unit(SYSTEM).read() as session:
            row = session.get(TrailHead, name)
        if row is None:
            return None
        stated = _stated(name, row.sequence, row.hash)
        if not hmac.compare_digest(self._core.mac(PURPOSE, stated), row.mac):
            raise HeadAltered("the database's record of the trail's head has been altered")
        return chain.Head(row.sequence, row.hash)

    def others(self) -> int:
        """How many other chains the database knows: other hosts' of this deployment, or one that was removed here."""
        name = self._name()
        with self._store.unit(SYSTEM).read() as session:
            return sum(known != name for known in session.exec(select(TrailHead.chain)))

    def _name(self) -> str | None:
        if self._chain is None:
            first = next(chain.walk(self._directory), None)
            self._chain = None if first is None else first.hash.hex()
        return self._chain


def _stated(name: str, sequence: int, digest: bytes) -> bytes:
    return b"\n".join((name.encode(), str(sequence).encode(), digest.hex().encode()))
