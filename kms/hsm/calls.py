"""One call to the core: a blocking connection per thread, a deadline on every request, one repeat of what was lost."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from kms.hsm import errors, frames
from kms.hsm.connection import Connection, Disconnected
from kms.hsm.labels import NOBODY, Asker, Role

DEADLINE = 5.0  # seconds; a core restart takes less, so one retry usually lives through it
SLOW_DEADLINE = 60.0  # RSA key generation, queued behind others'


def nothing() -> None:
    """Used where the caller has no transaction that could be open."""


class Caller:
    """Exchanges frames with the core. Thread-safe: each thread has a connection of its own, made at its first call."""

    def __init__(
        self,
        socket_path: Path,
        role: Role,
        before_call: Callable[[], None] = nothing,
        *,
        deadline: float = DEADLINE,
        slow_deadline: float = SLOW_DEADLINE,
    ) -> None:
        self._socket_path = socket_path
        self._role: Role = role
        self._before_call = before_call
        self._deadline = deadline
        self._slow_deadline = slow_deadline
        self._local = threading.local()
        self._numbers = itertools.count(1)  # next() is atomic under the GIL

    def ping(self, *, deadline: float = 2.0) -> frames.CoreStatus:
        answer = self._ask(frames.Ping(), NOBODY, deadline)
        if not isinstance(answer, frames.CoreStatus):
            raise errors.CoreUnavailable("the core answered a ping with something else")
        return answer

    def close(self) -> None:
        """Close the calling thread's connection; other threads' end with their threads."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _call(self, body: frames.AnyBody, asker: Asker, deadline: float | None = None) -> frames.Result:
        answer = self._ask(body, asker, self._deadline if deadline is None else deadline)
        if not isinstance(answer, frames.Result):
            raise errors.CoreUnavailable("the core answered with another frame than was asked for")
        return answer

    def _ask(self, body: frames.AnyBody, asker: Asker, deadline: float) -> frames.Result | frames.CoreStatus:
        self._before_call()
        until = time.monotonic() + deadline
        try:
            answer = self._exchange(body, asker, until)
        except (Disconnected, errors.CoreUnavailable):
            self.close()
            if time.monotonic() >= until:
                raise errors.CoreUnavailable("the key core did not answer in time") from None
            try:
                answer = self._exchange(body, asker, until)
            except Disconnected as lost:
                self.close()
                raise errors.CoreUnavailable(f"the key core was lost: {lost}") from lost
        return answer

    def _exchange(
        self, body: frames.AnyBody, asker: Asker, until: float
    ) -> frames.Result | frames.CoreStatus:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None or connection.pid != os.getpid():  # a fork must not share its parent's stream
            connection = Connection(self._socket_path, self._role, until)
            self._local.connection = connection
        ask = frames.Ask(next(self._numbers), int(until * 1e9), asker, body)
        try:
            answer = connection.exchange(ask, until)
        except BaseException:
            self.close()  # an answer may still come on it, too late
            raise
        if isinstance(answer.body, frames.Refusal):
            raise_refusal(answer.body)
        return answer.body


_REFUSALS: Mapping[str, type[errors.CoreError]] = {
    kind.__name__: kind
    for kind in (
        errors.CoreUnavailable, errors.CoreBusy, errors.KeyRefused, errors.BadSeal, errors.InvalidSignature,
        errors.InvalidMac, errors.BadPublicKey, errors.BadImportToken, errors.BadMaterial,
        errors.CheckpointUnproven,
    )
}  # fmt: skip


def raise_refusal(refusal: frames.Refusal) -> NoReturn:
    """The exception that a refusal stands for; an unknown one is retryable, as of a core that is newer."""
    raise _REFUSALS.get(refusal.code, errors.CoreUnavailable)(refusal.message)
