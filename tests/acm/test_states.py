"""Every cell of the table of states, and of what GetCertificate answers in each."""

import pytest

from acm.states import READABLE, TRANSITIONS, Happening, IllegalTransition, Status, after

POSSIBLE = {
    (Status.PENDING_VALIDATION, Happening.ISSUE): Status.ISSUED,
    (Status.PENDING_VALIDATION, Happening.TIME_OUT): Status.VALIDATION_TIMED_OUT,
    (Status.PENDING_VALIDATION, Happening.REFUSE): Status.FAILED,
    (Status.ISSUED, Happening.RENEW): Status.ISSUED,
    (Status.ISSUED, Happening.EXPIRE): Status.EXPIRED,
}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("happening", Happening)
def test_each_state_allows_what_the_table_says_and_nothing_else(status: Status, happening: Happening) -> None:
    if (status, happening) in POSSIBLE:
        assert after(status, happening) == POSSIBLE[status, happening]
    else:
        with pytest.raises(IllegalTransition, match=status):
            after(status, happening)


def test_the_table_has_a_row_for_each_state() -> None:
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("status", Status)
def test_a_state_that_ever_had_a_certificate_keeps_it_readable(status: Status) -> None:
    never = {Status.PENDING_VALIDATION, Status.VALIDATION_TIMED_OUT, Status.FAILED}
    assert (status in READABLE) == (status not in never)
