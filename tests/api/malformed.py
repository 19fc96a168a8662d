"""What a broken or hostile client may put into a call: for each member of an operation's model, values that it cannot be."""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import cbor2

from foundation.wire.protocols import Codec

LONG: Final = 3000
NESTED: Any = [[[["deep"]]]]
ODD_TEXTS: Final = (
    "",
    "\0",
    "a\0b",
    "\n",
    "é\u202e",
    "../../etc/passwd",
    "' OR 1=1 --",
    "%s%n",
    "*",
    "arn:aws:",
)
ODD_NUMBERS: Final = (
    -1,
    0,
    2**31,
    2**63 - 1,
    2**63,
    2**64,
    -(2**63) - 1,
    10**400,
    1.5,
    float("inf"),
    float("nan"),
)
WRONG_TYPES: Final[Mapping[str, tuple[Any, ...]]] = {
    "string": (7, True, [], {}, ["x"], {"a": "b"}),
    "number": ("x", "1", "", True, [], {}),
    "boolean": ("yes", 1, "", [], {}),
    "blob": (7, True, [], {}, "***", "a", "YQ", "YQ==\n\0"),
    "timestamp": ("x", "2020-13-45T99:99:99Z", "", True, [], {}),
    "list": ("x", 7, True, {}, [None], [[]], [{}], [7], [""]),
    "map": ("x", 7, True, [], {"": ""}, {"k": 7}, {"k": None}, {"k": {}}, {"\0": "\0"}),
    "structure": ("x", 7, True, [], {}, {"NoSuchMember": 1}),
}
KINDS: Final = {
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "char": "string",
}


@dataclass(frozen=True)
class Case:
    """One call's members, one of them wrong, and which."""

    what: str
    members: Mapping[str, Any]


def cases(shape: Any, good: Mapping[str, Any]) -> Iterator[Case]:
    """Calls of an operation with the input `shape` (botocore's), that differ from the `good` one in one place."""
    if shape is None:
        return
    for where, place, has in _places(shape, good, ()):
        for value in _wrong(place):
            yield Case(f"{'.'.join(map(str, where))} = {str(value)[:60]!r}", _put(good, where, value))
        if has:
            yield Case(f"{'.'.join(map(str, where))} left out", _put(good, where, None))
    yield Case("a member that nobody knows", {**good, "NoSuchMember": NESTED})
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    yield Case("nested 200 deep", {**good, "NoSuchMember": deep})


def _places(shape: Any, value: Any, at: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any, bool]]:
    """(path, shape, whether the good call has it) of the members of structures, and of what lists and maps hold."""
    if len(at) > 4:
        return
    if shape.type_name == "structure":
        held = value if isinstance(value, Mapping) else {}
        for name, member in shape.members.items():
            yield (*at, name), member, name in held
            if name in held or member.type_name == "structure":
                yield from _places(member, held.get(name), (*at, name))
    elif shape.type_name == "list" and isinstance(value, list) and value:
        yield (*at, 0), shape.member, True
        yield from _places(shape.member, value[0], (*at, 0))
    elif shape.type_name == "map" and isinstance(value, Mapping) and value:
        key = min(value)
        yield (*at, key), shape.value, True


def _wrong(shape: Any) -> Iterator[Any]:
    kind = KINDS.get(shape.type_name, shape.type_name)
    yield from WRONG_TYPES[kind]
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if kind == "string":
        yield from ODD_TEXTS
        yield "x" * (int(most) + 1 if most else LONG)
        if least:
            yield "x" * (int(least) - 1)
        if shape.enum:
            yield from ("NO_SUCH", shape.enum[0].lower(), shape.enum[0] + " ")
    elif kind in {"number", "timestamp"}:
        yield from ODD_NUMBERS
        yield from (int(edge) + step for edge, step in ((most, 1), (least, -1)) if edge is not None)
    elif kind == "blob":
        yield b""
        yield b"\x30\x80" * (int(most) // 2 + 1 if most and most < 100_000 else LONG)
    elif kind == "list":
        yield ["x"] * (int(most) + 1 if most and most < LONG else LONG)
    yield NESTED


def _put(value: Any, where: tuple[Any, ...], new: Any) -> Any:
    """A copy of `value` with `new` at `where`; structures on the way are made, and None leaves a member out."""
    if not where:
        return new
    first, rest = where[0], where[1:]
    if isinstance(value, list):
        return [_put(value[0], rest, new), *value[1:]]
    copy = dict(value or {})
    if not rest and new is None:
        copy.pop(first, None)
    else:
        copy[first] = _put(copy.get(first), rest, new)
    return copy


def encoded(codec: Codec, operation: str, version: str, members: Mapping[str, Any]) -> bytes:
    """The body of a call, whatever its members are."""
    if codec is Codec.CBOR:
        return cbor2.dumps(dict(members), datetime_as_timestamp=True)
    if codec is Codec.JSON11:
        return json.dumps(members, default=_in_json).encode()
    form = {"Action": operation, "Version": version}
    for name, value in members.items():
        form.update(_in_form(name, value))
    return urlencode(form, errors="surrogatepass").encode()


def _in_json(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else base64.b64encode(value).decode()


def _in_form(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _in_form(f"{name}.member.{number}", item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _in_form(f"{name}.{key}", item)
    elif isinstance(value, bool):
        yield name, str(value).lower()
    elif isinstance(value, bytes):
        yield name, base64.b64encode(value).decode()
    elif value is not None:
        yield name, str(value)
