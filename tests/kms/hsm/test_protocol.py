"""The core against peers that break its protocol: each is turned away, and the others are served on."""

import random
import socket
import struct
import time
from collections.abc import Iterator

import msgspec
import pytest

from kms.hsm import CoreClient, frames
from kms.hsm.frames import Ask, FrameError
from kms.hsm.labels import NOBODY, Asker
from kms.hsm.routing import LOOP, SLOW, helper_for
from tests.kms.hsm.inside import label
from tests.kms.hsm.test_usage import BODIES
from tests.support.core import RunningCore


class Raw:
    """A peer that sends what it likes."""

    def __init__(self, core: RunningCore) -> None:
        self.stream = socket.socket(socket.AF_UNIX)
        self.stream.settimeout(5)
        self.stream.connect(str(core.socket_path))

    def send(self, data: bytes) -> None:
        self.stream.sendall(data)

    def ask(self, body: frames.AnyBody, number: int = 1, seconds: float = 5.0) -> None:
        deadline = time.monotonic_ns() + int(seconds * 1e9)
        self.send(frames.pack(Ask(number, deadline, NOBODY, body)))

    def answer(self) -> frames.Answer | None:
        """The next answer; None when the core has closed the stream."""
        try:
            size = self.stream.recv(4, socket.MSG_WAITALL)
            if len(size) < 4:
                return None
            payload = self.stream.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        except ConnectionError:
            return None
        return frames.read_answer(payload)

    def refusal(self) -> frames.Refusal:
        answer = self.answer()
        assert answer is not None
        assert isinstance(answer.body, frames.Refusal)
        return answer.body


@pytest.fixture
def raw(running_core: RunningCore) -> Iterator[Raw]:
    peer = Raw(running_core)
    yield peer
    peer.stream.close()


@pytest.fixture
def greeted(raw: Raw) -> Raw:
    raw.ask(frames.Hello(frames.PROTOCOL, "worker"))
    assert raw.answer() is not None
    return raw


@pytest.fixture(autouse=True)
def _the_core_lives_on(core: CoreClient, running_core: RunningCore) -> Iterator[None]:
    yield
    assert core.ping().pid == running_core.pid


def test_a_peer_that_does_not_say_hello_is_dropped(raw: Raw) -> None:
    raw.ask(frames.Ping())
    assert raw.answer() is None


def test_a_second_hello_ends_the_stream(greeted: Raw) -> None:
    greeted.ask(frames.Hello(frames.PROTOCOL, "admin"))
    assert greeted.answer() is None


def test_another_version_of_the_protocol_is_refused(raw: Raw) -> None:
    raw.ask(frames.Hello(frames.PROTOCOL + 1, "worker"))
    assert "speaks protocol" in raw.refusal().message
    assert raw.answer() is None


def test_an_unknown_role_is_refused(raw: Raw) -> None:
    raw.ask(frames.Hello(frames.PROTOCOL, "root"))  # type: ignore[arg-type]  # the point: no such role
    assert "malformed" in raw.refusal().message


def test_a_stranger_may_not_send_more_than_a_hello(raw: Raw) -> None:
    raw.send((1 << 20).to_bytes(4, "big") + bytes(8192))
    assert raw.answer() is None


def test_an_oversize_frame_is_refused_by_its_prefix(greeted: Raw) -> None:
    greeted.send((frames.MAX_FRAME + 1).to_bytes(4, "big"))
    assert greeted.answer() is None


def test_a_publisher_of_crls_may_send_longer_frames_than_a_worker(raw: Raw) -> None:
    raw.ask(frames.Hello(frames.PROTOCOL, "scheduler"))
    assert raw.answer() is not None
    body = frames.Sign(b"", label("ca", "EC_prime256v1"), "ECDSA_SHA_256", bytes(frames.MAX_FRAME), "crl")
    ask = Ask(9, time.monotonic_ns() + 10**11, NOBODY, body)
    raw.send(frames.pack(ask, frames.longest("scheduler")))
    answer = raw.answer()
    assert answer is not None
    assert answer.number == 9  # refused for its token, and read
    assert frames.longest("worker") == frames.MAX_FRAME < frames.longest("admin")


def test_a_long_list_is_read_by_a_helper_and_a_short_one_in_the_loop() -> None:
    for size, place in ((frames.SMALL, LOOP), (frames.SMALL + 1, SLOW)):
        body = frames.Sign(b"", label("ca", "EC_prime256v1"), "ECDSA_SHA_256", bytes(size), "crl")
        assert helper_for(body) == place


def test_frames_that_come_byte_by_byte_are_put_together(greeted: Raw) -> None:
    packed = frames.pack(Ask(7, time.monotonic_ns() + 10**10, NOBODY, frames.Mac("bearer", b"x")))
    for byte in packed:
        greeted.send(bytes((byte,)))
    answer = greeted.answer()
    assert answer is not None
    assert answer.number == 7


def test_many_requests_at_once_are_all_answered_in_order(greeted: Raw) -> None:
    for number in range(100):
        greeted.ask(frames.Mac("bearer", b"x"), number)
    answers = [greeted.answer() for _ in range(100)]
    assert [answer.number for answer in answers if answer] == list(range(100))


def test_a_malformed_request_is_answered_under_its_number_and_the_stream_goes_on(greeted: Raw) -> None:
    payload = msgspec.msgpack.encode([41, 2**62, ["", ""], ["NoSuchThing", 1]])
    greeted.send(len(payload).to_bytes(4, "big") + payload)
    answer = greeted.answer()
    assert answer is not None
    assert answer.number == 41
    greeted.ask(frames.Mac("bearer", b"x"), 42)
    answer = greeted.answer()
    assert answer is not None
    assert answer.number == 42


def test_noise_is_answered_without_a_number(greeted: Raw) -> None:
    greeted.send((5).to_bytes(4, "big") + b"\xc1\xc1\xc1\xc1\xc1")
    answer = greeted.answer()
    assert answer is not None
    assert answer.number == -1


def test_a_request_past_its_deadline_is_answered_as_such(greeted: Raw) -> None:
    greeted.ask(frames.Mac("bearer", b"x"), seconds=-1)
    assert greeted.refusal() == frames.Refusal(
        "CoreUnavailable", "the deadline passed before the request was reached"
    )


def test_a_peer_has_a_bound_of_requests_in_flight(greeted: Raw) -> None:
    named = label("kms", "EC_secp384r1")
    for number in range(200):
        greeted.ask(frames.GenerateKey(named), number)
    codes = []
    for _ in range(200):
        answer = greeted.answer()
        assert answer is not None
        codes.append(answer.body.code if isinstance(answer.body, frames.Refusal) else "made")
    assert set(codes) == {"made", "CoreBusy"}
    assert codes.count("made") >= 64


def test_a_peer_that_does_not_read_its_answers_is_dropped(greeted: Raw) -> None:
    value = bytes(frames.SEAL_LIMIT)
    greeted.stream.settimeout(2)
    with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - which of the sends fails is the kernel's choice
        for number in range(64):
            greeted.ask(frames.Seal("secret", [], value), number)
    time.sleep(0.2)


def test_mutated_requests_never_end_the_core(running_core: RunningCore) -> None:
    chance = random.Random(7)
    peer = Raw(running_core)
    peer.ask(frames.Hello(frames.PROTOCOL, "scheduler"))
    peer.answer()
    for turn in range(1500):
        body = chance.choice(list(BODIES.values()))
        payload = bytearray(msgspec.msgpack.encode(Ask(turn, 2**62, Asker("r", "p"), body)))
        for _ in range(chance.randint(1, 4)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        peer.send(struct.pack(">I", len(payload)) + payload)
        answer = peer.answer()
        if answer is None:  # it became a hello or lost its form so far that the stream ended
            peer.stream.close()
            peer = Raw(running_core)
            peer.ask(frames.Hello(frames.PROTOCOL, "scheduler"))
            peer.answer()
    peer.stream.close()


def test_a_frame_longer_than_the_limit_is_not_even_packed() -> None:
    body = frames.Sign(b"", label("ca", "EC_prime256v1"), "ECDSA_SHA_256", bytes(frames.MAX_FRAME), "crl")
    with pytest.raises(FrameError):
        frames.pack(Ask(1, 1, NOBODY, body))


@pytest.mark.parametrize(
    ("kind", "size"),
    [("raw", frames.PLAINTEXT_LIMIT + 1), ("certificate", frames.SMALL + 1), ("csr", frames.SMALL + 1)],
)
def test_each_kind_of_message_has_its_limit(greeted: Raw, kind: str, size: int) -> None:
    purpose = {"raw": "kms", "certificate": "ca", "csr": "acm"}[kind]
    named = label(purpose, "EC_prime256v1")
    greeted.ask(frames.Sign(b"", named, "ECDSA_SHA_256", bytes(size), kind))  # type: ignore[arg-type]  # from a table
    assert "at most" in greeted.refusal().message
