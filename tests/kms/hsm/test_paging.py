"""Paging tokens over the core: they come back as they were, and only to where they belong."""

import string

import pytest

from kms.hsm import CoreClient, SealOverCore


class Bad(Exception):
    """Stands for the wire's BadToken."""


@pytest.fixture
def seal(core: CoreClient) -> SealOverCore:
    return SealOverCore(core, Bad)


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 4])
def test_a_token_gives_back_what_was_sealed(seal: SealOverCore, payload: bytes) -> None:
    token = seal.seal("page", payload)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_")
    assert seal.open("page", token) == payload


def test_a_token_opens_for_its_own_purpose_only(seal: SealOverCore) -> None:
    with pytest.raises(Bad):
        seal.open("other", seal.seal("page", b"x"))


@pytest.mark.parametrize("token", ["", "x", "xyz", "ümlaut", "a=b", "AA AA", "A" * 9000, "\ud800", "+/+/"])
def test_what_is_no_token_is_refused(seal: SealOverCore, token: str) -> None:
    with pytest.raises(Bad):
        seal.open("page", token)


def test_each_changed_character_is_noticed(seal: SealOverCore) -> None:
    token = seal.seal("page", b"x")
    for at in range(len(token)):
        other = "A" if token[at] != "A" else "B"
        with pytest.raises(Bad):
            seal.open("page", token[:at] + other + token[at + 1 :])
