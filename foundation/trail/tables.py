"""What the main database knows of each chain. (The index is a file of its own: `index.py`.)"""

from sqlmodel import Field

from foundation.store import Global

__all__ = ["TrailHead"]


class TrailHead(Global, table=True):
    """A record that a chain is known to hold. `chain` is the hash of its first record, in hex: one chain per core."""

    __tablename__ = "trail_head"

    chain: str = Field(primary_key=True)
    sequence: int
    hash: bytes
    mac: bytes
