"""The world on SQLite, and on both databases."""

import pytest

from foundation.store import Store
from tests.acm.world import World


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def any_world(any_store: Store) -> World:
    return World(any_store)
