"""The two clocks: `wall` for credentials and leases, `now` for everything that `keystead clock advance` may move."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from foundation.store import Machine, Store, boottime


def wall() -> datetime:
    """The machine's own time, aware UTC."""
    return datetime.now(UTC)


def machine() -> Machine:
    """This machine, since it was started (Linux: proc_sys_kernel(5) on boot_id)."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return Machine(boot, boottime)


@dataclass(frozen=True, slots=True)
class Clocks:
    """`now` is `wall` plus the offset that the deployment holds: zero unless it has a test clock."""

    wall: Callable[[], datetime]
    now: Callable[[], datetime]


def clocks(store: Store, wall: Callable[[], datetime] = wall, *, moves: bool = True) -> Clocks:
    """Both clocks of a deployment. A moved offset is a generation, so every process follows it at once.

    Without `moves` the deployment has no test clock, and never gets one: the two clocks are one.
    """
    if not moves:
        return Clocks(wall, wall)

    def now() -> datetime:
        return wall() + timedelta(microseconds=store.generation("clock"))

    return Clocks(wall, now)
