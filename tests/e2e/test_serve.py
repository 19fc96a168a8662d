"""`keystead serve` and its commands, as an operator meets them."""

import os
import re
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography import x509

from tests.support.served import KEYSTEAD, Served, descendants, keystead, pss_kilobytes, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("serve") / "data", tls=True)
    one.start()
    yield one
    one.end()


def test_the_first_start_prints_the_first_accounts_key_once_and_says_what_the_key_file_does_not_protect(
    served: Served,
) -> None:
    printed = "".join(served.printed)
    assert re.search(r"^AWS_SECRET_ACCESS_KEY=\S{40}$", printed, re.MULTILINE)
    assert re.search(r"^ACCOUNT_ID=\d{12}$", printed, re.MULTILINE)
    assert "protects nothing from whoever copies" in printed
    assert served.first["AWS_SECRET_ACCESS_KEY"] not in served.log()


def test_it_answers_over_http_and_over_https_with_a_certificate_of_its_own_authority(served: Served) -> None:
    assert served.get("/readyz") == (200, b"ready\n")
    status, _, shown = served.get_tls("/readyz")
    assert status == 200
    names = x509.load_der_x509_certificate(shown).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert {"localhost"} <= set(names.value.get_values_for_type(x509.DNSName))
    assert {"127.0.0.1", "::1"} <= {str(name) for name in names.value.get_values_for_type(x509.IPAddress)}


def test_every_file_is_its_owners_alone(served: Served) -> None:
    open_to_others = [
        path
        for path in (served.data, *served.data.rglob("*"))
        if stat.S_IMODE(path.lstat().st_mode) & 0o077 and not path.is_symlink()
    ]
    assert open_to_others == []


def test_the_first_account_is_the_default_and_another_can_be_named(served: Served) -> None:
    own = served.command("ca", "init")
    assert f":{served.first['ACCOUNT_ID']}:" in own["ROOT_CA_ARN"]
    other = served.command("account", "create")
    assert set(other) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "ACCOUNT_ID"}
    theirs = served.command("ca", "init", "--account", other["ACCOUNT_ID"], "--region", "eu-west-1")
    assert f":eu-west-1:{other['ACCOUNT_ID']}:" in theirs["SUBORDINATE_CA_ARN"]
    root = x509.load_pem_x509_certificate(Path(theirs["ROOT_PEM"]).read_bytes())
    assert root.issuer == root.subject


def test_an_account_is_made_in_under_half_a_second_while_the_server_runs(served: Served) -> None:
    took = []
    for _ in range(3):
        begun = time.monotonic()
        served.command("account", "create")
        took.append(time.monotonic() - begun)
    assert min(took) < 0.5


def test_an_account_keeps_the_id_and_key_it_is_given_and_is_not_made_twice(served: Served) -> None:
    given = (
        "--id",
        "111122223333",
        "--access-key",
        "AKIDGIVENGIVENGI",
        "--secret-key",
        "a-secret-of-the-test",
    )
    made = served.command("account", "create", *given)
    assert made["ACCOUNT_ID"] == "111122223333"
    assert made["AWS_SECRET_ACCESS_KEY"] == "a-secret-of-the-test"
    again = keystead("account", "create", "--data", str(served.data), *given, check=False)
    assert again.returncode == 1
    assert "already exists" in again.stderr
    assert "Traceback" not in again.stderr


def test_a_token_opens_the_http_api_for_its_principal_and_an_unknown_one_is_not_made(served: Served) -> None:
    token = served.command("token", "create")["TOKEN"]
    status, page = served.api("GET", "/v1/certificates", token)
    assert (status, page["certificates"]) == (200, [])
    refused = keystead(
        "token",
        "create",
        "--data",
        str(served.data),
        "--principal",
        "arn:aws:iam::999999999999:user/x",
        check=False,
    )
    assert refused.returncode == 1
    assert "no principal" in refused.stderr


def test_roots_lists_each_accounts_roots_and_the_doors(served: Served) -> None:
    root = x509.load_pem_x509_certificate(Path(served.command("ca", "init")["ROOT_PEM"]).read_bytes())
    listed = x509.load_pem_x509_certificates(keystead("roots", "--data", str(served.data)).stdout.encode())
    door = x509.load_pem_x509_certificate((served.data / "roots" / "door.pem").read_bytes())
    assert root in listed
    assert door in listed
    assert len(listed) == len(set(listed))


def test_the_trail_is_whole_and_the_doctor_finds_nothing_wrong(served: Served) -> None:
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(served.data)).stdout
    said = keystead("doctor", "--data", str(served.data)).stdout
    assert re.search(r"^note\s+unseal secret: .*copies this directory", said, re.MULTILINE)
    assert "wrong" not in said


def test_a_second_server_on_the_directory_ends_with_the_pid_of_the_first(served: Served) -> None:
    assert served.process is not None
    second = subprocess.run(
        [*KEYSTEAD, "serve", "--data", str(served.data)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert str(served.process.pid) in second.stderr
    assert "Traceback" not in second.stderr


def test_a_real_clock_is_not_moved(served: Served) -> None:
    moved = keystead("clock", "advance", "60d", "--data", str(served.data), check=False)
    assert moved.returncode == 1
    assert "--test-clock" in moved.stderr


def test_no_other_process_may_read_a_workers_memory_and_none_leaves_a_core_file(served: Served) -> None:
    assert served.process is not None
    for pid in (served.process.pid, *descendants(served.process.pid)):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE)
        # The files in /proc of a process that is not dumpable belong to root (proc(5)); so does the group.
        assert Path(f"/proc/{pid}/environ").stat().st_gid == 0


def test_the_unseal_secret_is_in_no_worker_and_not_on_the_supervisors_heap(served: Served) -> None:
    from kms.hsm.custody import kek_for, read_secret
    from tests.support.memory import holds

    secret = read_secret(f"file:{served.data / 'unseal.key'}", {})
    with_database = keystead("doctor", "--data", str(served.data)).stdout
    assert "sqlite" in with_database
    import sqlite3

    with sqlite3.connect(f"file:{served.data / 'keystead.db'}?mode=ro", uri=True) as connection:
        [(sealed,)] = connection.execute("SELECT sealed_domain_keys FROM deployment").fetchall()
    kek = kek_for(secret, sealed).value
    places = served.places()
    for place in ("http-1", "http-2", "https", "scheduler"):
        assert not holds(places[place], kek), place
        assert not holds(places[place], secret.value), place


def test_a_hangup_renews_the_https_worker_without_dropping_a_request(served: Served) -> None:
    assert served.process is not None
    failures: list[BaseException] = []
    answered = 0
    stop = threading.Event()

    def ask() -> None:
        nonlocal answered
        while not stop.is_set():
            try:
                assert served.get_tls("/healthz")[0] == 200
                answered += 1
            except (OSError, AssertionError) as error:
                failures.append(error)

    callers = [threading.Thread(target=ask) for _ in range(3)]
    for caller in callers:
        caller.start()
    before = served.places()["https"]
    for _ in range(2):
        os.kill(served.process.pid, signal.SIGHUP)
        time.sleep(1.5)
    stop.set()
    for caller in callers:
        caller.join()
    assert failures == []
    assert answered > 20
    assert served.places()["https"] != before


def test_all_processes_together_are_small_at_rest(served: Served) -> None:
    assert served.process is not None
    total = sum(pss_kilobytes(pid) for pid in (served.process.pid, *descendants(served.process.pid)))
    assert total < 300 * 1024, f"{total} kB"


def test_commands_work_where_nobody_serves_and_leave_nothing_running(tmp_path: Path) -> None:
    one = Served(tmp_path / "data")
    one.start()
    assert one.stop() == 0
    made = one.command("account", "create")
    assert len(made["ACCOUNT_ID"]) == 12
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(one.data)).stdout
    one.start()
    assert made["ACCOUNT_ID"] in one.command("ca", "init", "--account", made["ACCOUNT_ID"])["ROOT_CA_ARN"]
    one.end()


def test_a_directory_that_was_never_served_is_named_as_such(tmp_path: Path) -> None:
    asked = keystead("ca", "init", "--data", str(tmp_path), check=False)
    assert asked.returncode == 3
    assert f"keystead serve --data {tmp_path}" in asked.stderr


def test_a_wrong_unseal_secret_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    one = Served(tmp_path / "data")
    one.start()
    one.stop()
    key = one.data / "unseal.key"
    good = key.read_bytes()
    key.write_bytes(b"keystead-unseal-key-1:" + b"A" * 43 + b"=\n")
    before = (one.data / "keystead.db").read_bytes()
    refused = keystead("serve", "--data", str(one.data), "--listen", f"127.0.0.1:{one.port}", check=False)
    assert refused.returncode == 1
    assert "not the one of this deployment" in refused.stderr
    assert (one.data / "keystead.db").read_bytes() == before
    key.unlink()
    refused = keystead("serve", "--data", str(one.data), "--listen", f"127.0.0.1:{one.port}", check=False)
    assert refused.returncode == 1
    assert "--unseal" in refused.stderr
    key.write_bytes(good)
    one.start()
    one.end()


def test_a_directory_whose_database_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    one = Served(tmp_path / "data")
    one.start()
    one.stop()
    kept = (one.data / "keystead.db").rename(tmp_path / "kept.db")
    refused = keystead("serve", "--data", str(one.data), "--listen", f"127.0.0.1:{one.port}", check=False)
    assert refused.returncode == 1
    assert "put that deployment's database back" in refused.stderr
    for left in one.data.glob("keystead.db*"):
        left.unlink()
    kept.rename(one.data / "keystead.db")
    one.start()
    one.end()


def test_a_directory_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    inside_a_file = tmp_path / "file" / "data"
    inside_a_file.parent.touch()
    # The first cannot even hold settings (2: not understood), the second holds none and takes no files.
    for data, code, why in (
        (inside_a_file, 2, "Not a directory"),
        (Path("/sys/kernel"), 1, "cannot be written to"),
    ):
        refused = keystead("serve", "--data", str(data), "--listen", "127.0.0.1:0", check=False)
        assert refused.returncode == code
        assert why in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_passphrase_from_a_descriptor_unseals_and_is_written_nowhere(tmp_path: Path) -> None:
    phrase = tmp_path / "phrase"
    phrase.write_text("a passphrase of some length\n")
    one = Served(tmp_path / "data", flags=["--unseal", f"passphrase-file:{phrase}"])
    one.start()
    assert not (one.data / "unseal.key").exists()
    for place, pid in one.places().items():
        if place in {"http-1", "http-2", "scheduler"} and Path(f"/proc/{pid}").exists():
            assert b"a passphrase of some" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    one.stop()
    found = [
        path
        for path in one.data.rglob("*")
        if path.is_file() and b"a passphrase of some" in path.read_bytes()
    ]
    assert found == []
    assert len(one.command("account", "create")["ACCOUNT_ID"]) == 12  # --data alone: keystead.toml says how
    one.start()
    one.end()


def test_a_test_clock_marks_its_directory_for_ever(tmp_path: Path) -> None:
    one = Served(tmp_path / "data", flags=["--test-clock"])
    one.start()
    moved = keystead("clock", "advance", "60d", "--data", str(one.data))
    assert "UTC" in moved.stdout
    one.stop()
    refused = keystead("serve", "--data", str(one.data), "--listen", f"127.0.0.1:{one.port}", check=False)
    assert refused.returncode == 1
    assert "--test-clock" in refused.stderr
    assert re.search(
        r"note\s+clock: a test clock, now at 20\d\d-", keystead("doctor", "--data", str(one.data)).stdout
    )


def test_an_unknown_setting_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "keystead.toml").write_text('lissten = "127.0.0.1:1"\n')
    refused = keystead("serve", "--data", str(tmp_path), check=False)
    assert refused.returncode == 2
    assert "lissten" in refused.stderr


def test_a_taken_port_is_named(served: Served, tmp_path: Path) -> None:
    refused = keystead(
        "serve", "--data", str(tmp_path / "d"), "--listen", f"127.0.0.1:{served.port}", check=False
    )
    assert refused.returncode == 1
    assert f"127.0.0.1:{served.port}" in refused.stderr
    assert "--listen" in refused.stderr


def test_a_call_in_flight_at_the_end_is_answered(tmp_path: Path) -> None:
    one = Served(tmp_path / "data")
    one.start()
    statuses: list[int] = []

    def ask() -> None:
        with suppress(OSError):
            while True:
                statuses.append(one.get("/readyz")[0])

    caller = threading.Thread(target=ask)
    caller.start()
    wait_for(lambda: len(statuses) > 5, 10)
    assert one.stop() == 0
    caller.join()
    assert set(statuses) == {200}


def test_a_user_who_is_not_root_and_has_no_capability_can_serve(tmp_path: Path) -> None:
    # A user namespace: the same files, another uid, and none of root's powers.
    as_somebody = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    one = Served(tmp_path / "data", tls=True, prefix=as_somebody)
    one.start()
    assert one.get("/readyz")[0] == 200
    assert one.get_tls("/readyz")[0] == 200
    worker = Path(f"/proc/{one.places()['http-1']}/status").read_text()
    assert re.search(r"^CapEff:\s+0+$", worker, re.MULTILINE)
    one.end()
