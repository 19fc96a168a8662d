"""The world on SQLite, and on both databases; with the session's real core."""

import pytest

from foundation.store import Store
from kms.hsm import CoreClient
from tests.acm.world import World


@pytest.fixture
def world(store: Store, core: CoreClient) -> World:
    return World(store, core)


@pytest.fixture
def any_world(any_store: Store, core: CoreClient) -> World:
    return World(any_store, core)
