"""The path of every call: what a failure below is called, and that each call is recorded once, whatever became of it."""

import io
import json
import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from msgspec import structs
from sqlmodel import Session

from foundation.identity import Call, Resource
from foundation.store import BadValue, Conflict, StoreError, StoreUnavailable, Unit, schedule
from foundation.wire import AwsError, Request, Response, ValidationFailure
from kms.hsm import CoreBusy, CoreError, CoreUnavailable, KeyRefused
from server.logs import make_log
from server.pipeline import Intent, Pipeline
from tests.support.identity import signed
from tests.support.world import REGION, Caller, World, shared_world

__all__ = ["shared_world"]

MARKER = "what-the-caller-sent"
FORM = "application/x-www-form-urlencoded"


class Ended(BaseException):
    """The process would have ended here."""


class Bench:
    """A pipeline whose STS does what a test says."""

    def __init__(self, world: World, body: Callable[..., Any]) -> None:
        self.world = world
        self.caller: Caller = world.account()
        self.log = io.StringIO()
        whole = world.worker
        self.pipeline = Pipeline(
            wire=whole.wire,
            authenticator=whole.pipeline._authenticator,
            operations=whole.pipeline._operations,
            factories={"sts": body},
            store=whole.store,
            recorder=whole.recorder,
            entropy=whole.pipeline._entropy,
            log=make_log("debug", "test", whole.clock.wall, self.log),
            metrics=whole.metrics,
        )

    def ask(self) -> Response:
        """GetCallerIdentity, signed."""
        form = b"Action=GetCallerIdentity&Version=2011-06-15"
        request = signed(
            self.caller.made, headers={"Content-Type": FORM}, body=form, service="sts", region=REGION
        )
        return self.pipeline.answer(request)

    def recorded(self) -> list[dict[str, Any]]:
        return [
            event for event in self.world.events(self.caller) if event["eventName"] == "GetCallerIdentity"
        ]


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def body(*_: object) -> NoReturn:
        raise error

    return body


FAULTS: dict[str, tuple[Exception, str, int, str | None, bool]] = {
    # what is raised below: (it, code, status, Retry-After, whether the log tells)
    "an AWS error": (ValidationFailure("so"), "ValidationError", 400, None, False),
    "a busy core": (CoreBusy("full"), "Throttling", 400, "1", False),
    "a core that is away": (CoreUnavailable(MARKER), "ServiceUnavailable", 503, "1", False),
    "a value that no database holds": (BadValue("too large"), "ValidationError", 400, None, False),
    "a database that is away": (StoreUnavailable("disk full"), "ServiceUnavailable", 503, "1", True),
    "a conflict": (Conflict("rows moved"), "ServiceUnavailable", 503, "1", True),
    "a refusal of the store": (StoreError("tenancy"), "InternalFailure", 500, None, True),
    "a refusal of the core": (KeyRefused("label"), "InternalFailure", 500, None, True),
    "another core error": (CoreError("odd"), "InternalFailure", 500, None, True),
    "a fault of ours": (ZeroDivisionError(MARKER), "InternalFailure", 500, None, True),
    "a text that cannot be encoded": (UnicodeEncodeError("utf-8", MARKER, 0, 1, MARKER), "InternalFailure", 500, None, True),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_failure_below_has_its_own_name_and_is_recorded(shared_world: World, name: str) -> None:
    error, code, status, retry_after, logged = FAULTS[name]
    bench = Bench(shared_world, raising(error))
    answer = bench.ask()
    assert answer.status == status
    assert f"<Code>{code}</Code>".encode() in answer.body
    assert dict(answer.headers).get("Retry-After") == retry_after
    assert MARKER.encode() not in answer.body
    assert bool(bench.log.getvalue()) is logged
    assert MARKER not in bench.log.getvalue()
    [event] = bench.recorded()
    assert event["errorCode"]


def test_a_fault_of_ours_is_logged_with_its_place_and_the_request_that_met_it(shared_world: World) -> None:
    bench = Bench(shared_world, raising(ZeroDivisionError(MARKER)))
    answer = bench.ask()
    told = json.loads(bench.log.getvalue())
    assert told["error"] == "ZeroDivisionError"
    assert any("test_pipeline.py" in place for place in told["places"])
    assert told["request_id"].encode() in answer.body


def test_failed_storage_ends_the_process(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(shared_world, raising(StoreUnavailable("fsync failed", fatal=True)))

    def end(status: int) -> NoReturn:
        raise Ended(status)

    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(Ended, match="70"):
        bench.ask()
    assert json.loads(bench.log.getvalue())["level"] == "critical"


def test_a_result_that_does_not_fit_the_model_is_our_fault_not_the_callers(shared_world: World) -> None:
    bench = Bench(
        shared_world, lambda call, *_: structs.replace(call, principal=replace(call.principal, arn=7))
    )
    assert bench.ask().status == 500


@pytest.fixture
def call(shared_world: World) -> Call:
    return call_of(shared_world, shared_world.account())


def call_of(world: World, caller: Caller) -> Call:
    """The call of the account's user, as the bearer door makes it."""
    headers = (("authorization", f"Bearer {caller.token()}"),)
    request = Request("GET", "/v1/certificates", "", headers, b"", True, "192.0.2.7")
    holder = world.worker.bearer.authenticate(request, request_id=world.worker.pipeline.request_id())
    return structs.replace(holder, region=REGION)


def test_what_has_no_aws_operation_goes_the_same_way(shared_world: World, call: Call) -> None:
    done = shared_world.worker.pipeline.act(
        call, Intent("acm", "Probe", {"a": "b"}, mutates=False), lambda _: 42
    )
    assert done == 42


def test_what_is_asked_of_anothers_resource_is_denied_before_it_is_done(
    shared_world: World, call: Call
) -> None:
    foreign = Resource(arn="arn:aws:acm:eu-central-1:999999999999:certificate/x", account="999999999999")
    done: list[Unit] = []
    with pytest.raises(AwsError) as denied:
        shared_world.worker.pipeline.act(call, Intent("acm", "Probe", resource=foreign), done.append)
    assert denied.value.code == "AccessDeniedException"
    assert done == []


@pytest.mark.parametrize("error", [ZeroDivisionError(MARKER), CoreUnavailable(MARKER), StoreError(MARKER)])
def test_nothing_but_an_aws_error_comes_out(shared_world: World, call: Call, error: Exception) -> None:
    with pytest.raises(AwsError) as out:
        shared_world.worker.pipeline.act(call, Intent("acm", "Probe"), raising(error))
    assert MARKER not in out.value.message
    with pytest.raises(AwsError):
        shared_world.worker.pipeline.guarded("request-1", raising(error))


def test_parameters_that_cannot_be_recorded_stop_the_call(shared_world: World, call: Call) -> None:
    done: list[Unit] = []
    with pytest.raises(AwsError):
        shared_world.worker.pipeline.act(call, Intent("acm", "Probe", {"a": "\ud800"}), done.append)
    assert done == []


def test_a_change_is_in_the_outbox_with_the_change_and_leaves_it_when_it_is_recorded(
    shared_world: World, call: Call
) -> None:
    waiting: list[str] = []

    def change(unit: Unit) -> None:
        def write(session: Session) -> None:
            schedule(session, "probe", call.request_id, shared_world.worker.clock.now())

        unit.write(write)
        waiting.extend(event_id for event_id, _ in shared_world.worker.store.pending())

    shared_world.worker.pipeline.act(call, Intent("iam", "Probe"), change)
    assert len(waiting) == 1
    assert waiting[0] not in {event_id for event_id, _ in shared_world.worker.store.pending()}


def test_a_read_leaves_nothing_in_the_outbox(shared_world: World, call: Call) -> None:
    shared_world.worker.pipeline.act(
        call,
        Intent("acm", "Probe", mutates=False),
        lambda _: shared_world.worker.store.pending() == [],
    )
    assert shared_world.worker.store.pending() == []


def test_request_ids_are_random_uuids(shared_world: World) -> None:
    drawn = {shared_world.worker.pipeline.request_id() for _ in range(50)}
    assert len(drawn) == 50
    assert {uuid.UUID(number).version for number in drawn} == {4}
