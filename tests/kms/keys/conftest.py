"""KMS without the wire, on SQLite and on either database."""

import pytest

from foundation.store import Store
from kms.hsm import CoreClient
from kms.keys.creation import Order
from kms.keys.found import FoundKey
from kms.keys.policies import default_policy
from kms.keys.specs import ENCRYPT_DECRYPT, KEY_SPECS
from tests.kms.keys.world import ACCOUNT, Process


@pytest.fixture
def process(store: Store, core: CoreClient) -> Process:
    return Process(store, core)


@pytest.fixture
def any_process(any_store: Store, core: CoreClient) -> Process:
    return Process(any_store, core)


def new_key(process: Process, *, multi_region: bool = False) -> FoundKey:
    """A symmetric key with the default policy."""
    spec = KEY_SPECS["SYMMETRIC_DEFAULT"]
    order = Order(spec, ENCRYPT_DECRYPT, default_policy(ACCOUNT), multi_region=multi_region)
    return process.service().creation.create(order)
