"""What the log keeps: what waits for its place, the tiles of the tree, and the one row that says how far it is."""

from sqlmodel import Field

from foundation.store import Global


class PendingRow(Global, table=True):
    """An entry that is committed with what it tells of, until the sequencer gives it its place."""

    __tablename__ = "ca_log_pending"

    leaf: bytes = Field(primary_key=True)  # its hash, RFC 6962 2.1
    entry: bytes


class TileRow(Global, table=True):
    """A tile as it is served, or the beginning of one. Level -1 holds bundles of entries."""

    __tablename__ = "ca_log_tile"

    level: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    content: bytes


class HeadRow(Global, table=True):
    """The log. `size` and `root` are of what is durable; `checkpoint` is the newest that was signed."""

    __tablename__ = "ca_log_head"

    single: int = Field(default=1, primary_key=True)  # there is one log
    name: str  # under /log/
    origin: str  # tlog-checkpoint's, and the name of the key
    key_token: bytes
    public_key: bytes  # Ed25519, 32 bytes
    size: int = 0
    root: bytes
    checkpoint_size: int = 0
    checkpoint: bytes  # a signed note; empty before the first
