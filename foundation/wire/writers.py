"""Writers compiled from the models: a handler's result in, values fit for a protocol's encoder out.

A result that does not fit the model raises ResultMismatch: that is a fault of the handler, found in its tests,
and a client would otherwise be handed something that its own model cannot read.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import cbor2

from foundation.wire.models import ServiceModel, Shape
from foundation.wire.protocols import Codec
from foundation.wire.scalars import EPOCH, base64_text

Writer = Callable[[Any], Any]


class ResultMismatch(TypeError):
    """A result has a member that the model lacks, lacks one that it requires, or has one of another type."""


class Writers:
    """The writers of one service in one protocol, each compiled at its first use. Thread-safe."""

    def __init__(self, model: ServiceModel, codec: Codec) -> None:
        self._model = model
        self._scalars = SCALARS[codec]
        self._written: dict[str, Writer] = {}
        self._compiling = threading.Lock()
        self._compiled: dict[str, Writer] = {}  # guarded by _compiling

    def write(self, shape: str, result: dict[str, Any]) -> dict[str, Any]:
        """`result` as a value of the structure `shape`; members that are None are left out."""
        writer = self._written.get(shape) or self.preload(shape)
        written: dict[str, Any] = writer(result)
        return written

    def preload(self, shape: str) -> Writer:
        """Compile what the structure `shape` needs now."""
        with self._compiling:
            self._written[shape] = writer = self._writer(shape)
        return writer

    def _writer(self, name: str) -> Writer:
        known = self._compiled.get(name)
        if known is not None:
            return known

        def later(value: Any) -> Any:  # for shapes that contain themselves
            return compiled(value)

        self._compiled[name] = later
        compiled = self._compile(name, self._model.shapes[name])
        self._compiled[name] = compiled
        return compiled

    def _compile(self, name: str, shape: Shape) -> Writer:
        if shape.kind == "structure":
            return self._structure(name, shape)
        if shape.kind == "list":
            return self._list(name, shape)
        if shape.kind == "map":
            return self._map(name, shape)
        fits, convert = self._scalars[shape.kind]

        def write(value: Any) -> Any:
            if not fits(value):
                raise ResultMismatch(f"{name} cannot be a {type(value).__name__}")
            return convert(value)

        return write

    def _structure(self, name: str, shape: Shape) -> Writer:
        members = {member: self._writer(target) for member, target in shape.members.items()}

        def write(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise ResultMismatch(f"{name} cannot be a {type(value).__name__}")
            written = {}
            for member, given in value.items():
                if given is None:
                    continue
                writer = members.get(member)
                if writer is None:
                    raise ResultMismatch(f"{name} has no member {member}")
                written[member] = writer(given)
            for member in shape.required:
                if member not in written:
                    raise ResultMismatch(f"{name} lacks its required member {member}")
            return written

        return write

    def _list(self, name: str, shape: Shape) -> Writer:
        writer = self._writer(shape.element)

        def write(value: Any) -> list[Any]:
            if not isinstance(value, list | tuple):
                raise ResultMismatch(f"{name} cannot be a {type(value).__name__}")
            return [writer(element) for element in value]

        return write

    def _map(self, name: str, shape: Shape) -> Writer:
        writer = self._writer(shape.value)

        def write(value: Any) -> Entries:
            if not isinstance(value, dict):
                raise ResultMismatch(f"{name} cannot be a {type(value).__name__}")
            return Entries({str(key): writer(element) for key, element in value.items()})

        return write


class Entries(dict[str, Any]):
    """A map of the model's, which XML spells otherwise than a structure; for JSON and CBOR a plain dict."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_octets(value: Any) -> bool:
    return isinstance(value, bytes)


def _is_moment(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _same(value: Any) -> Any:
    return value


def epoch_seconds(moment: datetime) -> float:
    """Seconds since 1970 to the millisecond, as AWS gives them."""
    return round((moment - EPOCH).total_seconds(), 3)


def iso8601(moment: datetime) -> str:
    """`moment` in UTC as the query protocol's XML has it: whole seconds, or milliseconds."""
    precision = "milliseconds" if moment.microsecond // 1000 else "seconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision) + "Z"


def _tagged_epoch(moment: datetime) -> cbor2.CBORTag:
    return cbor2.CBORTag(1, epoch_seconds(moment))


_PLAIN: Final[dict[str, tuple[Callable[[Any], bool], Writer]]] = {
    "string": (_is_text, _same),
    "boolean": (_is_boolean, _same),
    "integer": (_is_integer, _same),
    "long": (_is_integer, _same),
    "float": (_is_number, float),
    "double": (_is_number, float),
}
SCALARS: Final[dict[Codec, dict[str, tuple[Callable[[Any], bool], Writer]]]] = {
    Codec.JSON11: {**_PLAIN, "blob": (_is_octets, base64_text), "timestamp": (_is_moment, epoch_seconds)},
    Codec.CBOR: {**_PLAIN, "blob": (_is_octets, _same), "timestamp": (_is_moment, _tagged_epoch)},
    Codec.QUERY: {**_PLAIN, "blob": (_is_octets, base64_text), "timestamp": (_is_moment, iso8601)},
}
"""What each scalar kind accepts of a handler, and what it becomes in each protocol."""
