"""Caches see a raised generation within a millisecond on SQLite, a tenth of a second on PostgreSQL."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

import foundation.store.generations as generations_module
from foundation.store import ClockRefused, Deployment, Duplicate, Store, StoreUnavailable, bump
from foundation.store.generations import PostgresGenerations, SqliteGenerations
from tests.foundation.store.rows import HERE, OTHERS


def settle(store: Store) -> None:
    if store.dialect == "postgresql":
        time.sleep(store.staleness)


def test_a_generation_rises_with_each_committed_bump(
    any_store: Store, any_store_url: str, open_store: Callable[..., Store]
) -> None:
    another = open_store(any_store_url, create=False)
    assert another.generation("identity") == 0
    for scope in (HERE, OTHERS):
        any_store.unit(scope).write(lambda session: bump(session, "identity"))
    settle(another)
    assert another.generation("identity") == 2
    assert another.generation("policies") == 0


def test_a_bump_that_was_rolled_back_is_not_seen(any_store: Store) -> None:
    def body(session: Session) -> None:
        bump(session, "identity")
        raise LookupError

    with pytest.raises(LookupError):
        any_store.unit(HERE).write(body)
    settle(any_store)
    assert any_store.generation("identity") == 0


def test_racing_bumps_are_all_counted(any_store: Store) -> None:
    threads = [
        threading.Thread(target=any_store.unit(HERE).write, args=(lambda session: bump(session, "identity"),))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle(any_store)
    assert any_store.generation("identity") == 8


def test_sqlite_is_asked_once_in_a_millisecond(store: Store) -> None:
    at = 100.0
    generations = SqliteGenerations(store._reader, lambda: at)
    assert generations.get("identity") == 0
    store.unit(HERE).write(lambda session: bump(session, "identity"))
    store.unit(HERE).write(lambda session: bump(session, "clock"))
    assert generations.get("identity") == 0
    at += generations.staleness
    assert generations.get("identity") == 1
    assert generations.get("clock") == 1
    generations.close()


def test_the_clock_is_looked_at_each_time(store: Store) -> None:
    assert store.generation("clock") == 0
    store.unit(HERE).write(lambda session: bump(session, "clock"))
    assert store.generation("clock") == 1


class HostClocks:
    elapsed = 100.0
    wall = datetime(2026, 3, 1, tzinfo=UTC)

    def pass_by(self, seconds: float) -> None:
        self.elapsed += seconds
        self.wall += timedelta(seconds=seconds)


Hosts = tuple[Store, PostgresGenerations, HostClocks]


@pytest.fixture
def hosts(postgres_url: str, open_store: Callable[..., Store]) -> Hosts:
    """A host that changes things, and what another host, whose clocks a test sets, has seen of them."""
    clocks = HostClocks()
    store = open_store(postgres_url)
    other = open_store(postgres_url, create=False)
    return store, PostgresGenerations(other._reader, lambda: clocks.wall, lambda: clocks.elapsed), clocks


def raise_it(store: Store) -> None:
    store.unit(HERE).write(lambda session: bump(session, "identity"))


@pytest.mark.postgres
def test_postgres_is_asked_once_in_a_tenth_of_a_second(hosts: Hosts) -> None:
    store, generations, clocks = hosts
    assert generations.get("identity") == 0
    raise_it(store)
    clocks.pass_by(0.099)
    assert generations.get("identity") == 0
    clocks.pass_by(0.001)
    assert generations.get("identity") == 1


@pytest.mark.postgres
def test_what_a_slow_answer_says_is_counted_from_when_it_was_asked(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll whose snapshot is older than a commit, and whose answer comes after the commit was acknowledged."""
    store, generations, clocks = hosts
    read = generations_module._all

    def slow(connection: Connection) -> dict[str, int]:
        values = read(connection)
        raise_it(store)
        clocks.pass_by(generations.staleness)
        return values

    monkeypatch.setattr(generations_module, "_all", slow)
    assert generations.get("identity") == 0  # it had begun before
    monkeypatch.setattr(generations_module, "_all", read)
    assert generations.get("identity") == 1


@pytest.mark.postgres
@pytest.mark.parametrize("step", [timedelta(hours=1), -timedelta(hours=1), timedelta(seconds=0.1)])
def test_a_step_of_the_wall_clock_ends_the_lease(hosts: Hosts, step: timedelta) -> None:
    """So a pause of the machine that its other clock did not count ends it too."""
    store, generations, clocks = hosts
    assert generations.get("identity") == 0
    raise_it(store)
    clocks.wall += step
    assert generations.get("identity") == 1


@pytest.mark.postgres
def test_a_wall_clock_that_is_set_back_again_and_again_does_not_prolong_the_lease(hosts: Hosts) -> None:
    store, generations, clocks = hosts
    assert generations.get("identity") == 0
    raise_it(store)
    clocks.elapsed += 0.1
    assert generations.get("identity") == 1


@pytest.mark.postgres
def test_a_host_that_cannot_ask_uses_nothing_beyond_its_lease(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, generations, clocks = hosts
    assert generations.get("identity") == 0

    def lost(_connection: Connection) -> dict[str, int]:
        raise OperationalError("SELECT", {}, psycopg.OperationalError("the connection is lost"))

    monkeypatch.setattr(generations_module, "_all", lost)
    assert generations.get("identity") == 0
    clocks.pass_by(0.1)
    with pytest.raises(StoreUnavailable):
        generations.get("identity")


# The deployment

OURS = Deployment("d-1", b"sealed", b"check")


def test_a_database_belongs_to_one_deployment(any_store: Store) -> None:
    assert any_store.deployment() is None
    any_store.create_deployment(OURS)
    with pytest.raises(Duplicate) as caught:
        any_store.create_deployment(Deployment("d-2", b"", b""))
    assert caught.value.constraint == "pk_deployment"
    assert any_store.deployment() == OURS


def test_the_real_clock_cannot_be_moved(any_store: Store) -> None:
    any_store.create_deployment(OURS)
    with pytest.raises(ClockRefused, match="real clock"):
        any_store.set_clock_offset(1)


def test_a_test_clock_moves_forward_only_and_others_see_it(any_store: Store) -> None:
    any_store.create_deployment(Deployment("d-1", b"sealed", b"check", test_clock=True))
    assert any_store.set_clock_offset(60_000_000).clock_offset_us == 60_000_000
    with pytest.raises(ClockRefused, match="forward"):
        any_store.set_clock_offset(59_999_999)
    settle(any_store)
    assert any_store.generation("clock") == 60_000_000
    assert any_store.deployment() == Deployment(
        "d-1", b"sealed", b"check", test_clock=True, clock_offset_us=60_000_000
    )


def test_the_same_domain_keys_may_be_sealed_anew(any_store: Store) -> None:
    any_store.create_deployment(OURS)
    assert any_store.replace_seal(b"other", b"check2") == Deployment("d-1", b"other", b"check2")
    assert any_store.deployment() == Deployment("d-1", b"other", b"check2")
