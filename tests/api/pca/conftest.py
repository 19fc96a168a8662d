"""Private CA through stock boto3, over both of its protocols."""

from typing import Any

import pytest

from tests.support.world import Caller, World


@pytest.fixture
def caller(shared_world: World) -> Caller:
    """An account of its own."""
    return shared_world.account()


@pytest.fixture
def pca(caller: Caller) -> Any:
    """Over JSON 1.1."""
    return caller.client("acm-pca")


@pytest.fixture(params=[None, "smithy-rpc-v2-cbor"], ids=["json", "cbor"])
def both(caller: Caller, request: pytest.FixtureRequest) -> Any:
    """Over JSON 1.1, then over RPC v2 CBOR."""
    return caller.client("acm-pca", protocol=request.param)
