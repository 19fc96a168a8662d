"""A waiting period counts time that was seen to pass, so that a leaping clock deletes nothing (SECURITY 2.3, T5)."""

from datetime import UTC, datetime, timedelta

import pytest

from foundation.store import Leaps
from kms.keys.tables import Key
from kms.keys.waiting import EVERY, LATE, look

NONE = Leaps()
START = datetime(2026, 1, 1, tzinfo=UTC)


def waiting(days: int, *, seen: timedelta = timedelta(0)) -> Key:
    return Key(
        account="111122223333", region="eu-central-1", id="k", state="PendingDeletion", policy="{}",
        created_at=START, window_days=days, deletion_at=START + timedelta(days=days), waited_until=START + seen,
    )  # fmt: skip


def test_a_look_a_day_finds_nothing_missing_and_the_last_one_ends_it() -> None:
    for day in range(1, 7):
        found = look(waiting(7, seen=timedelta(days=day - 1)), START + timedelta(days=day), NONE)
        assert (found.missing, found.over) == (timedelta(0), False)
        assert found.next_look == START + timedelta(days=day + 1)
    assert look(waiting(7, seen=timedelta(days=6)), START + timedelta(days=7), NONE).over


@pytest.mark.parametrize(
    "leap", [timedelta(days=31), timedelta(days=3650), timedelta(days=8), EVERY + 2 * LATE]
)
def test_a_leap_forward_moves_the_end_by_what_nobody_saw(leap: timedelta) -> None:
    found = look(waiting(7), START + leap, NONE)
    assert not found.over
    assert found.missing == leap - EVERY
    assert found.deletion_at == START + timedelta(days=7) + found.missing


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(days=1), timedelta(days=20_000)])
def test_a_leap_back_ends_nothing(back: timedelta) -> None:
    found = look(waiting(7), START - back, NONE)
    assert (found.over, found.missing) == (False, timedelta(0))


def test_a_scheduler_that_is_a_little_late_costs_nothing() -> None:
    assert look(waiting(7, seen=timedelta(days=6)), START + timedelta(days=7) + LATE, NONE).over


def test_a_leap_of_hours_between_two_looks_is_added_once() -> None:
    leaps = Leaps(((START + timedelta(hours=2), START + timedelta(hours=22)),))
    found = look(waiting(7), START + EVERY, leaps)
    assert (found.missing, found.over) == (timedelta(hours=20), False)
    assert found.deletion_at == START + timedelta(days=7, hours=20)
    assert look(waiting(7, seen=EVERY), START + 2 * EVERY, leaps).missing == timedelta(0)


def test_a_leap_to_the_end_of_the_window_ends_nothing() -> None:
    last = START + timedelta(days=7)
    leaps = Leaps(((last - timedelta(hours=23), last),))
    assert not look(waiting(7, seen=timedelta(days=6)), last, leaps).over
