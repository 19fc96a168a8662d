"""A world for CA tests: a real store, a real key core, a clock that the test moves, chance that the test can see."""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import ca
from ca import CaService, CaSettings, Issued, IssueOrder, ObjectSink
from ca.crl_journal import CrlJournal
from ca.pointing import Pointing
from foundation.store import Claim, Leaps, Scope, Store, Unit
from kms.hsm import Asker, CoreClient
from tests.support.core import RunningCore

HERE = Scope("111122223333", "eu-central-1")
THERE = Scope("444455556666", "eu-central-1")
T = TypeVar("T")
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """Everything a CaService is made of. `request` marks this test's uses of keys in the session's core."""

    store: Store
    core: CoreClient
    trail: Path
    settings: CaSettings = field(default_factory=CaSettings)
    time: datetime = START
    request: str = field(default_factory=lambda: str(uuid.uuid4()))
    scripted: list[bytes] = field(default_factory=list)
    public_url: str = "http://127.0.0.1:8750"
    sink: ObjectSink | None = None
    journal: CrlJournal | None = None

    def now(self) -> datetime:
        return self.time

    def entropy(self, count: int) -> bytes:
        """Scripted bytes of the asked length come first; then the system's."""
        if self.scripted and len(self.scripted[0]) == count:
            return self.scripted.pop(0)
        return os.urandom(count)

    def unit(self, scope: Scope = HERE) -> Unit:
        return self.store.unit(scope)

    def service(self, scope: Scope = HERE, *, core: CoreClient | None = None) -> CaService:
        return CaService(
            self.unit(scope),
            Asker(self.request, "arn:aws:iam::111122223333:user/admin"),
            core or self.core,
            now=self.now,
            entropy=self.entropy,
            settings=replace(self.settings, public_url=self.public_url),
            sink=self.sink,
            journal=self.journal,
        )

    def pointing(self) -> Pointing:
        return Pointing(self.public_url, self.sink)

    def order(self, authority_arn: str, *names: str, **changes: Any) -> IssueOrder:
        values: dict[str, Any] = {
            "authority_arn": authority_arn,
            "public_key": new_key(),
            "names": names or ("host.example.com",),
            "valid_for": timedelta(days=198),
            "claim": str(uuid.uuid4()),
        }
        return IssueOrder(**(values | changes))

    def issue(self, authority_arn: str, *names: str, **changes: Any) -> Issued:
        return self.service().issue(self.order(authority_arn, *names, **changes))

    def signatures(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The core's own records of signatures that this test asked for, refused ones too."""
        return [
            use
            for use in uses(self.trail)
            if use["op"] == "Sign" and use.get("request") == self.request and kind in (None, use["kind"])
        ]

    def at_once(self, callers: int, call: Callable[[int], T]) -> list[T]:
        """Call from that many threads at the same time."""
        barrier = Barrier(callers)

        def caller(number: int) -> T:
            barrier.wait()
            try:
                return call(number)
            finally:
                self.core.close()  # this thread's connection

        with ThreadPoolExecutor(callers) as pool:
            return list(pool.map(caller, range(callers)))

    def run_due(self) -> list[Claim]:
        """Do all of the CA's work that is due now."""
        done = []
        for job in ca.jobs(self.service, Leaps):
            for claim in self.store.claim_due(job.kind, self.time, timedelta(seconds=30), 100):
                job.run(claim)
                done.append(claim)
        return done


def uses(trail: Path) -> Iterator[dict[str, Any]]:
    for segment in sorted(trail.glob("*.trail")):
        for line in segment.read_bytes().split(b"\n"):
            parts = line.split(b" ", 3)
            if len(parts) == 4 and parts[1] == b"use":
                yield json.loads(parts[3])


def new_key() -> bytes:
    """The SPKI of a fresh P-256 key."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def world(any_store: Store, running_core: RunningCore) -> Iterator[World]:
    """On SQLite and on PostgreSQL."""
    with closing(running_core.client()) as core:
        yield World(any_store, core, running_core.trail)


@pytest.fixture
def quick_world(store: Store, running_core: RunningCore) -> Iterator[World]:
    """On SQLite only, for what the database has no part in."""
    with closing(running_core.client()) as core:
        yield World(store, core, running_core.trail)
