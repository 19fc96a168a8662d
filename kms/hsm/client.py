"""The caller's side of the key core: one blocking connection per thread, a deadline on every request."""

import itertools
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from kms.hsm import errors, frames
from kms.hsm.connection import Connection, Disconnected
from kms.hsm.labels import NOBODY, Asker, KeyLabel, Kind, Role

DEADLINE = 5.0  # seconds; a core restart takes less, so one retry usually lives through it
SLOW_DEADLINE = 60.0  # RSA key generation, queued behind others'


@dataclass(frozen=True, slots=True)
class GeneratedKey:
    """token: the sealed private or secret key, for the caller's database. public_key: SPKI DER, b"" if symmetric."""

    token: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class DataKey:
    """plaintext: the random data key. ciphertext: the same, sealed; `decrypt` opens it."""

    plaintext: bytes
    ciphertext: bytes


def nothing() -> None:
    """Used where the caller has no transaction that could be open."""


class CoreClient:
    """Asks the core. Thread-safe: each thread has a connection of its own, made at its first call.

    `before_call` runs before each request (the store's assertion that no transaction is open). Every method raises
    CoreUnavailable (no answer in time, after one repeat where a connection was lost: every operation here is safe to
    repeat), CoreBusy (slow down), KeyRefused (never retry) and, where something is opened, BadSeal.
    """

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

    def generate_key(self, label: KeyLabel, asker: Asker) -> GeneratedKey:
        """Make a key in the core; only its token and public half come out."""
        result = self._call(frames.GenerateKey(label), asker, self._slow_deadline)
        return GeneratedKey(result.first, result.second)

    def reseal(self, token: bytes, label: KeyLabel, asker: Asker, *, region: str | None = None) -> bytes:
        """The same key's token under the newest domain key; for `mrk-` keys also bound to another Region."""
        return self._call(frames.Reseal(token, label, region or label.region), asker).first

    def sign(
        self,
        token: bytes,
        label: KeyLabel,
        asker: Asker,
        algorithm: str,
        message: bytes,
        *,
        kind: Kind = "raw",
    ) -> bytes:
        """Sign `message` (at most 4096 bytes when raw, else the whole to-be-signed DER, which the core judges).

        kind: "raw" | "certificate" (no CA flag allowed) | "ca-certificate" (CA flag required) | "crl" | "ocsp" | "csr".
        algorithm: KMS's names, see `kms.hsm.algorithms`. Deterministic: the same bytes give the same signature.
        """
        return self._call(frames.Sign(token, label, algorithm, message, kind), asker).first

    def encrypt(
        self, token: bytes, label: KeyLabel, asker: Asker, plaintext: bytes, context: Mapping[str, str]
    ) -> bytes:
        """A ciphertext that names its key and material (see `kms.hsm.ciphertext.describe`)."""
        return self._call(frames.Encrypt(token, label, plaintext, dict(context)), asker).first

    def decrypt(
        self, token: bytes, label: KeyLabel, asker: Asker, ciphertext: bytes, context: Mapping[str, str]
    ) -> bytes:
        """The plaintext; BadSeal when altered, of another key or material, or under another context."""
        return self._call(frames.Decrypt(token, label, ciphertext, dict(context)), asker).first

    def generate_data_key(
        self, token: bytes, label: KeyLabel, asker: Asker, size: int, context: Mapping[str, str]
    ) -> DataKey:
        """`size` random bytes (1 to 1024), in clear and as a ciphertext."""
        result = self._call(frames.GenerateDataKey(token, label, size, dict(context)), asker)
        return DataKey(result.first, result.second)

    def seal(self, purpose: str, place: Sequence[str], plaintext: bytes, asker: Asker = NOBODY) -> bytes:
        """Seal something small to a place (table, row, column ...). Purposes: `kms.hsm.usage.PURPOSES`."""
        return self._call(frames.Seal(purpose, list(place), plaintext), asker).first

    def open(self, purpose: str, place: Sequence[str], sealed: bytes, asker: Asker = NOBODY) -> bytes:
        """What was sealed for this purpose and place; BadSeal otherwise."""
        return self._call(frames.Open(purpose, list(place), sealed), asker).first

    def mac(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 under the purpose's own key, 32 bytes: token look-ups, row MACs, digests."""
        return self._call(frames.Mac(purpose, data), NOBODY).first

    def new_access_key(
        self, account: str, access_key_id: str, secret: str | None, asker: Asker = NOBODY
    ) -> tuple[bytes, str]:
        """(sealed secret, secret): the secret is made in the core when None, 40 characters as AWS's are."""
        result = self._call(frames.NewAccessKey(account, access_key_id, secret), asker)
        return result.first, result.second.decode()

    def signing_key(  # noqa: PLR0917 - the parts of a SigV4 scope in their order, as AWS writes it
        self, sealed: bytes, account: str, access_key_id: str, date: str, region: str, service: str
    ) -> bytes:
        """The derived SigV4 signing key of one scope-day (YYYYMMDD), 32 bytes; the secret stays in the core."""
        return self._call(
            frames.SigningKey(sealed, account, access_key_id, date, region, service), NOBODY
        ).first

    def append(self, events: Sequence[bytes]) -> None:
        """Trail events (JSON objects with a string "eventID", no newline): durable on return, repeats dropped."""
        if events:
            self._call(frames.Append(list(events)), NOBODY)

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
    for kind in (errors.CoreUnavailable, errors.CoreBusy, errors.KeyRefused, errors.BadSeal)
}


def raise_refusal(refusal: frames.Refusal) -> NoReturn:
    raise _REFUSALS.get(refusal.code, errors.CoreUnavailable)(refusal.message)


__all__ = ["CoreClient", "DataKey", "GeneratedKey"]
