"""Offline authorities: locked, opened for a while, and locked again by themselves."""

from datetime import UTC, timedelta

import pytest
from cryptography import x509

from ca import AuthorityState, OrderRefused
from ca.lineage_tables import LockRow
from ca.tables import AuthorityRow
from foundation.store import Unit
from kms.hsm import KeyRefused
from tests.ca.conftest import START, World, new_key
from tests.ca.custody.foreign import custody, wall


def rows(unit: Unit, authority_id: str) -> tuple[AuthorityRow, LockRow]:
    with unit.read() as session:
        scope = (unit.scope.account, unit.scope.region, authority_id)
        row, lock = session.get(AuthorityRow, scope), session.get(LockRow, scope)
    assert row is not None
    assert lock is not None
    return row, lock


def crl_of(world: World, arn: str) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(world.service().crl(arn))


def test_a_locked_authority_issues_nothing_and_cannot_be_enabled(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    quick_world.run_due()
    locked = custody(quick_world).lock(root.arn, 180)
    assert locked.status == "DISABLED"
    signed = len(quick_world.signatures())
    with pytest.raises(AuthorityState):
        quick_world.issue(root.arn)
    with pytest.raises(AuthorityState, match="keystead ca unlock"):
        quick_world.service().enable(root.arn)
    with pytest.raises(AuthorityState, match="locked"):
        custody(quick_world).lock(root.arn, 180)
    assert len(quick_world.signatures()) == signed


def test_its_last_crl_is_signed_before_the_door_closes_and_lives_long(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    issued = quick_world.issue(root.arn)
    quick_world.service().revoke(root.arn, issued.serial)
    custody(quick_world).lock(root.arn, 180)
    crl = crl_of(quick_world, root.arn)
    assert crl.next_update_utc == START + timedelta(days=180)
    assert [entry.serial_number for entry in crl] == [int(issued.serial, 16)]
    quick_world.time += timedelta(days=100)
    quick_world.run_due()
    assert crl_of(quick_world, root.arn) == crl


def test_unlocked_it_signs_until_its_time_is_over_and_then_is_locked_again(world: World) -> None:
    root, subordinate = world.service().init()
    custody(world).lock(root.arn, 180)
    world.service().revoke(root.arn, subordinate.serial)
    until = custody(world).unlock(root.arn, timedelta(minutes=10))
    assert timedelta(minutes=9) < until - wall() <= timedelta(minutes=10)
    assert world.issue(root.arn).serial
    world.run_due()
    assert len(list(crl_of(world, root.arn))) == 1
    world.time += timedelta(minutes=11)
    world.run_due()
    row, lock = rows(world.unit(), root.id)
    assert (row.status, row.key_token, lock.unlocked_until) == ("DISABLED", lock.locked_token, None)
    with pytest.raises(AuthorityState):
        world.issue(root.arn)


@pytest.mark.slow
def test_it_can_be_locked_again_before_its_time_is_over(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    custody(quick_world).lock(root.arn, 90)
    custody(quick_world).unlock(root.arn, timedelta(hours=2))
    custody(quick_world).lock(root.arn, 200)
    row, lock = rows(quick_world.unit(), root.id)
    assert (row.key_token, lock.crl_days) == (lock.locked_token, 200)
    assert crl_of(quick_world, root.arn).next_update_utc == START + timedelta(days=200)


def test_the_end_of_a_window_is_for_the_cores_own_clock_to_judge(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    custody(quick_world).lock(root.arn, 90)
    past = wall() - timedelta(days=1)
    late = quick_world.service().custody(lambda: past)
    with pytest.raises(KeyRefused, match="24 hours at most"):
        late.unlock(root.arn, timedelta(minutes=5))


@pytest.mark.slow
def test_times_and_states_that_cannot_be(quick_world: World) -> None:
    root, _ = quick_world.service().init()
    with pytest.raises(AuthorityState, match="never locked"):
        custody(quick_world).unlock(root.arn, timedelta(hours=1))
    with pytest.raises(OrderRefused, match="1 to 5000 days"):
        custody(quick_world).lock(root.arn, 0)
    custody(quick_world).lock(root.arn, 90)
    for window in (timedelta(seconds=59), timedelta(hours=24, seconds=1)):
        with pytest.raises(OrderRefused, match="one minute to 24 hours"):
            custody(quick_world).unlock(root.arn, window)
    (tree,) = custody(quick_world).lineage(every=False)
    assert tree.locked == "locked"
    until = custody(quick_world).unlock(root.arn, timedelta(hours=1))
    (tree,) = custody(quick_world).lineage(every=False)
    assert tree.locked == f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_what_a_locked_authority_certified_goes_on_issuing(quick_world: World) -> None:
    root, subordinate = quick_world.service().init()
    custody(quick_world).lock(root.arn, 90)
    assert quick_world.issue(subordinate.arn, public_key=new_key()).chain_pem.endswith(root.certificate_pem)
