"""Paging: pages meet without gap or overlap, and a token works for nobody else and nothing else."""

import base64
import hashlib
import hmac

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.wire import BadToken, Keyset, page

MINE = ("111122223333", "acm:ListCertificates", "eu-central-1", '{"Includes":{}}')


class KeyedSeal:
    """A TokenSeal with a key of its own, strict as the contract asks."""

    def seal(self, purpose: str, payload: bytes) -> str:
        return base64.urlsafe_b64encode(self._mark(purpose, payload) + payload).decode()

    def open(self, purpose: str, token: str) -> bytes:
        try:
            whole = base64.urlsafe_b64decode(token.encode("ascii"))
        except ValueError as error:
            raise BadToken("not base64") from error
        if not hmac.compare_digest(whole[:32], self._mark(purpose, whole[32:])):
            raise BadToken("another mark")
        return whole[32:]

    def _mark(self, purpose: str, payload: bytes) -> bytes:
        return hmac.digest(b"key", hashlib.sha256(purpose.encode()).digest() + payload, "sha256")


SEAL = KeyedSeal()


def listing(
    rows: list[int], token: str | None, limit: int, bound_to: tuple[str, ...] = MINE
) -> tuple[list[int], str | None]:
    def fetch(after: Keyset | None, count: int) -> list[int]:
        return sorted(row for row in rows if after is None or (row,) > after)[:count]

    result = page(fetch, key=lambda row: (row,), token=token, limit=limit, seal=SEAL, bound_to=bound_to)
    return list(result.items), result.next_token


@given(st.sets(st.integers(0, 1000), max_size=40), st.integers(1, 12))
def test_the_pages_hold_every_row_once_and_the_last_has_no_token(rows: set[int], limit: int) -> None:
    seen: list[int] = []
    token = None
    while True:
        items, token = listing(list(rows), token, limit)
        seen += items
        assert len(items) <= limit
        if token is None:
            break
        assert len(items) == limit
    assert seen == sorted(rows)


@pytest.mark.parametrize("position", range(len(MINE)))
def test_a_token_is_bound_to_account_operation_region_and_filter(position: int) -> None:
    _, token = listing([1, 2, 3], None, 1)
    other = tuple("other" if index == position else part for index, part in enumerate(MINE))
    with pytest.raises(BadToken):
        listing([1, 2, 3], token, 1, other)


def test_the_parts_of_a_binding_cannot_run_into_one_another() -> None:
    _, token = listing([1, 2, 3], None, 1, ("ab", "c"))
    with pytest.raises(BadToken):
        listing([1, 2, 3], token, 1, ("a", "bc"))


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    _, token = listing([1, 2, 3], None, 1)
    assert token is not None
    octets = bytearray(base64.urlsafe_b64decode(token))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadToken):
        listing([1, 2, 3], base64.urlsafe_b64encode(bytes(octets)).decode(), 1)


@given(st.text(max_size=40))
def test_a_token_that_was_never_sealed_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        listing([1, 2, 3], token, 1)


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", msgspec.msgpack.encode(("text", (1,))), msgspec.msgpack.encode(5)]
)
def test_a_payload_sealed_for_something_else_is_refused(payload: bytes) -> None:
    with pytest.raises(BadToken):
        listing([1, 2, 3], SEAL.seal("page", payload), 1)


def test_a_token_stays_short_whatever_it_is_bound_to() -> None:
    _, token = listing([1, 2, 3], None, 1, ("filter" * 10_000,))
    assert token is not None
    assert len(token) <= 128
