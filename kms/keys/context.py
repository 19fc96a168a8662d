"""What one call to KMS works with: the rooms below, given by server/assembly.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from foundation.identity import Call, Resource, authorize
from foundation.store import Scope, Unit
from foundation.trail import KeyUse, Recording
from foundation.wire import TokenSeal
from kms.hsm import Asker, CoreClient
from kms.keys.cache import KeyCache, KeyRows
from kms.keys.journal import Journal
from kms.keys.policies import Principals
from kms.keys.settings import KmsSettings


class Uses(Protocol):
    """The trail's index of key use, at most two seconds behind."""

    def last_use(self, account: str, region: str, key_id: str, /) -> KeyUse | None: ...

    def tracked_since(self) -> datetime | None:
        """When the oldest record was made; None while there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Rooms:
    """What all calls of one process share. `settle` returns once every worker sees what was committed before."""

    core: CoreClient
    cache: KeyCache
    rows: KeyRows
    journal: Journal
    principals: Principals
    uses: Uses
    seal: TokenSeal
    now: Callable[[], datetime]
    entropy: Callable[[int], bytes]
    settle: Callable[[], None]
    settings: KmsSettings


@dataclass(slots=True)
class Context:
    """One call: `unit` is of the caller's account and Region, `recording` what the trail will say of it."""

    rooms: Rooms
    unit: Unit
    call: Call
    recording: Recording | None = None

    @property
    def here(self) -> Scope:
        return self.unit.scope

    @property
    def asker(self) -> Asker:
        """What the core writes into its `use` record."""
        call = self.call
        return Asker(call.request_id, call.principal.arn)

    def carrying(self) -> Asker:
        """The asker with the call's record, which becomes one with the core's: for a call's one use of its keys."""
        if self.recording is None:
            return self.asker
        call = self.call
        return Asker(call.request_id, call.principal.arn, self.recording.take())

    def also_about(self, resource: Resource) -> None:
        """Name a further resource in the call's record."""
        if self.recording is not None:
            self.recording.draft.about(resource)

    def also_allowed(self, action: str, resource: Resource) -> None:
        """Ask a further permission of the call, and say so in its record. Raises AccessDenied."""
        self.also_about(resource)
        decision = authorize(self.call, action, resource)
        if self.recording is not None:
            self.recording.draft.decided(decision)

    def elsewhere(self, region: str, *, because: str) -> Unit:
        """The same account's rows in another Region."""
        return self.unit.at(Scope(self.here.account, region), because=because)
