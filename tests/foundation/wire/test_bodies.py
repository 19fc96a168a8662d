"""Bounds and syntax of bodies: what is refused before and while it is decoded, and what is accepted."""

import json
import struct
import time
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.wire import SerializationError
from foundation.wire.bodies import read_cbor, read_json
from foundation.wire.limits import BODY, DEPTH, NODES

KEYED = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | KEYED
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYED, inner, max_size=4)
)


@given(VALUES)
def test_json_is_read_as_the_standard_library_writes_it(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value


@given(VALUES)
def test_cbor_is_read_as_it_was_written(value: Any) -> None:
    assert read_cbor(cbor2.dumps(value)) == value


@given(st.binary(max_size=200))
def test_no_octets_make_the_cbor_reader_raise_anything_but_its_own_error(body: bytes) -> None:
    try:
        read_cbor(body)
    except SerializationError:
        return


@given(VALUES, st.data())
def test_damaged_cbor_is_read_or_refused(value: Any, data: st.DataObject) -> None:
    whole = bytearray(cbor2.dumps(value))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_cbor(bytes(whole))
    except SerializationError:
        return


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0ed8-1.etruflsn ', max_size=60).map(str.encode))
def test_no_octets_make_the_json_reader_raise_anything_but_its_own_error(body: bytes) -> None:
    try:
        read_json(body)
    except SerializationError:
        return


def test_an_empty_body_is_an_empty_object() -> None:
    assert read_json(b"") == read_cbor(b"") == {}


def test_of_repeated_names_the_last_counts() -> None:
    assert read_json(b'{"a":1,"a":2}') == {"a": 2}
    assert read_cbor(bytes.fromhex("a2 6161 01 6161 02")) == {"a": 2}


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"{}{}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":' + b"9" * 400 + b".5}",
        b'{"a":"\x00"}',
        rb'{"a":"\ud800"}',
        rb'{"a":"\ud800 and more text"}',
        rb'{"a":"\udc00 and more text"}',
        rb'{"a":"\ud800\ud800"}',
        rb'{"\ud800 key":"a"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\xff"}',
        b'{"a":1,}',
        b'{"a":01}',
        b"{'a':1}",
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":"' + b"x" * 99,
        b'{"a":"\\',
        b"]" * 100,
        b"[" * 100 + b"]" * 300,
        b"[]" * 70 + b"]",
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(SerializationError):
        read_json(body)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_json_may_nest_to_the_limit_and_no_deeper(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    read_json((opening * DEPTH + "1" + closing * DEPTH).encode())
    with pytest.raises(SerializationError, match="deeper"):
        read_json((opening * (DEPTH + 1) + "1" + closing * (DEPTH + 1)).encode())
    with pytest.raises(SerializationError, match="deeper"):
        read_json((opening * 200_000).encode()[: NODES - 9])


def test_json_may_hold_values_to_the_limit_and_no_more() -> None:
    assert len(read_json(b"[" + b"0," * (NODES - 2) + b"0]")) == NODES - 1
    with pytest.raises(SerializationError, match="values"):
        read_json(b"[" + b"0," * (NODES - 1) + b"0]")


def test_brackets_and_commas_inside_strings_count_for_nothing() -> None:
    text = '[{,"\\' * 30_000
    assert read_json(json.dumps({"a": text}).encode()) == {"a": text}


@pytest.mark.parametrize(
    "body",
    [
        b'"' * BODY,
        b'"\\' * (BODY // 2),
        b'\\"' * (BODY // 2),
        b'["\\"' * (BODY // 4),
        b"[" * BODY,
        b"{" * BODY,
        b"]" * BODY,
        b"," * BODY,
        b"[]" * (BODY // 2),
        b"[[]," * (BODY // 4),
        b"\\" * BODY,
    ],
    ids=lambda body: repr(body[:4]),
)
def test_a_hostile_megabyte_of_json_is_refused_quickly(body: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(SerializationError):
        read_json(body)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("hexadecimal", "value"),
    [
        ("a0", {}),
        ("bf ff", {}),
        ("9f 01 02 ff", [1, 2]),
        ("bf 6161 9f ff ff", {"a": []}),
        ("7f 6161 6162 ff", "ab"),
        ("5f 4161 40 4162 ff", b"ab"),
        ("7f ff", ""),
        ("1b 7fffffffffffffff", 2**63 - 1),
        ("3b 7fffffffffffffff", -(2**63)),
        ("f9 3c00", 1.0),
        ("fa 3f800000", 1.0),
        ("83 f4 f5 f6", [False, True, None]),
        ("a1 7f6161ff 01", {"a": 1}),
    ],
)
def test_cbor_of_every_accepted_form_is_read(hexadecimal: str, value: Any) -> None:
    assert read_cbor(bytes.fromhex(hexadecimal)) == value


@pytest.mark.parametrize("hexadecimal", ["c1 00", "c1 fb 41d95b1ed8666666", "c1 20"])
def test_tag_1_is_a_timestamp(hexadecimal: str) -> None:
    assert read_cbor(bytes.fromhex(hexadecimal)).tzinfo is not None


@pytest.mark.parametrize(
    "hexadecimal",
    [
        "a0 a0",  # octets behind
        "a1 6161",  # ends early
        "a1",
        "18",
        "ff",
        "1f",  # an integer of indefinite length
        "df 00",
        "1c",  # reserved lengths
        "1b 8000000000000000",  # beyond 64 bits, both ways
        "3b 8000000000000000",
        "c2 49 010000000000000000",  # bignums
        "c3 41 00",
        "c0 74 323031332d30332d32315432303a30343a30305a",  # tags other than 1
        "d8 20 61 61",
        "d9 d9f7 a0",
        "c1 61 61",  # a timestamp that is no number
        "c1 c1 00",
        "c1 a0",
        "c1 f6",
        "c1 fb 7ff8000000000000",
        "c1 1b 7fffffffffffffff",  # past year 9999
        "c1 fb 7fe0000000000000",
        "c1 1b ffffffffffffffff",
        "f9 7c00",  # not finite
        "fa 7fc00000",
        "fb fff0000000000000",
        "f7",  # undefined and unassigned simple values
        "e0",
        "f8 ff",
        "f8 18",
        "a1 01 02",  # keys that are not text
        "a1 4161 02",
        "bf 01 02 ff",
        "bf 6161 ff",  # a map that ends after a key
        "62 ffff",  # not UTF-8
        "63 eda080",
        "7f 6161 4161 ff",  # chunks of another kind
        "7f 7f6161ff ff",
        "7f 6161",
        "5b ffffffffffffffff",  # lengths beyond the end
        "7b 7fffffffffffffff 61",
        "9b 00ffffffffffffff",
        "bb 7fffffffffffffff",
        "9a ffffffff",
        "9f",
        "bf",
    ],
)
def test_cbor_of_any_other_form_is_refused(hexadecimal: str) -> None:
    with pytest.raises(SerializationError):
        read_cbor(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize(("opening", "closing"), [("81", ""), ("9f", "ff"), ("a16161", ""), ("bf6161", "ff")])
def test_cbor_may_nest_to_the_limit_and_no_deeper(opening: str, closing: str) -> None:
    read_cbor(bytes.fromhex(opening * DEPTH + "00" + closing * DEPTH))
    with pytest.raises(SerializationError, match="deeper"):
        read_cbor(bytes.fromhex(opening * (DEPTH + 1) + "00" + closing * (DEPTH + 1)))
    with pytest.raises(SerializationError, match="deeper"):
        read_cbor(bytes.fromhex(opening) * 100_000)


@pytest.mark.parametrize(
    ("opening", "closing"), [(b"\x99" + struct.pack(">H", NODES - 1), b""), (b"\x9f", b"\xff")]
)
def test_cbor_may_hold_values_to_the_limit_and_no_more(opening: bytes, closing: bytes) -> None:
    assert len(read_cbor(opening + b"\x00" * (NODES - 1) + closing)) == NODES - 1
    with pytest.raises(SerializationError, match="values"):
        read_cbor(b"\x9f" + b"\x00" * NODES + b"\xff")
    with pytest.raises(SerializationError, match="values"):
        read_cbor(b"\x7f" + b"\x60" * NODES + b"\xff")
