"""What only an operator does with authorities: bring them in, lock them, change their keys, look at all of them."""

from ca.custody.bringing import Bringing, Offer, Wrapping
from ca.custody.ceremony import Held
from ca.custody.likeness import ALL_ADDRESSES, Confinement
from ca.custody.lineage import LineageNode, chain_path, lineage
from ca.custody.locking import RELOCK_JOB, Locking, relock
from ca.custody.service import Custody, NewSubordinate
from ca.custody.succession import Crossed, Rotated, Succession, refuse_succeeded, successor_of
from ca.custody.work import Work

__all__ = [
    "ALL_ADDRESSES",
    "RELOCK_JOB",
    "Bringing",
    "Confinement",
    "Crossed",
    "Custody",
    "Held",
    "LineageNode",
    "Locking",
    "NewSubordinate",
    "Offer",
    "Rotated",
    "Succession",
    "Work",
    "Wrapping",
    "chain_path",
    "lineage",
    "refuse_succeeded",
    "relock",
    "successor_of",
]
