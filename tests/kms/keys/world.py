"""KMS without the wire: a store, a real core, and the rooms that a process has, for any number of processes."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from foundation.identity import Call, Principal
from foundation.store import Leaps, Scope, Store
from foundation.trail import KeyUse, Recorder
from foundation.wire import BadToken
from kms.hsm import CoreClient, SealOverCore
from kms.keys import Context, Journal, KeyCache, KeyRows, KeyService, KmsSettings, Rooms, Work

ACCOUNT = "111122223333"
REGION = "eu-central-1"
HERE = Scope(ACCOUNT, REGION)


class Everyone:
    """Principals that exist because they are asked for."""

    def id_of(self, arn: str, /) -> str | None:
        return arn

    def arn_of(self, unique_id: str, /) -> str | None:
        return unique_id


class Unused:
    """An index in which no key was ever used."""

    def last_use(self, account: str, region: str, key_id: str, /) -> KeyUse | None:
        return None

    def tracked_since(self) -> datetime | None:
        return None


@dataclass
class Process:
    """One worker: its cache is its own, the database and the core are everybody's."""

    store: Store
    core: CoreClient
    settings: KmsSettings = field(default_factory=KmsSettings)
    moment: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    alarms: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    counted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        recorder = Recorder(self.core, _as_it_is, lambda: datetime.now(UTC), self.now, os.urandom)
        self.journal = Journal(
            self.store, recorder, lambda: datetime.now(UTC), self._log, self.counted.append
        )
        self.rows = KeyRows(self.core, self.journal.tampered)
        self.rooms = Rooms(
            core=self.core,
            cache=KeyCache(self.store, self.rows),
            rows=self.rows,
            journal=self.journal,
            principals=Everyone(),
            uses=Unused(),
            seal=SealOverCore(self.core, BadToken),
            now=self.now,
            entropy=os.urandom,
            settle=lambda: time.sleep(self.store.staleness),
            settings=self.settings,
        )

    @property
    def work(self) -> Work:
        return Work(self.store, self.core, self.rows, self.journal, self.now, os.urandom, Leaps)

    def now(self) -> datetime:
        return self.moment

    def service(self, scope: Scope = HERE) -> KeyService:
        """KMS for the account's root."""
        arn = f"arn:aws:iam::{scope.account}:root"
        root = Principal(scope.account, arn, scope.account, "root", "root")
        call = Call(root, scope.account, scope.region, "kms", "request", datetime.now(UTC))
        return KeyService(Context(self.rooms, self.store.unit(scope), call))

    def run(self, kind: str, job: Callable[[Any], None]) -> int:
        """Do what is due of one kind; how much there was."""
        claims = self.store.claim_due(kind, self.moment, timedelta(minutes=1), 100)
        for claim in claims:
            job(claim)
        return len(claims)

    def other(self) -> "Process":
        """Another worker on the same database and core."""
        return replace(self)

    def _log(self, event: str, **details: Any) -> None:
        self.alarms.append((event, details))


def _as_it_is(
    service: str, operation: str, params: dict[str, Any], *, output: bool = False
) -> dict[str, Any]:
    return params
