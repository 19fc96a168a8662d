"""Who the tests of grants are about: two accounts, users without policies, and a key. Modules may name others so."""

from typing import Any

import pytest

from tests.api.kms.grants import Person, user
from tests.api.kms.support import create
from tests.support.world import Caller, World


@pytest.fixture(scope="module")
def owner(shared_world: World) -> Caller:
    """The administrator of the account that has the keys."""
    return shared_world.account()


@pytest.fixture(scope="module")
def stranger(shared_world: World) -> Caller:
    """The administrator of another account."""
    return shared_world.account()


@pytest.fixture(scope="module")
def kms(owner: Caller) -> Any:
    return owner.client("kms")


@pytest.fixture(scope="module")
def ann(owner: Caller) -> Person:
    return user(owner, "ann")


@pytest.fixture(scope="module")
def bob(owner: Caller) -> Person:
    return user(owner, "bob")


@pytest.fixture(scope="module")
def carl(stranger: Caller) -> Person:
    return user(stranger, "carl")


@pytest.fixture
def key(kms: Any) -> dict[str, Any]:
    return create(kms)
