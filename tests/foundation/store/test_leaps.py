"""The clock's leaps are told from the machine's uptime and from the beats in the database, on either database."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from foundation.store import SYSTEM, Leaps, Machine, Store, Timekeeper

START = datetime(2026, 3, 1, tzinfo=UTC)
NOTHING = timedelta(0)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Host:
    """A machine whose clock and uptime the test moves."""

    store: Store
    boot: str = "first"
    wall: datetime = START
    uptime: timedelta = DAY
    alarms: list[timedelta] = field(default_factory=list)

    @property
    def keeper(self) -> Timekeeper:
        """A process of its own on this machine."""
        machine = Machine(self.boot, self.uptime.total_seconds)
        unit = lambda: self.store.unit(SYSTEM)  # noqa: E731 -- said once
        return Timekeeper(unit, machine, lambda: self.wall, lambda: self.wall, self.alarms.append)

    def passes(self, time: timedelta) -> None:
        self.wall += time
        self.uptime += time

    def starts_anew(self, boot: str, *, after: timedelta) -> None:
        self.boot, self.uptime = boot, NOTHING
        self.wall += after

    def unseen(self) -> timedelta:
        return self.keeper.leaps().between(START, self.wall)


@pytest.fixture
def host(any_store: Store) -> Host:
    made = Host(any_store)
    made.keeper.beat()
    return made


def test_time_that_the_machine_was_up_was_seen_though_keystead_was_down(host: Host) -> None:
    host.passes(30 * DAY)
    assert (host.unseen(), host.alarms) == (NOTHING, [])


def test_what_the_clock_gains_without_the_machine_is_a_leap_that_is_alarmed_once(host: Host) -> None:
    host.passes(HOUR)
    host.wall += 20 * HOUR
    assert host.unseen() == 20 * HOUR
    host.passes(HOUR)
    assert (host.unseen(), host.alarms) == (20 * HOUR, [20 * HOUR])


def test_many_small_steps_are_a_leap_in_the_end(host: Host) -> None:
    for _ in range(60):
        host.passes(MINUTE)
        host.wall += MINUTE / 2
        host.keeper.beat()
    assert host.unseen() >= 28 * MINUTE


def test_a_clock_that_is_set_by_less_than_a_minute_has_not_leapt(host: Host) -> None:
    host.wall += MINUTE
    assert (host.unseen(), host.alarms) == (NOTHING, [])


@pytest.mark.parametrize(("down", "unseen"), [(HOUR, NOTHING), (2 * HOUR, 2 * HOUR), (40 * DAY, 40 * DAY)])
def test_a_machine_that_was_down_for_long_has_seen_nothing_of_it(
    host: Host, down: timedelta, unseen: timedelta
) -> None:
    host.starts_anew("second", after=down)
    assert host.unseen() == unseen


def test_a_machine_that_starts_with_a_clock_of_1970_misses_what_it_was_down_and_no_more(host: Host) -> None:
    right = host.wall + 5 * MINUTE
    host.starts_anew("second", after=datetime(1970, 1, 1, tzinfo=UTC) - host.wall)
    host.keeper.beat()
    host.wall = right
    assert host.unseen() == 5 * MINUTE


def test_what_a_clock_leapt_over_passes_after_all_once_it_is_put_back(host: Host) -> None:
    host.wall += 30 * DAY
    host.keeper.beat()
    host.wall -= 30 * DAY
    assert host.keeper.leaps() == Leaps()
    host.passes(DAY)
    assert host.unseen() == NOTHING
    host.wall += 30 * DAY
    assert host.unseen() == 30 * DAY


def test_a_host_that_joins_with_a_clock_of_its_own_knows_that_it_leapt(host: Host) -> None:
    other = Host(host.store, boot="other", wall=host.wall + 10 * DAY)
    assert other.unseen() == 10 * DAY


def test_no_more_is_missing_than_the_time_that_is_asked_about() -> None:
    twice = Leaps(((START, START + DAY), (START, START + DAY)))
    assert twice.between(START + HOUR, START + DAY) == 23 * HOUR
    assert twice.between(START + 2 * DAY, START + DAY) == NOTHING
