"""The core as a process: hardened, bounded, recording, and open only to those who have a role."""

import os
import threading
import time
from collections.abc import Iterator
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
    KeyLabel,
    KeyRefused,
)
from kms.hsm.boot import Boot
from kms.hsm.labels import NOBODY, Role
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
    mine = [record for record in used if record.get("request") == asker.request_id]
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


def test_the_heart_beats_four_times_a_second_from_the_loop(own: RunningCore) -> None:
    own.client().ping()
    os.read(own.process.heartbeat, 1000)
    time.sleep(1.3)
    assert 3 <= len(os.read(own.process.heartbeat, 1000)) <= 7


def test_a_role_is_checked_by_the_core(running_core: RunningCore) -> None:
    roles: dict[Role, bool] = {"worker": True, "admin": False, "scheduler": True}
    for role, may in roles.items():
        client = running_core.client(role)
        if may:
            assert len(client.generate_random(NOBODY, 32)) == 32
        else:
            with pytest.raises(KeyRefused, match="may not ask"):
                client.generate_random(NOBODY, 32)


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
