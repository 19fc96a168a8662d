"""Stores for tests: `store` on SQLite, `any_store` on SQLite and on PostgreSQL."""

import importlib.util
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foundation.store import Store
from foundation.store.schema import TABLE_MODULES
from tests.support.postgres import postgres_server, postgres_url

__all__ = ["any_store", "any_store_url", "open_store", "postgres_server", "postgres_url", "store", "wall"]


def wall() -> datetime:
    return datetime.now(UTC)


def import_tables() -> None:
    for name in TABLE_MODULES:
        if importlib.util.find_spec(name) is not None:
            importlib.import_module(name)


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Opens stores and closes them after the test; makes the tables unless told `create=False`."""
    import_tables()
    opened: list[Store] = []

    def make(url: str, *, clock: Callable[[], datetime] = wall, create: bool = True) -> Store:
        made = Store.open(url, wall=clock)
        opened.append(made)
        if create:
            made.create_all_for_tests()
        return made

    yield make
    for made in opened:
        made.close()


@pytest.fixture
def store(tmp_path: Path, open_store: Callable[..., Store]) -> Store:
    """An empty store on SQLite."""
    return open_store(f"sqlite:///{tmp_path}/keystead.db")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/keystead.db"
    address: str = request.getfixturevalue("postgres_url")
    return address


@pytest.fixture
def any_store(any_store_url: str, open_store: Callable[..., Store]) -> Store:
    """An empty store, on SQLite and on PostgreSQL."""
    return open_store(any_store_url)
