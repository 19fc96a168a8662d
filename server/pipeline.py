"""The path of a call, as one list: addressed, known, asked, looked up, allowed, done, recorded, answered."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from foundation.identity import Authenticator, Call, Denied, Resource, account_resource, authorize
from foundation.store import BadValue, Conflict, Scope, Store, StoreError, StoreUnavailable, Unit
from foundation.trail import Draft, Recorder, Recording
from foundation.wire import (
    Addressed,
    AwsError,
    InternalFailure,
    NotImplementedByKeystead,
    Operation,
    Params,
    Request,
    Response,
    ServiceUnavailable,
    Throttling,
    ValidationFailure,
    Wire,
    uuid_text,
)
from kms.hsm import CoreBusy, CoreError, CoreUnavailable
from server.logs import Log
from server.metrics import Metrics

T = TypeVar("T")
Factory = Callable[[Call, Unit, Recording], Any]
"""Makes a slice's service for one call. The slice may have the key core append the recording with its own work."""

ASKED_OF_NOBODY = frozenset({("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")})
"""Operations that any valid signature may use (their model says so)."""


@dataclass(frozen=True, slots=True)
class Intent:
    """What a call without an AWS operation (`/v1`, the admin socket) wants: judged and recorded as one that has."""

    service: str
    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mutates: bool = True
    resource: Resource | None = None


class Pipeline:
    """Thread-safe; holds no state of a call."""

    def __init__(
        self,
        *,
        wire: Wire,
        authenticator: Authenticator,
        operations: Mapping[str, Mapping[str, Operation]],
        factories: Mapping[str, Factory],
        store: Store,
        recorder: Recorder,
        entropy: Callable[[int], bytes],
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._wire = wire
        self._authenticator = authenticator
        self._operations = operations
        self._factories = factories
        self._store = store
        self._recorder = recorder
        self._entropy = entropy
        self._log = log
        self._metrics = metrics

    def answer(self, request: Request) -> Response:
        """One AWS call, from its bytes to the bytes of its answer. Never raises."""
        request_id = self.request_id()
        addressed: Addressed | None = None
        try:
            addressed = self._wire.address(request)
            with self._metrics.timed(addressed.service, addressed.operation):
                call = self._known(request, addressed, request_id)
                result = self._perform(call, addressed, request)
                return self._wire.encode(addressed, result, request_id)
        except AwsError as error:
            return self._refused(addressed, error, request_id)
        except Exception as error:
            return self._refused(addressed, self._fault(error, request_id), request_id)

    def refuse(self, error: AwsError) -> Response:
        """The answer to a request that could not even be read."""
        return self._refused(None, error, self.request_id())

    def act(self, call: Call, intent: Intent, run: Callable[[Unit], T]) -> T:
        """The same path for a call without an AWS operation: allowed, done, recorded. Raises AwsError only."""
        draft = self.guarded(
            call.request_id,
            lambda: self._recorder.draft_plain(call, intent.name, intent.parameters, mutates=intent.mutates),
        )

        def body(unit: Unit) -> T:
            if call.principal.kind != "operator":
                authorize(call, f"{intent.service}:{intent.name}", intent.resource or account_resource(call))
            return run(unit)

        result = self._done(call, draft, body)
        self._recorded(draft, self._recorder.succeeded_plain(draft))
        return result

    def guarded(self, request_id: str, body: Callable[[], T]) -> T:
        """Runs what comes before a call is known; failures below come out as AwsError only."""
        try:
            return body()
        except AwsError:
            raise
        except Exception as error:
            raise self._fault(error, request_id) from error

    def request_id(self) -> str:
        """A new request id, a version 4 UUID."""
        return uuid_text(self._entropy(16))

    def _known(self, request: Request, addressed: Addressed, request_id: str) -> Call:
        try:
            return self._authenticator.authenticate(request, addressed, request_id=request_id)
        except AwsError as error:
            # Strangers cannot fill the disk: they are counted, not recorded one by one.
            self._recorder.refusals.note(
                addressed.service, addressed.operation, error.code, request.source_ip
            )
            raise

    def _perform(self, call: Call, addressed: Addressed, request: Request) -> Params:
        operation = self._operations.get(addressed.service, {}).get(addressed.operation)
        params: Params | None = None
        try:
            if operation is None:
                raise NotImplementedByKeystead(
                    f"keystead does not implement {addressed.service}:{addressed.operation} yet."
                )
            params = self._wire.decode(addressed, request)
        except AwsError as error:
            self._not_done(self._recorder.draft(call, addressed.operation, params), error)
        draft = self._recorder.draft(call, addressed.operation, params, mutates=operation.mutates)
        recording = Recording(self._recorder, draft)
        result = self._done(call, draft, lambda unit: self._run(call, operation, params, unit, recording))
        if not recording.taken:
            self._recorded(draft, self._recorder.succeeded(draft, result))
        return result

    def _run(
        self, call: Call, operation: Operation, params: Params, unit: Unit, recording: Recording
    ) -> Params:
        service = self._factories[operation.service](call, unit, recording)
        if (operation.service, operation.name) not in ASKED_OF_NOBODY:
            resource = operation.on(service, params) if operation.on else account_resource(call)
            recording.draft.about(resource)
            recording.draft.decided(authorize(call, operation.action, resource))
        return operation.handler(service, params)

    def _done(self, call: Call, draft: Draft, body: Callable[[Unit], T]) -> T:
        """Runs the body on a unit that commits the draft with its first write; records a failure before it is raised."""
        unit = self._store.unit(
            Scope(call.account, call.region),
            None if draft.event.read_only else draft.payload,
            None if draft.event.read_only else draft.event_id,
        )
        try:
            return body(unit)
        except AwsError as error:
            self._not_done(draft, error)
        except Exception as error:
            self._not_done(draft, self._fault(error, call.request_id))

    def _not_done(self, draft: Draft, error: AwsError) -> NoReturn:
        if isinstance(error, Denied):
            draft.decided(error.decision)
        self._recorded(draft, self._recorder.failed(draft, error.code, error.message))
        raise error

    def _recorded(self, draft: Draft, event: bytes) -> None:
        try:
            self._recorder.record(event)
        except CoreError as error:
            # What cannot be recorded did not happen, as far as the caller may know; the outbox row tells the truth later.
            raise ServiceUnavailable(
                "The call could not be recorded; it may be repeated.", retry_after=1
            ) from error
        if not draft.event.read_only:
            self._store.forget([draft.event_id])

    def _refused(self, addressed: Addressed | None, error: AwsError, request_id: str) -> Response:
        self._metrics.refused(addressed.service if addressed else "", error.code)
        return self._wire.encode_error(addressed, error, request_id)

    def _fault(self, error: Exception, request_id: str) -> AwsError:
        """What the caller is told of a failure below: whose turn it is, and nothing of ours."""
        match error:
            case CoreBusy():
                return Throttling("The key core is busy; slow down.", retry_after=1)
            case CoreUnavailable():
                return ServiceUnavailable("The key core is restarting; repeat the call.", retry_after=1)
            case BadValue():
                return ValidationFailure(str(error))
            case StoreUnavailable(fatal=True):
                self._log.critical(
                    "storage failed; this process ends", error=str(error), request_id=request_id
                )
                os._exit(70)
            case StoreUnavailable() | Conflict():
                self._log.warning("storage", error=str(error), request_id=request_id)
                return ServiceUnavailable("The database is busy or away; repeat the call.", retry_after=1)
            case StoreError() | CoreError():
                self._log.error(
                    "refused below", error=f"{type(error).__name__}: {error}", request_id=request_id
                )
            case _:
                self._log.exception("a fault of ours", error, request_id=request_id)
        return InternalFailure("An internal error occurred.")
