"""Bodies of requests made into nested Python values, bounded before anything is decoded."""

from typing import Any

import cbor2
import msgspec

from foundation.wire.cbor_bounds import bound_cbor
from foundation.wire.errors import SerializationError
from foundation.wire.json_bounds import bound_json

_json = msgspec.json.Decoder()


def read_json(body: bytes) -> Any:
    """A JSON body; an empty one is an empty object. Of repeated names the last counts.

    Raises SerializationError for what is not JSON in UTF-8 (lone surrogates and NaN are not) or not bounded.
    """
    if not body:
        return {}
    bound_json(body)
    try:
        return _json.decode(body)
    except (ValueError, msgspec.MsgspecError) as error:  # bad syntax, bad UTF-8, a number out of all range
        raise SerializationError("The body is not valid JSON.") from error


def read_cbor(body: bytes) -> Any:
    """A CBOR body; an empty one is an empty map. Of repeated keys the last counts.

    Raises SerializationError for what is not CBOR as `foundation.wire.cbor_bounds` accepts it.
    """
    if not body:
        return {}
    bound_cbor(body)
    try:
        return cbor2.loads(body)
    except (cbor2.CBORDecodeError, ValueError, OverflowError) as error:  # bad UTF-8, a date past year 9999
        raise SerializationError("The body is not valid CBOR.") from error
