"""The core killed, stopped and restarted: nothing acknowledged is ever lost, and callers are told to try again."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from foundation.trail.chain import walk
from kms.hsm import (
    Asker,
    CoreUnavailable,
    GeneratedKey,
    KeyLabel,
)
from kms.hsm.boot import EXIT_SECRET, EXIT_TRAIL, Boot
from kms.hsm.launch import launch_core
from tests.support.core import RunningCore, start_core

CURVE = KeyLabel("kms", "111122223333", "eu-central-1", "curve", 1, "EC_prime256v1")
MODULUS = KeyLabel("kms", "111122223333", "eu-central-1", "modulus", 1, "RSA_2048")
RSA, ECDSA = "RSASSA_PKCS1_V1_5_SHA_256", "ECDSA_SHA_256"
ASKER = Asker("request-1", "arn:aws:iam::111122223333:user/admin")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningCore]:
    """A core of the test's own, to be killed."""
    core = start_core(tmp_path)
    yield core
    if core.process.process.poll() is None:
        core.stop()
    core.listener.close()


def requests(trail: Path) -> list[str]:
    """The request ids of the `use` records, in order, from a chain that verifies."""
    return [msgspec.json.decode(r.body)["request"] for r in walk(trail) if r.kind == "use"]


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def test_a_killed_core_loses_no_acknowledged_record(own: RunningCore) -> None:
    client, acknowledged = own.client(), []
    made = client.generate_key(CURVE, ASKER)
    modulus = client.generate_key(MODULUS, ASKER)
    stop = threading.Event()

    def load(name: str, key: GeneratedKey, label: KeyLabel, algorithm: str) -> None:
        number = 0
        while not stop.is_set():
            asker = Asker(f"{name}-{number}", "me")
            try:
                client.sign(key.token, label, asker, algorithm, b"m")
                client.append([b'{"eventID":"%s-%d"}' % (name.encode(), number)])
                acknowledged.append(asker.request_id)
            except CoreUnavailable:
                pass
            number += 1
        client.close()

    threads = [threading.Thread(target=load, args=(f"t{n}", made, CURVE, ECDSA)) for n in range(6)]
    threads.append(threading.Thread(target=load, args=("rsa", modulus, MODULUS, RSA)))
    for thread in threads:
        thread.start()
    for _ in range(4):
        time.sleep(0.3)
        own.restart()
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    used = set(requests(own.trail))
    events = [msgspec.json.decode(r.body)["eventID"] for r in walk(own.trail) if r.kind == "event"]
    assert len(acknowledged) > 50
    assert set(acknowledged) <= used
    assert set(acknowledged) <= set(events)
    assert len(events) == len(set(events))


def test_a_call_in_flight_lives_through_a_restart(own: RunningCore) -> None:
    client = own.client()
    made = client.generate_key(CURVE, ASKER)
    os.kill(own.pid, signal.SIGSTOP)
    answers: list[bytes] = []
    caller = threading.Thread(
        target=lambda: answers.append(client.sign(made.token, CURVE, ASKER, ECDSA, b"m"))
    )
    caller.start()
    time.sleep(0.2)
    own.restart()
    caller.join()
    assert len(answers) == 1


def test_connects_wait_on_the_supervisors_socket_while_no_core_runs(own: RunningCore) -> None:
    os.kill(own.pid, signal.SIGKILL)
    own.ended()
    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(own.client().ping(deadline=5.0).pid))
    caller.start()
    time.sleep(0.2)
    own.process = launch_core(own.listener, own.boot())
    caller.join()
    assert answers == [own.pid]


def test_a_stopped_core_is_answered_for_by_the_clients_deadline(own: RunningCore) -> None:
    client = own.client(deadline=0.3)
    made = client.generate_key(CURVE, ASKER)
    os.kill(own.pid, signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(CoreUnavailable, match="in time"):
        client.sign(made.token, CURVE, ASKER, ECDSA, b"m")
    with pytest.raises(CoreUnavailable, match="in time"):
        own.client(deadline=0.3).mac("bearer", b"x")
    assert time.monotonic() - started < 2.0
    os.kill(own.pid, signal.SIGCONT)
    assert client.sign(made.token, CURVE, ASKER, ECDSA, b"m")


def test_a_request_whose_deadline_has_passed_is_dropped_not_done(own: RunningCore) -> None:
    client = own.client(deadline=0.3)
    made = client.generate_key(CURVE, ASKER)
    os.kill(own.pid, signal.SIGSTOP)
    with pytest.raises(CoreUnavailable):
        client.sign(made.token, CURVE, Asker("too-late", ""), ECDSA, b"m")
    time.sleep(0.1)
    os.kill(own.pid, signal.SIGCONT)
    client.sign(made.token, CURVE, Asker("in-time", ""), ECDSA, b"m")
    assert "too-late" not in requests(own.trail)
    assert "in-time" in requests(own.trail)


@pytest.mark.parametrize(("label", "algorithm"), [(MODULUS, RSA)])
def test_a_dead_helper_is_replaced_and_its_call_repeated(
    own: RunningCore, label: KeyLabel, algorithm: str
) -> None:
    client = own.client()
    made = client.generate_key(label, ASKER)
    before = client.ping().helpers
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert client.sign(made.token, label, ASKER, algorithm, b"m")
    until(lambda: len(client.ping().helpers) == 2)
    assert not set(before) & set(client.ping().helpers)
    assert client.ping().pid == own.pid


def test_the_call_of_a_helper_that_dies_gets_a_retryable_error(own: RunningCore) -> None:
    client = own.client()
    big = KeyLabel("kms", "111122223333", "eu-central-1", "big", 1, "RSA_4096")
    errors: list[CoreUnavailable] = []

    def make() -> None:
        try:
            client.generate_key(big, ASKER)
        except CoreUnavailable as lost:
            errors.append(lost)

    maker = threading.Thread(target=make)
    maker.start()
    end = time.monotonic() + 10
    while maker.is_alive() and time.monotonic() < end:  # until both the call and its repeat are lost
        for pid in client.ping().helpers:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    maker.join()
    assert len(errors) == 1
    assert client.ping().pid == own.pid


def test_the_core_ends_when_its_supervisor_lets_go_of_it(own: RunningCore) -> None:
    helpers = own.client().ping().helpers
    own.process.close_pipes()
    assert own.process.process.wait(5) == 0
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in helpers))


def test_the_helpers_die_with_a_killed_core(own: RunningCore) -> None:
    helpers = own.client().ping().helpers
    os.kill(own.pid, signal.SIGKILL)
    own.ended()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in helpers))


def test_a_terminated_core_ends_cleanly(own: RunningCore) -> None:
    own.client().ping()
    os.kill(own.pid, signal.SIGTERM)
    assert own.ended() == 0
    list(walk(own.trail))


def test_a_core_with_another_deployments_secret_changes_nothing(tmp_path: Path) -> None:
    core = start_core(tmp_path)
    core.client().mac("bearer", b"x")
    core.ended_by_pipe()
    before = {path: path.read_bytes() for path in core.trail.iterdir()}
    message = core.boot()
    wrong = Boot(
        message.deployment_id, bytes(32), message.sealed_domain_keys, message.key_check, message.trail_directory,
        message.uids,
    )  # fmt: skip
    process = launch_core(core.listener, wrong)
    assert process.process.wait(10) == EXIT_SECRET
    process.close_pipes()
    assert {path: path.read_bytes() for path in core.trail.iterdir()} == before
    core.listener.close()


def test_a_core_does_not_start_on_a_tampered_trail(own: RunningCore) -> None:
    client = own.client()
    for number in range(5):
        client.append([b'{"eventID":"e%d"}' % number])
    own.ended_by_pipe()
    segment = next(own.trail.glob("*.trail"))
    segment.write_bytes(segment.read_bytes().replace(b'"e2"', b'"e9"'))
    own.process = launch_core(own.listener, own.boot())
    assert own.ended() == EXIT_TRAIL


def test_a_trail_that_cannot_be_written_ends_the_core(tmp_path: Path) -> None:
    core = start_core(tmp_path, segment_bytes=1)  # each record begins a segment
    client = core.client(deadline=1.0)
    made = client.generate_key(CURVE, ASKER)
    (core.trail).rename(tmp_path / "gone")
    with pytest.raises(CoreUnavailable):
        client.sign(made.token, CURVE, ASKER, ECDSA, b"m")
    assert core.ended() == EXIT_TRAIL
    core.listener.close()


def test_a_helper_that_hangs_is_replaced_and_its_call_repeated(own: RunningCore) -> None:
    client = own.client(deadline=8.0)
    made = client.generate_key(MODULUS, ASKER)
    hung = client.ping().helpers
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    assert client.sign(made.token, MODULUS, ASKER, RSA, b"m")
    assert client.ping().pid == own.pid
    assert client.ping().helpers[0] not in hung
