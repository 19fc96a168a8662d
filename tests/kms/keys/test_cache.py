"""The cache on the hot path: no database while nothing changes, the new truth as soon as something has."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, delete, select

from foundation.store import Store
from kms.keys import changelog
from kms.keys.cache import KeyCache
from kms.keys.errors import Disabled, InvalidKeyUsage, InvalidState
from kms.keys.tables import ChangedSubject
from tests.kms.keys.conftest import new_key
from tests.kms.keys.world import HERE, Process


def statements(process: Process) -> list[str]:
    """Every statement that any connection runs from now on, but for the look at the generation."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "data_version" not in statement:
            seen.append(statement)

    event.listen(process.store._reader, "before_cursor_execute", note)
    return seen


def test_a_key_that_was_used_is_found_again_without_the_database(process: Process) -> None:
    made = new_key(process)
    process.service().aliases.create("alias/app", made.id)
    for name in (made.id, made.arn, "alias/app"):
        process.service().usable(name, "Encrypt", "ENCRYPT_DECRYPT")
    seen = statements(process)
    for name in (made.id, made.arn, "alias/app"):
        for _ in range(10):
            process.service().usable(name, "Encrypt", "ENCRYPT_DECRYPT")
    assert seen == []


def test_an_acknowledged_disable_holds_on_every_worker_at_once(process: Process) -> None:
    made, other = new_key(process), process.other()
    for _ in range(20):
        other.service().usable(made.id, "Encrypt", "ENCRYPT_DECRYPT")
        process.service().lifecycle.disable(made.id)
        for worker in (process, other):
            with pytest.raises(Disabled):
                worker.service().usable(made.id, "Encrypt", "ENCRYPT_DECRYPT")
        process.service().lifecycle.enable(made.id)


def test_an_acknowledged_disable_holds_on_another_host_that_looked_just_before(
    any_process: Process, any_store_url: str, open_store: Callable[..., Store]
) -> None:
    made = new_key(any_process)
    other = Process(open_store(any_store_url, create=False), any_process.core)
    for _ in range(4):
        other.service().usable(made.id, "Encrypt", "ENCRYPT_DECRYPT")
        any_process.service().lifecycle.disable(made.id)
        with pytest.raises(Disabled):
            other.service().usable(made.id, "Encrypt", "ENCRYPT_DECRYPT")
        any_process.service().lifecycle.enable(made.id)


def test_no_use_succeeds_after_the_answer_to_a_disable(process: Process) -> None:
    made, other = new_key(process), process.other()
    acknowledged = threading.Event()
    late: list[str] = []

    def use() -> None:
        while True:
            after = acknowledged.is_set()
            try:
                other.service().usable(made.id, "Encrypt", "ENCRYPT_DECRYPT")
            except Disabled:
                return
            if after:
                late.append("used")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    process.service().lifecycle.disable(made.id)
    acknowledged.set()
    for thread in threads:
        thread.join(20)
    assert late == []


def test_the_cache_is_bounded_and_what_does_not_exist_is_not_remembered(process: Process) -> None:
    cache = KeyCache(process.store, process.rows, size=3)
    made = [new_key(process) for _ in range(5)]
    for key in made * 2:
        assert cache.key(HERE, key.id) is not None
    assert cache.key(HERE, "nothing") is None
    assert cache.alias(HERE, "alias/nothing") is None
    assert (len(cache._keys), len(cache._aliases)) == (3, 0)


def test_a_change_of_one_key_leaves_the_others_in_memory(process: Process) -> None:
    changed, other = new_key(process), new_key(process)
    worker = process.other()
    process.service().aliases.create("alias/other", other.id)
    for name in (changed.id, other.id, "alias/other"):
        worker.service().usable(name, "Encrypt")
    for number in range(3):
        process.service().lifecycle.describe(changed.id, str(number))
    process.service().aliases.create("alias/changed", changed.id)
    seen = statements(worker)
    for name in (other.id, "alias/other"):
        worker.service().usable(name, "Encrypt")
    assert [each for each in seen if "FROM" in each and "kms_change" not in each] == []
    assert worker.service().find(changed.id, "Encrypt").description == "2"


def test_an_alias_that_moves_is_followed_by_every_worker(process: Process) -> None:
    first, second = new_key(process), new_key(process)
    worker = process.other()
    process.service().aliases.create("alias/moving", first.id)
    for target, left in ((second, first), (first, second)):
        assert worker.service().find("alias/moving", "Encrypt").id == left.id
        process.service().aliases.update("alias/moving", target.id)
        assert worker.service().find("alias/moving", "Encrypt").id == target.id
        assert worker.service().find(target.id, "Encrypt").aliases == ("alias/moving",)
        assert worker.service().find(left.id, "Encrypt").aliases == ()


def test_a_worker_that_slept_through_more_than_is_kept_reads_everything_again(process: Process) -> None:
    made, other = new_key(process), new_key(process)
    worker = process.other()
    for key in (made, other):
        worker.service().usable(key.id, "Encrypt")
    process.service().lifecycle.disable(made.id)

    def forget(session: Session) -> None:
        session.exec(delete(ChangedSubject))

    process.store.unit(HERE).write(forget)
    with pytest.raises(Disabled):
        worker.service().usable(made.id, "Encrypt")
    seen = statements(worker)
    worker.service().usable(other.id, "Encrypt")
    assert any("FROM kms_key" in statement for statement in seen)


def test_no_more_changes_are_kept_than_a_reader_is_told_of(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog, "MOST", 3)
    made = new_key(process)
    worker = process.other()
    worker.service().usable(made.id, "Encrypt")
    for number in range(8):
        process.service().lifecycle.describe(made.id, str(number))
        if number == 0:
            assert worker.service().find(made.id, "Encrypt").description == "0"
    assert worker.service().find(made.id, "Encrypt").description == "7"
    with process.store.unit(HERE).read() as session:
        assert len(session.exec(select(ChangedSubject.generation)).all()) == 3


def test_a_slow_reader_leaves_nothing_old_in_the_cache(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = new_key(process)
    cache = KeyCache(process.store, process.rows)
    load = KeyCache._load_key

    def slow(self: KeyCache, key: Any) -> Any:
        found = load(self, key)
        if found is not None and found.state == "Enabled":
            process.service().lifecycle.disable(made.id)  # between the read and its place in the cache
            process.rooms.cache.key(HERE, made.id)
            cache.key(HERE, made.id)
        return found

    monkeypatch.setattr(KeyCache, "_load_key", slow)
    cache.key(HERE, made.id)
    found = cache.key(HERE, made.id)
    assert found is not None
    assert found.state == "Disabled"


def test_usage_is_judged_after_the_state(process: Process) -> None:
    made = new_key(process)
    with pytest.raises(InvalidKeyUsage, match="not valid for Sign"):
        process.service().usable(made.id, "Sign", "SIGN_VERIFY")
    process.service().lifecycle.disable(made.id)
    with pytest.raises(Disabled):
        process.service().usable(made.id, "Sign", "SIGN_VERIFY")


def test_the_use_of_a_key_that_is_pending_deletion_raises_an_alarm(process: Process) -> None:
    made = new_key(process)
    process.service().lifecycle.schedule_deletion(made.id, 7)
    assert process.alarms == []
    with pytest.raises(InvalidState, match="is pending deletion"):
        process.service().usable(made.id, "Decrypt", "ENCRYPT_DECRYPT")
    ((name, details),) = process.alarms
    assert name == "ALARM KeyUsedWhilePendingDeletion"
    assert (details["keyId"], details["operation"]) == (made.arn, "Decrypt")
