"""What happened: records, their chain, the outbox, the index and its verification.

The key core imports `foundation.trail.chain` and must not load a database for it, so nothing is imported here
until it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foundation.trail.heads import HeadAltered, Heads
    from foundation.trail.index import TrailIndex
    from foundation.trail.latest import newest_events
    from foundation.trail.operations import Lookup, cloudtrail
    from foundation.trail.recorder import Draft, Ledger, Recorder, Recording
    from foundation.trail.shipper import Shipper
    from foundation.trail.uses import KeyUse, KeyUses
    from foundation.trail.verify import TrailBroken, Verdict, verify_trail

__all__ = [
    "Draft",
    "HeadAltered",
    "Heads",
    "KeyUse",
    "KeyUses",
    "Ledger",
    "Lookup",
    "Recorder",
    "Recording",
    "Shipper",
    "TrailBroken",
    "TrailIndex",
    "Verdict",
    "cloudtrail",
    "newest_events",
    "verify_trail",
]

_HOMES = {
    "Draft": "recorder",
    "HeadAltered": "heads",
    "Heads": "heads",
    "KeyUse": "uses",
    "KeyUses": "uses",
    "Ledger": "recorder",
    "Lookup": "operations",
    "Recorder": "recorder",
    "Recording": "recorder",
    "Shipper": "shipper",
    "TrailBroken": "verify",
    "TrailIndex": "index",
    "Verdict": "verify",
    "cloudtrail": "operations",
    "newest_events": "latest",
    "verify_trail": "verify",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
