"""The tables of states, walked cell by cell."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from ca import AuthorityState, CertificateState
from ca.states import (
    AUTHORITY_STATES,
    CERTIFICATE_STATES,
    next_authority_state,
    next_certificate_state,
    state_at,
)

AUTHORITY_ACTIONS = sorted({action for cells in AUTHORITY_STATES.values() for action in cells})
CERTIFICATE_ACTIONS = sorted({action for cells in CERTIFICATE_STATES.values() for action in cells})


@pytest.mark.parametrize(("state", "action"), list(product(AUTHORITY_STATES, AUTHORITY_ACTIONS)))
def test_an_authoritys_state_allows_what_its_row_says(state: str, action: str) -> None:
    if action in AUTHORITY_STATES[state]:
        assert next_authority_state("id", state, action) in AUTHORITY_STATES
    else:
        with pytest.raises(AuthorityState) as caught:
            next_authority_state("id", state, action)
        assert caught.value.status == state


@pytest.mark.parametrize(("state", "action"), list(product(CERTIFICATE_STATES, CERTIFICATE_ACTIONS)))
def test_a_certificates_state_allows_what_its_row_says(state: str, action: str) -> None:
    if action in CERTIFICATE_STATES[state]:
        assert next_certificate_state("4b", state, action) in CERTIFICATE_STATES
    else:
        with pytest.raises(CertificateState, match=state):
            next_certificate_state("4b", state, action)


def test_nothing_leads_out_of_revoked() -> None:
    assert CERTIFICATE_STATES["REVOKED"] == {}


def test_an_active_authority_must_be_disabled_before_it_is_deleted() -> None:
    deletable = {state for state, allowed in AUTHORITY_STATES.items() if "delete" in allowed}
    assert deletable == {"PENDING_CERTIFICATE", "CREATING", "EXPIRED", "DISABLED", "FAILED"}


@pytest.mark.parametrize("state", ["ACTIVE", "DISABLED"])
def test_an_authority_is_expired_from_the_moment_after_its_certificates_end(state: str) -> None:
    end = datetime(2030, 1, 1, tzinfo=UTC)
    assert state_at(state, end, end) == state
    assert state_at(state, end, end + timedelta(microseconds=1)) == "EXPIRED"
    assert state_at(state, None, end) == state
