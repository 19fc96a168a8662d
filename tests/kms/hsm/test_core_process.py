"""The core as a process: hardened, bounded, killed, stopped and restarted, with nothing acknowledged ever lost."""

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
    BadSeal,
    CoreBusy,
    CoreClient,
    CoreUnavailable,
    GeneratedKey,
    KeyLabel,
    KeyRefused,
)
from kms.hsm.boot import EXIT_SECRET, EXIT_TRAIL, Boot
from kms.hsm.labels import Role
from kms.hsm.launch import launch_core
from tests.support.core import DEPLOYMENT, RunningCore, start_core

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


def test_the_core_says_how_it_is(core: CoreClient, running_core: RunningCore) -> None:
    status = core.ping()
    assert (status.pid, status.deployment_id) == (running_core.pid, DEPLOYMENT)
    assert status.domain_key_version == 1
    assert len(status.helpers) == 2
    assert status.uptime > 0


def test_the_core_and_its_helpers_leave_no_core_file_and_cannot_be_dumped(core: CoreClient) -> None:
    status = core.ping()
    for pid in (status.pid, *status.helpers):
        limits = Path(f"/proc/{pid}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert line.split()[4:6] == ["0", "0"]
        # The kernel gives the files of a process that is not dumpable to root.
        assert Path(f"/proc/{pid}/mem").stat().st_uid == 0
    if os.getuid() == 0:
        assert status.memory_locked


def test_the_secret_is_in_neither_arguments_nor_environment(running_core: RunningCore) -> None:
    for name in ("cmdline", "environ"):
        shown = Path(f"/proc/{running_core.pid}/{name}").read_bytes()
        assert running_core.kek.value not in shown
        assert running_core.kek.value.hex().encode() not in shown


def test_the_helpers_hold_no_descriptor_but_their_own_stream(core: CoreClient) -> None:
    for pid in core.ping().helpers:
        targets = [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if int(link.name) > 2]
        assert len(targets) == 1
        assert targets[0].startswith("socket:")


def test_each_use_is_recorded_with_who_asked_and_what_was_done(
    core: CoreClient, running_core: RunningCore
) -> None:
    asker = Asker("request-recorded", "arn:aws:iam::111122223333:user/auditor")
    made = core.generate_key(CURVE, asker)
    core.sign(made.token, CURVE, asker, ECDSA, b"message")
    with pytest.raises(BadSeal):
        core.sign(b"no token", CURVE, asker, ECDSA, b"message")
    used = [msgspec.json.decode(r.body) for r in walk(running_core.trail) if r.kind == "use"]
    mine = [record for record in used if record["request"] == asker.request_id]
    assert [(record["op"], record.get("outcome", "ok")) for record in mine] == [
        ("GenerateKey", "ok"), ("Sign", "ok"), ("Sign", "BadSeal"),
    ]  # fmt: skip
    assert mine[1] | {"at": "", "pid": 0} == {
        "at": "", "op": "Sign", "request": "request-recorded", "principal": asker.principal, "role": "scheduler",
        "pid": 0, "purpose": "kms", "account": "111122223333", "region": "eu-central-1", "key": "curve",
        "version": 1, "spec": "EC_prime256v1", "algorithm": ECDSA, "kind": "raw",
        "digest": "ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d",
    }  # fmt: skip
    assert mine[0]["pid"] == os.getpid()


def test_an_event_is_appended_once_however_often_it_is_sent(own: RunningCore) -> None:
    client = own.client()
    first, second = b'{"eventID":"event-1","n":1}', b'{"eventID":"event-2"}'
    client.append([first, first])
    client.append([first, second])
    own.restart()
    client.append([first, second])
    assert [r.body for r in walk(own.trail) if r.kind == "event"] == [first, second]


@pytest.mark.parametrize(
    "event",
    [b"", b"[]", b"{}", b'{"eventID":7}', b'{"eventID":"x"', b'{"eventID":\n"x"}', b'{"eventID":"x"} {}'],
)
def test_a_malformed_event_is_refused_and_nothing_of_its_batch_kept(core: CoreClient, event: bytes) -> None:
    before = core.ping().sequence
    with pytest.raises(KeyRefused, match="event"):
        core.append([b'{"eventID":"fine-%d"}' % before, event])
    assert core.ping().sequence == before


def test_all_threads_may_ask_at_once(core: CoreClient) -> None:
    made = core.generate_key(CURVE, ASKER)
    signatures: list[bytes] = []

    def sign() -> None:
        signatures.extend(core.sign(made.token, CURVE, ASKER, ECDSA, b"same") for _ in range(20))
        core.close()

    run_all([threading.Thread(target=sign) for _ in range(8)])
    assert len(signatures) == 160
    assert len(set(signatures)) == 1


def run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_rsa_key_generation_does_not_hold_up_other_requests(core: CoreClient) -> None:
    curve = core.generate_key(CURVE, ASKER)
    big = KeyLabel("kms", "111122223333", "eu-central-1", "big", 1, "RSA_4096")
    maker = threading.Thread(target=lambda: core.generate_key(big, ASKER))
    maker.start()
    slowest = 0.0
    while maker.is_alive():
        started = time.monotonic()
        core.sign(curve.token, CURVE, ASKER, ECDSA, b"m")
        slowest = max(slowest, time.monotonic() - started)
    maker.join()
    assert slowest < 1.0  # a generation takes up to several seconds


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


def test_there_is_no_core_where_there_is_no_socket(tmp_path: Path) -> None:
    with pytest.raises(CoreUnavailable, match="no key core"):
        CoreClient(tmp_path / "core.sock", "worker").ping()
    with pytest.raises(CoreUnavailable, match="no key core"):
        CoreClient(tmp_path / "missing" / "core.sock", "worker").ping()


def test_the_callers_check_runs_before_every_request(running_core: RunningCore) -> None:
    def open_transaction() -> None:
        raise AssertionError("a transaction is open")

    client = CoreClient(running_core.socket_path, "worker", open_transaction)
    with pytest.raises(AssertionError, match="transaction"):
        client.mac("bearer", b"x")


def test_a_client_used_after_a_fork_makes_a_stream_of_its_own(core: CoreClient) -> None:
    core.mac("bearer", b"x")
    child = os.fork()
    if child == 0:
        ok = False
        try:
            ok = core.mac("bearer", b"y") != b""
        finally:
            os._exit(0 if ok else 1)
    mine = [core.mac("bearer", b"x") for _ in range(50)]
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert len(set(mine)) == 1


def test_a_socket_path_longer_than_the_kernels_limit_works(tmp_path: Path) -> None:
    directory = tmp_path / ("d" * 100) / ("e" * 100)
    directory.mkdir(parents=True)
    core = start_core(directory)
    assert core.client().ping().pid == core.pid
    assert core.socket_path.stat().st_mode & 0o777 == 0o600
    core.stop()


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


def test_the_heart_beats_four_times_a_second_from_the_loop(own: RunningCore) -> None:
    own.client().ping()
    os.read(own.process.heartbeat, 1000)
    time.sleep(1.3)
    assert 3 <= len(os.read(own.process.heartbeat, 1000)) <= 7


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


def test_a_role_is_checked_by_the_core(running_core: RunningCore) -> None:
    roles: dict[Role, bool] = {"worker": False, "admin": True, "scheduler": True}
    for role, may in roles.items():
        client = running_core.client(role)
        if may:
            client.new_access_key("1", "AKIA", None)
        else:
            with pytest.raises(KeyRefused, match="may not ask"):
                client.new_access_key("1", "AKIA", None)


def test_a_user_that_has_no_role_is_turned_away(tmp_path: Path) -> None:
    core = start_core(tmp_path)
    core.ended_by_pipe()
    message = core.boot()
    uids: dict[Role, list[int]] = {"worker": [os.getuid()], "scheduler": [], "admin": [os.getuid() + 1]}
    restricted = Boot(
        message.deployment_id, message.kek, message.sealed_domain_keys, message.key_check, message.trail_directory,
        uids,
    )  # fmt: skip
    core.process = launch_core(core.listener, restricted)
    assert core.client("worker").ping().pid == core.process.pid
    for role in ("scheduler", "admin"):
        with pytest.raises(KeyRefused, match=f"is no {role}"):
            core.client(role).ping()
    core.stop()


def test_a_full_queue_is_answered_with_busy(own: RunningCore) -> None:
    big = KeyLabel("kms", "111122223333", "eu-central-1", "big", 1, "RSA_4096")
    client = CoreClient(own.socket_path, "worker", slow_deadline=3.0)
    outcomes: list[str] = []

    def make() -> None:
        try:
            client.generate_key(big, ASKER)
            outcomes.append("made")
        except (CoreBusy, CoreUnavailable) as refused:
            outcomes.append(type(refused).__name__)
        client.close()

    run_all([threading.Thread(target=make) for _ in range(60)])
    assert outcomes.count("CoreBusy") >= 5
    assert own.client().ping().pid == own.pid


def test_a_helper_that_hangs_is_replaced_and_its_call_repeated(own: RunningCore) -> None:
    client = own.client(deadline=8.0)
    made = client.generate_key(MODULUS, ASKER)
    hung = client.ping().helpers
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    assert client.sign(made.token, MODULUS, ASKER, RSA, b"m")
    assert client.ping().pid == own.pid
    assert client.ping().helpers[0] not in hung
