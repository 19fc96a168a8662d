"""The cache on the hot path: no database while nothing changes, the new truth as soon as something has."""

import threading
from typing import Any

import pytest
from sqlalchemy import event

from kms.keys.cache import KeyCache
from kms.keys.errors import Disabled, InvalidKeyUsage, InvalidState
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
    assert (len(cache._known.keys), len(cache._known.aliases)) == (3, 0)


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
