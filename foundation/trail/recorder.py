"""Records each authenticated call: a draft before it is tried, the whole event once its outcome is known.

A mutation's draft is committed as an outbox row in its own write (`store.unit(scope, draft.payload,
draft.event_id)`). If the process dies between that commit and the record, `drain` appends the draft instead:
what was committed is never unrecorded, and the chain drops the second of two records with one event id.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from foundation.identity import Call, Decision, Resource
from foundation.store import Store
from foundation.trail import event as events
from foundation.trail.refusals import Refusals
from foundation.wire import READING_VERBS, uuid_text

__all__ = ["Draft", "Ledger", "Recorder", "Recording", "Redact"]

BATCH = 200


class Ledger(Protocol):
    """The key core, as far as the trail needs it: it alone writes the chain."""

    def append(self, events: Sequence[bytes], /) -> None:
        """Make the events durable in the chain before returning; an event id already there is dropped.

        Raises when that is not certain; repeating the same events is then safe.
        """
        ...


class Redact(Protocol):
    """`Wire.redacted`: members that the model marks sensitive are hidden, blobs become their length."""

    def __call__(
        self, service: str, operation: str, params: dict[str, Any], *, output: bool = False
    ) -> dict[str, Any]: ...


class Draft(msgspec.Struct, frozen=True):
    """An event before its outcome. It goes into the outbox as `payload`, under `event_id`."""

    event_id: str
    service: str
    operation: str
    event: events.Event

    @property
    def payload(self) -> bytes:
        """The draft as one line of JSON."""
        return events.encode(self.event)

    def about(self, resource: Resource) -> None:
        """Add a resource that the call turned out to be about: from now on the draft names it."""
        events.add_resource(self.event, resource.arn, resource.account)

    def decided(self, decision: Decision) -> None:
        """Add why the call was allowed or denied (`keystead why` shows it)."""
        events.add_decision(self.event, decision.explanation)


class Recorder:
    """Thread-safe. `wall` and `now` are the two clocks, `entropy` makes event ids."""

    def __init__(
        self,
        core: Ledger,
        redacted: Redact,
        wall: Callable[[], datetime],
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._core = core
        self._redacted = redacted
        self._wall = wall
        self._now = now
        self._entropy = entropy
        self.refusals = Refusals(self._append, wall, now, self.event_id)

    def draft(
        self,
        call: Call,
        operation: str,
        params: dict[str, Any] | None,
        *,
        mutates: bool | None = None,
        resources: Iterable[Resource] = (),
    ) -> Draft:
        """Draft the event of an operation of `call.service`'s model; its parameters are redacted by the model.

        `params` is None when they could not be read. `mutates` defaults from the verb.
        """
        safe = None if params is None else self._redacted(call.service, operation, params)
        return self.draft_plain(call, operation, safe, mutates=mutates, resources=resources)

    def draft_plain(
        self,
        call: Call,
        operation: str,
        safe: Mapping[str, Any] | None,
        *,
        mutates: bool | None = None,
        resources: Iterable[Resource] = (),
    ) -> Draft:
        """Draft an event that no AWS model knows (/v1, operators' commands): `safe` is recorded as it is."""
        reads = operation.startswith(READING_VERBS) if mutates is None else not mutates
        event_id = self.event_id()
        event = events.call_event(
            call, operation, safe, event_id=event_id, now=self._now(), read_only=reads, resources=resources
        )
        return Draft(event_id, call.service, operation, event)

    def succeeded(self, draft: Draft, result: dict[str, Any] | None = None) -> bytes:
        """Complete a draft with the operation's result, redacted by the model."""
        safe = None
        if result is not None and not draft.event.read_only:
            safe = self._redacted(draft.service, draft.operation, result, output=True)
        return events.encode(events.succeeded(draft.event, safe))

    def succeeded_plain(self, draft: Draft, safe: Mapping[str, Any] | None = None) -> bytes:
        """Complete a draft of `draft_plain`: `safe` is recorded as it is."""
        return events.encode(events.succeeded(draft.event, safe))

    def failed(self, draft: Draft, code: str, message: str) -> bytes:
        """Complete a draft with the error that the caller is about to get."""
        return events.encode(events.failed(draft.event, code, message))

    def record(self, event: bytes) -> None:
        """Append one complete event; it is durable on return. No answer may leave before that."""
        self.refusals.flush_due()
        self._append([event])

    def drain(self, store: Store, *, settled: timedelta = timedelta(0)) -> int:
        """Append the outbox's drafts that are older than `settled`, and forget them; give their number.

        At start `settled` is nothing: no call is in flight. Later it leaves alone what a living worker is
        about to complete. Safe to repeat and to run twice at once.
        """
        before = events.moment(self._wall() - settled)
        drained = 0
        while old := [pair for pair in store.pending() if _wall_of(pair[1]) <= before]:
            for start in range(0, len(old), BATCH):
                batch = old[start : start + BATCH]
                self._append([payload for _, payload in batch])
                store.forget([event_id for event_id, _ in batch])
            drained += len(old)
        return drained

    def event_id(self) -> str:
        """Draw an event id: a version 4 UUID."""
        return uuid_text(self._entropy(16))

    def _append(self, batch: Sequence[bytes]) -> None:
        self._core.append(batch)


@dataclass(slots=True)
class Recording:
    """One call's record, which the work itself may carry to the core: then the two are appended in one step.

    `taken`: the work has it. If the work succeeds, the record is durable; if it fails, what is appended for the failure
    has the same event id, so that the core keeps the one that came first.
    """

    recorder: Recorder
    draft: Draft
    taken: bool = field(default=False, init=False)

    def take(self) -> bytes:
        """The event of a call that succeeds and changes nothing; for the key core's `Asker.event`."""
        self.recorder.refusals.flush_due()
        self.taken = True
        return self.recorder.succeeded(self.draft)


class _Times(msgspec.Struct):
    wall: str


class _Timed(msgspec.Struct):
    keystead: _Times


_timed = msgspec.json.Decoder(_Timed)


def _wall_of(payload: bytes) -> str:
    return _timed.decode(payload).keystead.wall
