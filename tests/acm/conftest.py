"""The world on SQLite, and on both databases; with the session's real core."""

import pytest

from acm import AcmSettings
from foundation.store import Store
from kms.hsm import CoreClient
from tests.acm.world import World


@pytest.fixture
def world(store: Store, core: CoreClient) -> World:
    return World(store, core)


@pytest.fixture
def any_world(any_store: Store, core: CoreClient) -> World:
    return World(any_store, core)


@pytest.fixture
def brief_world(any_store: Store, core: CoreClient) -> World:
    """Certificates of 12 days, renewed from 4 days before their end: few days to live through."""
    return World(any_store, core, AcmSettings(validity_days=12, renew_before_days=4))
