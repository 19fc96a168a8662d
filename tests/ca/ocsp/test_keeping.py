"""How long an answer is kept, what drops it, and what strangers may have signed."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509 import ocsp

from ca import der
from ca.ocsp import TryLater
from ca.ocsp.budget import AT_ONCE, PER_SECOND, Budget
from ca.ocsp.cache import Bounded
from ca.ocsp.responder import VALID_FOR
from tests.ca.conftest import uses
from tests.ca.ocsp.conftest import Asking, by_serial, inside, joined
from tests.ca.ocsp.test_answers import GOOD, REVOKED


def signatures(client: Asking) -> int:
    """How often the core has signed for this authority's responder, by its own records."""
    return sum(
        use["op"] == "Sign" and use["kind"] == "ocsp" and use["key"] == client.authority.id
        for use in uses(client.world.trail)
    )


def test_one_signature_answers_until_half_of_its_life(client: Asking) -> None:
    leaf = client.leaf()
    first = client.answer(leaf)
    client.world.time += VALID_FOR / 2 - timedelta(seconds=1)
    assert client.answer(leaf) is first
    assert signatures(client) == 1
    client.world.time += timedelta(seconds=1)
    second = client.answer(leaf)
    assert second.produced_at == client.world.time
    assert signatures(client) == 2


@pytest.mark.slow
def test_a_leap_of_the_clock_leaves_no_answer_that_has_run_out(client: Asking) -> None:
    leaf = client.leaf()
    for leap in (timedelta(hours=3), timedelta(days=20), timedelta(days=150)):
        client.ask(leaf)
        client.world.time += leap
        response = client.ask(leaf)
        assert response.this_update_utc == client.world.time
        (signer,) = response.certificates
        assert signer.not_valid_before_utc <= client.world.time < signer.not_valid_after_utc


def test_a_revocation_is_seen_by_every_worker_and_leaves_the_other_answers(any_client: Asking) -> None:
    client, other = any_client, any_client.worker()
    leaf, bystander = client.leaf(), client.leaf()
    kept = client.answer(bystander)
    for worker in (client.responder, other):
        assert client.ask(leaf, by=worker).certificate_status is GOOD
    client.revoke(leaf)
    for worker in (client.responder, other):
        assert client.ask(leaf, by=worker).certificate_status is REVOKED
    assert client.answer(bystander) is kept


def test_a_nonce_is_answered_afresh_each_time(shared_client: Asking) -> None:
    leaf = shared_client.leaf()
    for nonce in (b"1", bytes(32), b"\x04\x02ab"):
        answer = shared_client.answer(leaf, nonce=nonce)
        said = shared_client.read(answer).extensions.get_extension_for_class(x509.OCSPNonce).value
        assert said.nonce == nonce
        assert answer.refresh_at is None
    assert not list(shared_client.ask(leaf).extensions)


def test_beyond_the_budget_a_nonce_is_left_out_and_a_stranger_waits(client: Asking) -> None:
    leaf = client.leaf()
    while client.responder._budget.take():
        pass
    response = client.ask(leaf, nonce=b"n")
    assert response.certificate_status is GOOD
    assert not list(response.extensions)
    several = joined(by_serial(client, 7), by_serial(client, 8))
    for request in (by_serial(client, 7), several):
        with pytest.raises(TryLater):
            client.responder.answer(client.authority.id, request)
    client.ticks[0] += 10
    assert list(client.ask(leaf, nonce=b"n").extensions)


def test_a_budget_fills_with_time_and_not_beyond_its_brim() -> None:
    at = [0.0]
    budget = Budget(lambda: at[0])
    assert sum(budget.take() for _ in range(1000)) == AT_ONCE
    at[0] += 1
    assert sum(budget.take() for _ in range(1000)) == PER_SECOND
    at[0] += 1e9
    assert sum(budget.take() for _ in range(1000)) == AT_ONCE


def test_a_bounded_cache_lets_the_oldest_go() -> None:
    cache: Bounded[int, str] = Bounded(2)
    for key in (1, 2, 1, 3):
        cache.put(key, str(key))
    assert [cache.get(key) for key in (1, 2, 3)] == ["1", None, "3"]
    assert len(cache) == 2


def test_an_answer_about_the_same_certificate_is_kept_once_however_it_is_asked(shared_client: Asking) -> None:
    leaf = shared_client.leaf()
    plain = by_serial(shared_client, leaf.serial_number)
    first = shared_client.responder.answer(shared_client.authority.id, plain)
    # An explicit version 1: DER leaves the default out, and some clients send it.
    assert shared_client.responder.answer(shared_client.authority.id, _with_version(plain)) is first
    assert ocsp.load_der_ocsp_response(first.body).certificate_status is GOOD


def _with_version(request: bytes) -> bytes:
    (to_be_signed,) = inside(request)
    return der.element(0x30, der.element(0x30, bytes.fromhex("a003020100") + b"".join(inside(to_be_signed))))
