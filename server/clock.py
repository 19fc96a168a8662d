"""The two clocks: `wall` for credentials and leases, `now` for everything that `keystead clock advance` may move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def wall() -> datetime:
    """The machine's own time, aware UTC."""
    return datetime.now(UTC)


def service_clock(wall: Clock, offset: Callable[[], timedelta]) -> Clock:
    """`now`: the wall clock plus the offset that the deployment's row holds (zero unless it has a test clock)."""

    def now() -> datetime:
        return wall() + offset()

    return now
