"""A stock boto3 client in front of the whole path of a call: SigV4, the wire, the pipeline, ACM, CA and core."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

import acm
from foundation.identity import Accounts, Authenticator, NewAccount
from foundation.store import Store
from foundation.trail import Recorder
from foundation.wire import Wire
from kms.hsm import CoreClient
from server.logs import make_log
from server.metrics import Metrics
from server.pipeline import Pipeline
from tests.acm.world import REGION, World
from tests.support.botocore_client import client


def wall() -> datetime:
    return datetime.now(UTC)


@dataclass
class Api:
    """The world, and clients of its accounts."""

    world: World
    pipeline: Pipeline
    accounts: Accounts
    account: NewAccount

    def client(self, account: NewAccount | None = None, *, region: str = REGION, **options: Any) -> Any:
        caller = account or self.account
        return client(
            "acm",
            self.pipeline.answer,
            access_key=caller.access_key_id,
            secret_key=caller.secret_access_key,
            region=region,
            **options,
        )


@pytest.fixture(scope="session")
def wire() -> Wire:
    return Wire()


def make_api(store: Store, core: CoreClient, wire: Wire) -> Api:
    world = World(store, core)
    accounts = Accounts(store, core, os.urandom, wall)
    pipeline = Pipeline(
        wire=wire,
        authenticator=Authenticator(store, core, wall, frozenset({REGION, "us-east-1"})),
        operations={"acm": acm.operations.declared},
        factories={"acm": lambda call, unit, _: world.service(call, unit)},
        store=store,
        recorder=Recorder(core, wire.redacted, wall, lambda: world.moment, os.urandom),
        entropy=os.urandom,
        log=make_log("error", "test", wall),
        metrics=Metrics(),
    )
    return Api(world, pipeline, accounts, accounts.create("111122223333"))


@pytest.fixture
def api(store: Store, core: CoreClient, wire: Wire) -> Api:
    return make_api(store, core, wire)


@pytest.fixture
def any_api(any_store: Store, core: CoreClient, wire: Wire) -> Api:
    return make_api(any_store, core, wire)


@pytest.fixture
def refused() -> Callable[..., tuple[str, str]]:
    """Call, expect a refusal, and give its code and message."""

    def call(operation: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            operation(**parameters)
        answer: Any = caught.value.response
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
        return answer["Error"]["Code"], answer["Error"]["Message"]

    return call
