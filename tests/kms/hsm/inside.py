"""A core's service inside the test process, for what needs no process of its own: tables, refusals, leaks."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

from kms.hsm import frames
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import Asker, KeyLabel, Peer, Role
from kms.hsm.service import KeyService, Outcome

ASKER = Asker("request-1", "arn:aws:iam::111122223333:user/admin")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def service(
    entropy: Callable[[int], bytes] = os.urandom, versions: tuple[int, ...] = (1,), seed: bytes = b"d"
) -> KeyService:
    """A service over domain keys that are the same each time for the same seed."""
    keys = {version: (seed * 32)[:31] + bytes((version,)) for version in versions}
    return KeyService(DomainKeys(keys, entropy), entropy, lambda: MOMENT)


def label(purpose: str, spec: str, **changes: object) -> KeyLabel:
    fields = {
        "purpose": purpose, "account": "111122223333", "region": "eu-central-1", "key_id": "key-1",
        "version": 1, "spec": spec,
    }  # fmt: skip
    return KeyLabel(**(fields | changes))  # type: ignore[arg-type]  # the tests give each field its own type


def ask(body: frames.AnyBody) -> frames.Ask:
    return frames.Ask(1, time.monotonic_ns() + 10**10, ASKER, body)


def perform(keys: KeyService, body: frames.AnyBody, role: Role = "scheduler") -> Outcome:
    return keys.perform(ask(body), Peer(role, 4242))


def result(keys: KeyService, body: frames.AnyBody, role: Role = "scheduler") -> frames.Result:
    answer = perform(keys, body, role).answer
    assert isinstance(answer, frames.Result), answer
    return answer


def refusal(keys: KeyService, body: frames.AnyBody, role: Role = "scheduler") -> frames.Refusal:
    answer = perform(keys, body, role).answer
    assert isinstance(answer, frames.Refusal), "it was not refused"
    return answer
