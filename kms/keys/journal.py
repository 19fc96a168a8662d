"""What KMS does by itself, and what it is alarmed by, in the trail: rotations, deletions, tampered rows."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from foundation.identity import Resource, service_call
from foundation.store import Scope, Store, Unit
from foundation.trail import Recorder
from kms.keys.rows import Tampered

SERVICE: Final = "kms"


class Journal:
    """Records under the service's own name. Thread-safe.

    `wall` is the trail's clock; `log` takes an alarm's text and details, `count` its name.
    """

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        wall: Callable[[], datetime],
        log: Callable[..., None],
        count: Callable[[str], None],
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._wall = wall
        self._log = log
        self._count = count

    def act(
        self,
        scope: Scope,
        name: str,
        details: Mapping[str, Any],
        resources: tuple[Resource, ...],
        write: Callable[[Unit], None],
    ) -> None:
        """Run `write` on a unit that commits the event with its first write, then record it."""
        draft = self._recorder.draft_plain(
            self._call(scope), name, details, mutates=True, resources=resources
        )
        write(self._store.unit(scope, draft.payload, draft.event_id))
        self._recorder.record(self._recorder.succeeded_plain(draft))
        self._store.forget([draft.event_id])

    def alarm(
        self, scope: Scope, name: str, details: Mapping[str, Any], resources: tuple[Resource, ...] = ()
    ) -> None:
        """An event that an operator should be woken by: counted, and into the log and the trail, durable on return."""
        self._count(name)
        self._log(f"ALARM {name}", account=scope.account, region=scope.region, **details)
        draft = self._recorder.draft_plain(
            self._call(scope), name, {"alarm": True, **details}, mutates=False, resources=resources
        )
        self._recorder.record(self._recorder.succeeded_plain(draft))

    def tampered(self, scope: Scope, tampered: Tampered) -> None:
        """The alarm of a row whose MAC does not hold."""
        self.alarm(scope, "RowTampered", {"reason": tampered.message})

    def _call(self, scope: Scope) -> Any:
        return service_call(
            SERVICE,
            account=scope.account,
            region=scope.region,
            request_id=self._recorder.event_id(),
            at=self._wall(),
        )
