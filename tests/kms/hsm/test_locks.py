"""A CA's key that is locked: no use of any kind, but for a stated time after an operator unlocked it."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from kms.hsm import frames
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.keypairs import private_der, spki
from kms.hsm.labels import Asker, KeyLabel, Peer
from kms.hsm.locks import LONGEST, is_locked, window_end
from kms.hsm.service import KeyService
from tests.kms.hsm import inside
from tests.kms.hsm.imports import Importer
from tests.kms.hsm.test_outline import certificate

START = datetime(2026, 1, 1, tzinfo=UTC)
CA = inside.label("ca", "EC_prime256v1")


class Clocked:
    """A core whose wall clock the test moves, with one CA key."""

    def __init__(self) -> None:
        self.time = START
        domain = DomainKeys({1: b"d" * 32}, os.urandom)
        self.keys = KeyService(domain, os.urandom, lambda: self.time)
        self.token = self.ask(frames.GenerateKey(CA)).first

    def ask(self, body: frames.AnyBody) -> frames.Result:
        return inside.result(self.keys, body, "admin")

    def refused(self, body: frames.AnyBody) -> str:
        return inside.refusal(self.keys, body, "admin").message

    def sign(self, token: bytes) -> frames.Sign:
        """What any key may sign: a certificate that names no issuer's key."""
        return frames.Sign(token, CA, "ECDSA_SHA_256", certificate(issuer_key=None), "certificate")

    def unlock(self, token: bytes, after: timedelta) -> frames.Unlock:
        return frames.Unlock(token, CA, int((self.time + after).timestamp()))


@pytest.fixture
def core() -> Clocked:
    return Clocked()


def test_a_locked_key_signs_nothing_until_it_is_unlocked_and_not_after(core: Clocked) -> None:
    assert core.ask(core.sign(core.token)).first
    locked = core.ask(frames.Lock(core.token, CA)).first
    assert is_locked(locked)
    assert "an operator unlocks it" in core.refused(core.sign(locked))
    window = core.ask(core.unlock(locked, timedelta(minutes=5))).first
    assert core.ask(core.sign(window)).first
    core.time += timedelta(minutes=4, seconds=59)
    assert core.ask(core.sign(window)).first
    core.time += timedelta(seconds=1)
    assert "locked itself again" in core.refused(core.sign(window))
    assert core.ask(core.unlock(locked, timedelta(minutes=5))).first


def test_a_window_cannot_be_stretched_nor_be_made_of_an_ordinary_token(core: Clocked) -> None:
    locked = core.ask(frames.Lock(core.token, CA)).first
    window = core.ask(core.unlock(locked, timedelta(minutes=5))).first
    until = int((START + timedelta(minutes=5)).timestamp())
    assert window_end(window) == until
    stretched = window[:2] + (until + 3600).to_bytes(8, "big") + window[10:]
    for altered in (stretched, locked[2:], window[10:], window[:2] + locked[2:], locked[:2] + window[10:]):
        assert inside.refusal(core.keys, core.sign(altered)).code in {"BadSeal", "KeyRefused"}
    assert "not locked" in core.refused(core.unlock(core.token, timedelta(minutes=5)))


@pytest.mark.parametrize("after", [timedelta(), timedelta(days=-1), LONGEST + timedelta(seconds=1)])
def test_a_window_lies_ahead_and_is_a_day_at_most(core: Clocked, after: timedelta) -> None:
    locked = core.ask(frames.Lock(core.token, CA)).first
    assert "24 hours at most" in core.refused(core.unlock(locked, after))


def test_a_locked_key_opens_under_its_own_label_only(core: Clocked) -> None:
    locked = core.ask(frames.Lock(core.token, CA)).first
    other = inside.label("ca", "EC_prime256v1", key_id="key-2")
    body = frames.Unlock(locked, other, int((START + timedelta(minutes=1)).timestamp()))
    assert inside.refusal(core.keys, body).code == "BadSeal"


def test_a_locked_key_is_neither_sealed_anew_nor_locked_twice(core: Clocked) -> None:
    locked = core.ask(frames.Lock(core.token, CA)).first
    window = core.ask(core.unlock(locked, timedelta(minutes=5))).first
    for token in (locked, window):
        assert "another place" in core.refused(frames.Reseal(token, CA, CA.region))
    assert "already" in core.refused(frames.Lock(locked, CA))
    assert is_locked(core.ask(frames.Lock(window, CA)).first)


def test_only_the_keys_of_authorities_are_locked(core: Clocked) -> None:
    kms = inside.label("kms", "EC_prime256v1")
    token = core.ask(frames.GenerateKey(kms)).first
    assert "keys of CAs" in core.refused(frames.Lock(token, kms))


def test_a_worker_brings_in_no_key_of_an_authority_and_changes_none() -> None:
    keys = inside.service()
    named = inside.label("ca", "EC_prime256v1", origin="EXTERNAL")
    bodies: list[frames.AnyBody] = [
        frames.ImportParameters(named, "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"),
        frames.ImportMaterial(b"", named, b"", {}),
        frames.Sign(b"", CA, "ECDSA_SHA_256", b"", "rollover"),
    ]
    for body in bodies:
        assert "only an operator" in inside.refusal(keys, body, "worker").message


def test_a_key_that_was_brought_in_signs_as_an_authority_does() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    keys = inside.service()
    named: KeyLabel = inside.label("ca", "EC_prime256v1", origin="EXTERNAL")
    taken = Importer(keys).take(named, private_der(key))
    assert taken.second == spki(key)
    sign = frames.Sign(taken.first, named, "ECDSA_SHA_256", certificate(issuer_key=key), "certificate")
    assert inside.result(keys, sign).first
    raw = frames.Sign(taken.first, named, "ECDSA_SHA_256", b"x", "raw")
    assert "does not sign raw" in inside.refusal(keys, raw).message


def test_each_lock_and_unlock_is_recorded(core: Clocked) -> None:
    locked = core.ask(frames.Lock(core.token, CA)).first
    body = core.unlock(locked, timedelta(minutes=5))
    outcome = core.keys.perform(frames.Ask(1, 2**62, Asker("r"), body), Peer("admin", 1))
    ((_, record),) = outcome.records
    told = json.loads(record)
    assert (told["op"], told["key"], told["target"]) == ("Unlock", "key-1", str(body.until))
