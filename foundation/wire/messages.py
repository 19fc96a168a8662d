"""Requests and responses as plain values: what every door hands in and every answer comes back as.

Structs of msgspec's where frozen, for a frozen dataclass takes twenty times as long to make.
"""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from foundation.wire.errors import SerializationError
from foundation.wire.protocols import Codec

Params = dict[str, Any]
"""Decoded members by the model's own names: blobs are ``bytes``, timestamps aware UTC ``datetime``."""


@dataclass(slots=True)
class Request:
    """One HTTP request. Header names are lower-cased; order and repeats are kept, as SigV4 needs them.

    ``path`` and ``query`` are as received (still percent-encoded, ``query`` without the question mark).
    ``secure`` says whether it came by TLS; ``source_ip`` is the peer's address as text.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    secure: bool = False
    source_ip: str = ""
    _values: dict[str, tuple[str, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The headers by name, filled at the first question (a call asks a dozen): nobody changes a request."""

    def header(self, name: str) -> str | None:
        """The value of a header that may stand once only (`name` in lower case), or None.

        Raises SerializationError when it is repeated: two readers of one request could then disagree.
        """
        values = self.all(name)
        if len(values) > 1:
            raise SerializationError(f"The header {name} may not be repeated.")
        return values[0] if values else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header (`name` in lower case), in order."""
        return self.named().get(name, ())

    def named(self) -> dict[str, tuple[str, ...]]:
        """The values of each header in order, by lower-case name. To be read only."""
        values = self._values
        if not values:
            for header, value in self.headers:
                values[header] = (*values[header], value) if header in values else (value,)
        return values


class Response(msgspec.Struct, frozen=True):
    """One HTTP answer, complete but for what the HTTP server adds (Date, Content-Length)."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Addressed(msgspec.Struct, frozen=True):
    """What a request asks for: ``service`` by botocore's name ("acm-pca"), SigV4 scope in ``signing_name``."""

    service: str
    operation: str
    codec: Codec
    signing_name: str
