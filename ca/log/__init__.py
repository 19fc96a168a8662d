"""The append-only Merkle log of everything issued and revoked (RFC 6962, C2SP tlog-tiles, signed-note)."""

from ca.log.audit import Audit, audit
from ca.log.entries import entry_of, spki
from ca.log.notes import BadNote, Checkpoint, Verifier, open_checkpoint, read_verifier
from ca.log.sequencer import MerkleLog
from ca.log.serving import LogFile, PublicLog
from ca.log.tiles import tiles_of
from ca.log.verification import LogBroken, ReadLog, read_log

__all__ = [
    "Audit",
    "BadNote",
    "Checkpoint",
    "LogBroken",
    "LogFile",
    "MerkleLog",
    "PublicLog",
    "ReadLog",
    "Verifier",
    "audit",
    "entry_of",
    "open_checkpoint",
    "read_log",
    "read_verifier",
    "spki",
    "tiles_of",
]
