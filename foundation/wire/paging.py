"""Paging by sealed keyset tokens: a token says where the last page ended, to the one who was given it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from foundation.wire.errors import BadToken

T = TypeVar("T")
Keyset = tuple[str | int, ...]
"""The sort key of a row, unique among the rows listed."""

BINDING_BYTES = 16
_payload = msgspec.msgpack.Decoder(tuple[bytes, tuple[str | int, ...]])


class TokenSeal(Protocol):
    """Seals small payloads into text that only the same deployment opens. Tokens are URL-safe ASCII.

    ``open`` gives exactly what was sealed under the same purpose, or raises BadToken for anything else.
    Both may be called from any thread and may be retried.
    """

    def seal(self, purpose: str, payload: bytes) -> str: ...

    def open(self, purpose: str, token: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """At most ``limit`` items, and the token for the next page (None: this was the last)."""

    items: tuple[T, ...]
    next_token: str | None


def page(
    fetch: Callable[[Keyset | None, int], Sequence[T]],
    *,
    key: Callable[[T], Keyset],
    token: str | None,
    limit: int,
    seal: TokenSeal,
    bound_to: tuple[str, ...],
) -> Page[T]:
    """The page that `token` continues (None: the first).

    ``fetch(after, count)`` gives up to `count` rows whose key is greater than `after`, in key order; it is
    asked for one row more than `limit`, which tells whether there is a next page. ``bound_to`` names the
    caller's account, the operation and every filter: a token is refused (BadToken) under any other.
    """
    binding = _binding(bound_to)
    rows = fetch(None if token is None else _after(seal, token, binding), limit + 1)
    items = tuple(rows[:limit])
    if len(rows) <= limit:
        return Page(items, None)
    return Page(items, seal.seal("page", msgspec.msgpack.encode((binding, key(items[-1])))))


def _after(seal: TokenSeal, token: str, binding: bytes) -> Keyset:
    try:
        bound, after = _payload.decode(seal.open("page", token))
    except msgspec.DecodeError as error:
        raise BadToken("The token is not valid.") from error
    if bound != binding:
        raise BadToken("The token belongs to another request.")
    return after


def _binding(bound_to: tuple[str, ...]) -> bytes:
    # A digest keeps tokens short (CloudHSM's may have 256 characters); JSON keeps the parts apart.
    return hashlib.sha256(msgspec.json.encode(bound_to)).digest()[:BINDING_BYTES]
