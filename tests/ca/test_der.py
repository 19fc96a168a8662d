"""Bounds before parsing, and putting certificates together."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from ca import der
from tests.ca.test_lints import FOLDER

GOOD, VERSION_1 = (
    x509.load_pem_x509_certificates((FOLDER / "version" / file).read_bytes())[0]
    for file in ("good.pem", "bad-version-1.pem")
)


def nested(levels: int) -> bytes:
    inner = b""
    for _ in range(levels):
        inner = der.element(0x30, inner)
    return inner


@pytest.mark.parametrize("made", [GOOD, VERSION_1])
def test_a_certificate_is_put_together_from_its_parts(made: x509.Certificate) -> None:
    again = x509.load_der_x509_certificate(der.certificate(made.tbs_certificate_bytes, made.signature))
    assert again == made


def test_certificates_that_stand_one_after_another_are_split() -> None:
    one = GOOD.public_bytes(Encoding.DER)
    assert list(der.split(one * 3)) == [one] * 3
    assert list(der.split(b"")) == []


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65536])
def test_lengths_are_written_in_their_shortest_form(length: int) -> None:
    element = der.element(0x04, bytes(length))
    der.check_bounds(element)
    assert list(der.split(element)) == [element]


def test_32_levels_are_the_deepest() -> None:
    der.check_bounds(nested(32))
    with pytest.raises(der.BadDer, match="deep"):
        der.check_bounds(nested(33))


def test_10_000_elements_are_the_most() -> None:
    der.check_bounds(der.element(0x30, b"\x05\x00" * 9_999))
    with pytest.raises(der.BadDer, match="more than 10000"):
        der.check_bounds(der.element(0x30, b"\x05\x00" * 10_000))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "too early"),
        (b"\x30", "too early"),
        (b"\x30\x82\x01", "too early"),
        (b"\x30\x05\x04\x09", "too early"),
        (b"\x30\x03\x04\x02\x00", "too early"),
        (b"\x30\x80\x00\x00", "indefinite"),
        (b"\x1f\x81\x00\x00", "tag number"),
        (b"\x05\x00\x00", "bytes follow"),
    ],
)
def test_what_is_not_one_bounded_element_is_refused(bad: bytes, words: str) -> None:
    with pytest.raises(der.BadDer, match=words):
        der.check_bounds(bad)


@given(st.binary(max_size=200))
def test_any_bytes_are_bounded_or_refused(data: bytes) -> None:
    try:
        der.check_bounds(data)
    except der.BadDer:
        return
    assert list(der.split(data)) == [data]


@given(st.binary(max_size=100))
def test_reading_an_exponent_never_crashes(data: bytes) -> None:
    assert der.rsa_exponent(data) is None or data
