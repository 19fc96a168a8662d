"""Which CRL numbers were ever published, kept in the trail: a database that was restored must not give one out again."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Protocol

from ca.arns import authority_arn
from foundation.identity import Resource, service_call
from foundation.store import Scope, Store, Unit
from foundation.trail import Recorder, TrailIndex, newest_events

EVENT: Final = "GenerateCRL"
_LOOKED_AT: Final = 64
"""Events of one authority's that may have been recorded in another order than their numbers were drawn."""


class CrlJournal(Protocol):
    """See `TrailJournal`."""

    def highest(self, scope: Scope, authority_id: str) -> int: ...

    def publish(
        self, scope: Scope, authority_id: str, details: dict[str, Any], write: Callable[[Unit], None]
    ) -> None: ...


class TrailJournal:
    """Writes each publication into the trail with its commit, as the service's own event, and reads the highest back.

    `wall` is the trail's clock. Safe to share between threads.
    """

    def __init__(
        self, store: Store, recorder: Recorder, index: TrailIndex, wall: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._index = index
        self._wall = wall

    def highest(self, scope: Scope, authority_id: str) -> int:
        """The highest CRL number that the trail knows of the authority; 0 if none. At most two seconds behind."""
        bodies = newest_events(
            self._index, scope.account, scope.region, EVENT, _crl_arn(scope, authority_id), _LOOKED_AT
        )
        details = (json.loads(body).get("requestParameters") or {} for body in bodies)
        return max((int(each.get("crlNumber", 0)) for each in details), default=0)

    def publish(
        self, scope: Scope, authority_id: str, details: dict[str, Any], write: Callable[[Unit], None]
    ) -> None:
        """Run `write` on a unit that commits the event with its first write, then record it."""
        call = service_call(
            "acm-pca",
            account=scope.account,
            region=scope.region,
            request_id=self._recorder.event_id(),
            at=self._wall(),
        )
        about = Resource(arn=_crl_arn(scope, authority_id), account=scope.account)
        draft = self._recorder.draft_plain(call, EVENT, details, mutates=True, resources=(about,))
        write(self._store.unit(scope, draft.payload, draft.event_id))
        self._recorder.record(self._recorder.succeeded_plain(draft))
        self._store.forget([draft.event_id])


def _crl_arn(scope: Scope, authority_id: str) -> str:
    return f"{authority_arn(scope, authority_id)}/crl"
