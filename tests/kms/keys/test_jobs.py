"""What jobs do when they are interrupted, repeated, late or overtaken."""

from datetime import timedelta

import pytest
from sqlmodel import select

from foundation.store import Claim, LostClaim, Scope, schedule
from kms.keys.deletion import Deletion
from kms.keys.errors import LimitExceeded
from kms.keys.found import FoundKey
from kms.keys.replicating import Replicating
from kms.keys.rotating import Rotating
from kms.keys.settings import KmsSettings
from kms.keys.tables import KeyCount, KeyMaterial
from tests.kms.keys.conftest import new_key
from tests.kms.keys.world import ACCOUNT, HERE, Process

THERE = Scope(ACCOUNT, "us-east-1")


def now(process: Process, made: FoundKey, scope: Scope = HERE) -> FoundKey | None:
    """The key as the database has it; caches may be a quarter of a second behind on PostgreSQL."""
    rows = process.rows.key(process.store.unit(scope), made.id)
    return None if rows is None else rows.found


def claim(process: Process, kind: str) -> Claim:
    (claimed,) = process.store.claim_due(kind, process.moment, timedelta(minutes=1), 10)
    return claimed


def replicated(process: Process) -> FoundKey:
    made = new_key(process, multi_region=True)
    policy = made.policy
    process.service().regions.replicate(made.id, THERE.region, policy=policy, description="", tags={})
    return made


def count(process: Process, scope: Scope = HERE) -> int:
    with process.store.unit(scope).read() as session:
        row = session.get(KeyCount, (scope.account, scope.region))
    return row.keys if row else 0


def test_two_schedulers_rotate_a_key_once(any_process: Process) -> None:
    made = new_key(any_process)
    any_process.service().rotation.rotate_now(made.id)
    first = claim(any_process, "kms.rotate")
    any_process.moment += timedelta(minutes=2)
    schedulers = any_process.store.claim_due("kms.rotate", any_process.moment, timedelta(minutes=1), 10)
    assert schedulers == []  # the lease runs on the wall clock
    Rotating(any_process.work).run(first)
    with pytest.raises(LostClaim):
        any_process.store.unit(HERE).write(first.finish)
    found = now(any_process, made)
    assert found is not None
    assert [material.state for material in found.materials] == ["NON_CURRENT", "CURRENT"]


def test_a_scheduler_that_lost_its_claim_changes_nothing(process: Process) -> None:
    made = new_key(process)
    process.service().rotation.rotate_now(made.id)
    late = claim(process, "kms.rotate")
    process.store.fail_claim(late, "it seemed dead", process.moment)
    current = claim(process, "kms.rotate")
    with pytest.raises(LostClaim):
        Rotating(process.work).run(late)
    found = now(process, made)
    assert found is not None
    assert len(found.materials) == 1
    Rotating(process.work).run(current)
    found = now(process, made)
    assert found is not None
    assert len(found.materials) == 2


def test_a_replica_that_was_filled_is_not_filled_again(any_process: Process) -> None:
    made = replicated(any_process)
    job = Replicating(any_process.work)
    assert any_process.run("kms.replicate", job.fill) == 1
    filled = now(any_process, made, THERE)
    any_process.store.unit(THERE).write(
        lambda session: schedule(session, "kms.replicate", made.id, any_process.moment)
    )
    assert any_process.run("kms.replicate", job.fill) == 1
    assert now(any_process, made, THERE) == filled
    assert filled is not None
    assert filled.state == "Enabled"


def test_a_rotation_while_a_replica_is_being_made_leaves_it_no_material_behind(process: Process) -> None:
    made = replicated(process)
    process.service().rotation.rotate_now(made.id)
    process.run("kms.rotate", Rotating(process.work).run)
    process.run("kms.replicate", Replicating(process.work).fill)
    found, replica = now(process, made), now(process, made, THERE)
    assert found is not None
    assert replica is not None
    assert [material.id for material in replica.materials] == [material.id for material in found.materials]
    assert len(found.materials) == 2


def test_an_interrupted_change_of_the_primary_is_finished_by_the_next_run(process: Process) -> None:
    made = replicated(process)
    job = Replicating(process.work)
    process.run("kms.replicate", job.fill)
    process.service().rotation.enable(made.id, 90)
    process.service().regions.update_primary(made.id, THERE.region)
    interrupted = claim(process, "kms.primary")
    process.store.fail_claim(interrupted, "killed", process.moment)
    process.run("kms.primary", job.swap)
    found = now(process, made, THERE)
    assert found is not None
    assert (found.multi_region_type, found.state) == ("PRIMARY", "Enabled")
    process.moment += timedelta(days=91)
    assert process.run("kms.rotate", Rotating(process.work).run) == 1
    found = now(process, made)
    assert found is not None
    assert len(found.materials) == 2


def test_a_kill_between_a_replicas_end_and_its_primarys_window_loses_neither(process: Process) -> None:
    made = replicated(process)
    process.run("kms.replicate", Replicating(process.work).fill)
    process.service().lifecycle.schedule_deletion(made.id, 7)
    process.service(THERE).lifecycle.schedule_deletion(made.id, 7)
    job = Deletion(process.work)
    for _ in range(7):
        process.moment += timedelta(days=1)
        process.run("kms.delete", job.run)
    assert now(process, made, THERE) is None
    waiting = now(process, made)
    assert waiting is not None
    assert (waiting.state, waiting.deletion_at) == ("PendingReplicaDeletion", None)  # here the kill falls
    process.run("kms.delete", job.run)
    waiting = now(process, made)
    assert waiting is not None
    assert waiting.deletion_at == process.moment + timedelta(days=7)


def test_a_cancelled_deletion_is_not_carried_out_by_a_job_that_had_begun(process: Process) -> None:
    made = new_key(process)
    process.service().lifecycle.schedule_deletion(made.id, 7)
    process.moment += timedelta(days=1)
    begun = claim(process, "kms.delete")
    process.service().lifecycle.cancel_deletion(made.id)
    with pytest.raises(LostClaim):
        Deletion(process.work).run(begun)
    found = now(process, made)
    assert found is not None
    assert found.state == "Disabled"


def test_the_end_of_a_key_leaves_no_token_and_no_count(any_process: Process) -> None:
    made = new_key(any_process)
    any_process.service().aliases.create("alias/app", made.id)
    assert count(any_process) == 1
    any_process.service().lifecycle.schedule_deletion(made.id, 7)
    for _ in range(7):
        any_process.moment += timedelta(days=1)
        any_process.run("kms.delete", Deletion(any_process.work).run)
    assert now(any_process, made) is None
    assert count(any_process) == 0
    with any_process.store.unit(HERE).read() as session:
        assert session.exec(select(KeyMaterial)).all() == []
    assert any_process.rows.alias(any_process.store.unit(HERE), "alias/app") is None


def test_the_quota_of_keys_is_counted_where_they_are(process: Process) -> None:
    process.rooms = Process(process.store, process.core, KmsSettings(keys=2)).rooms
    made = replicated(process)
    new_key(process)
    with pytest.raises(LimitExceeded, match="quota of 2"):
        new_key(process)
    assert (count(process), count(process, THERE)) == (2, 1)
    assert made.multi_region
