"""Concurrent histories of one key's state: after an acknowledged DisableKey no Encrypt that begins succeeds, anywhere."""

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.served import Served, keystead

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ROUNDS = 10
CLIENTS = 4


@dataclass
class History:
    """What several clients were told: of each Encrypt when it began and whether it succeeded, on the monotonic clock."""

    told: list[tuple[float, float, str]] = field(default_factory=list)
    forbidden: list[tuple[float, float]] = field(default_factory=list)
    """From an acknowledged DisableKey until the EnableKey that follows was asked for."""

    def wrong(self) -> list[tuple[float, float, str]]:
        """Successes that began and ended in forbidden times."""
        return [
            one
            for one in self.told
            if one[2] == "" and any(begin < one[0] and one[1] < end for begin, end in self.forbidden)
        ]


def client(served: Served) -> Any:
    return boto3.session.Session(
        aws_access_key_id=served.first["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=served.first["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    ).client(
        "kms",
        endpoint_url=served.url,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=1),
    )


def record(hosts: list[Served], rounds: int) -> History:
    """Disable and enable a key in turn, through each host, while clients encrypt under it through all hosts."""
    history, stop = History(), threading.Event()
    controls = [client(host) for host in hosts]
    key = controls[0].create_key()["KeyMetadata"]["KeyId"]

    def encrypt(host: Served) -> None:
        kms = client(host)
        while not stop.is_set():
            begun = time.monotonic()
            try:
                kms.encrypt(KeyId=key, Plaintext=b"x")
                code = ""
            except ClientError as error:
                code = error.response["Error"]["Code"]
            history.told.append((begun, time.monotonic(), code))

    callers = [threading.Thread(target=encrypt, args=(host,)) for host in hosts for _ in range(CLIENTS)]
    for caller in callers:
        caller.start()
    for number in range(rounds):
        control = controls[number % len(controls)]
        time.sleep(0.1)
        control.disable_key(KeyId=key)
        acknowledged = time.monotonic()
        time.sleep(0.25)
        history.forbidden.append((acknowledged, time.monotonic()))
        control.enable_key(KeyId=key)
    stop.set()
    for caller in callers:
        caller.join()
    return history


def check(history: History) -> None:
    assert history.wrong() == []
    codes = {code for _, _, code in history.told}
    assert codes == {"", "DisabledException"}
    during = [one for one in history.told if any(a < one[0] and one[1] < b for a, b in history.forbidden)]
    assert len(during) > ROUNDS


@pytest.fixture
def first(tmp_path: Path, postgres_url: str) -> Iterator[Served]:
    one = Served(tmp_path / "first", flags=["--database", postgres_url])
    one.start()
    yield one
    one.end()


def test_no_worker_encrypts_after_an_acknowledged_disable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYSTEAD_WORKERS", "3")
    served = Served(tmp_path / "data")
    served.start()
    try:
        check(record([served], ROUNDS))
    finally:
        served.end()


def test_no_host_of_a_database_encrypts_after_an_acknowledged_disable(
    first: Served, tmp_path: Path, postgres_url: str
) -> None:
    shutil.copy(first.data / "unseal.key", tmp_path / "carried.key")
    second = Served(tmp_path / "second", first=dict(first.first))
    unseal = f"file:{tmp_path / 'carried.key'}"
    keystead("join", "--data", str(second.data), "--database", postgres_url, "--unseal", unseal)
    second.start()
    try:
        check(record([first, second], ROUNDS))
    finally:
        second.end()
