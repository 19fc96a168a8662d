"""Scalars as each protocol spells them, read into Python values.

Each reader takes the decoded value and its path and gives what `Params` holds, or raises SerializationError.
Values are never repeated in messages: whether they are secret is not known here.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

from foundation.wire.errors import SerializationError
from foundation.wire.limits import INTEGER_MAX, INTEGER_MIN
from foundation.wire.protocols import Codec

Reader = Callable[[Any, str], Any]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER_TEXT: Final = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER_TEXT: Final = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?", re.ASCII)
_TRUTH: Final = {"true": True, "false": False}
_BITS_32: Final = (-(2**31), 2**31 - 1)
_BITS_64: Final = (INTEGER_MIN, INTEGER_MAX)


def refuse(path: str, expected: str) -> NoReturn:
    """Raise the SerializationError for a value of the wrong kind."""
    where = f"The value at '{path}'" if path else "The request"
    raise SerializationError(f"{where} must be {expected}.")


def read_text(value: Any, path: str) -> str:
    """Any protocol's string."""
    if type(value) is not str:
        refuse(path, "a string")
    return value


def read_boolean(value: Any, path: str) -> bool:
    """JSON's and CBOR's true or false."""
    if type(value) is not bool:
        refuse(path, "true or false")
    return value


def read_integer(value: Any, path: str) -> int:
    """The model's integer, of 32 bits."""
    return _integer(value, path, _BITS_32)


def read_long(value: Any, path: str) -> int:
    """The model's long, of 64 bits."""
    return _integer(value, path, _BITS_64)


def read_number(value: Any, path: str) -> float:
    """A float or double; an integer will do."""
    if type(value) not in (int, float):
        refuse(path, "a number")
    return float(value)


def read_base64(value: Any, path: str) -> bytes:
    """A blob in JSON, query or XML: RFC 4648 section 4, padded, nothing else between."""
    try:
        return binascii.a2b_base64(read_text(value, path).encode("ascii"), strict_mode=True)
    except ValueError:  # binascii.Error and UnicodeEncodeError are both
        refuse(path, "base64")


def read_octets(value: Any, path: str) -> bytes:
    """A blob in CBOR."""
    if type(value) is not bytes:
        refuse(path, "an octet string")
    return value


def read_epoch(value: Any, path: str) -> datetime:
    """A timestamp in JSON: seconds since 1970, whole or not, in the years 1 to 9999."""
    if type(value) not in (int, float):
        refuse(path, "a timestamp in seconds")
    try:
        return EPOCH + timedelta(seconds=value)
    except OverflowError:
        refuse(path, "a timestamp between the years 1 and 9999")


def read_datetime(value: Any, path: str) -> datetime:
    """A timestamp in CBOR: tag 1, which the decoder has made a datetime of."""
    if not isinstance(value, datetime):
        refuse(path, "a timestamp")
    return value


def read_iso8601(value: Any, path: str) -> datetime:
    """A timestamp in the query protocol: ISO 8601 with its offset."""
    try:
        moment = datetime.fromisoformat(read_text(value, path))
        if moment.tzinfo is None:
            refuse(path, "a timestamp with its offset from UTC")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        refuse(path, "a timestamp in ISO 8601")


def read_truth_text(value: Any, path: str) -> bool:
    """A boolean in the query protocol."""
    truth = _TRUTH.get(read_text(value, path).lower())
    if truth is None:
        refuse(path, "true or false")
    return truth


def _integer(value: Any, path: str, bounds: tuple[int, int]) -> int:
    if type(value) is not int or not bounds[0] <= value <= bounds[1]:
        refuse(path, f"an integer from {bounds[0]} to {bounds[1]}")
    return value


def _integer_text(read: Callable[[Any, str], int]) -> Reader:
    def read_integer_text(value: Any, path: str) -> int:
        if not _INTEGER_TEXT.fullmatch(read_text(value, path)):
            refuse(path, "an integer")
        return read(int(value), path)

    return read_integer_text


def read_number_text(value: Any, path: str) -> float:
    """A float or double in the query protocol."""
    if not _NUMBER_TEXT.fullmatch(read_text(value, path)):
        refuse(path, "a number")
    return float(value)


READERS: Final[Mapping[Codec, Mapping[str, Reader]]] = {
    Codec.JSON11: {
        "string": read_text,
        "boolean": read_boolean,
        "integer": read_integer,
        "long": read_long,
        "float": read_number,
        "double": read_number,
        "blob": read_base64,
        "timestamp": read_epoch,
    },
    Codec.CBOR: {
        "string": read_text,
        "boolean": read_boolean,
        "integer": read_integer,
        "long": read_long,
        "float": read_number,
        "double": read_number,
        "blob": read_octets,
        "timestamp": read_datetime,
    },
    Codec.QUERY: {
        "string": read_text,
        "boolean": read_truth_text,
        "integer": _integer_text(read_integer),
        "long": _integer_text(read_long),
        "float": read_number_text,
        "double": read_number_text,
        "blob": read_base64,
        "timestamp": read_iso8601,
    },
}
"""How each protocol spells each scalar kind of the models."""


def base64_text(octets: bytes) -> str:
    """A blob as JSON and XML carry it."""
    return base64.b64encode(octets).decode("ascii")
