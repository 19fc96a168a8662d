"""The log of a real service: what is issued is under a signed checkpoint in seconds, also when everything is killed meanwhile."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.api.pca.acting import hierarchy, request
from tests.ca.log.test_log import Independent
from tests.e2e.test_ocsp_clients import client
from tests.support.served import Served, keystead

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path / "data")
    made.start()
    yield made
    made.end()


def reading(served: Served) -> tuple[Callable[[str], bytes | None], str]:
    vkey = keystead("ca", "log", "key", "--data", str(served.data)).stdout.strip()
    name = vkey.split("+")[0].rpartition("/")[2]

    def read(path: str) -> bytes | None:
        try:
            with urlopen(f"{served.url}/log/{name}/{path}", timeout=10) as answer:
                return bytes(answer.read())
        except HTTPError:
            return None

    return read, vkey


def test_entries_are_under_a_checkpoint_in_seconds_and_no_kill_makes_a_fork(
    served: Served, tmp_path: Path
) -> None:
    pca = client(served)
    made = hierarchy(pca, "EC_prime256v1")
    csr = request("host.example.test")
    read, vkey = reading(served)
    issued = 2
    for number in range(4):
        for _ in range(5):
            pca.issue_certificate(
                CertificateAuthorityArn=made.subordinate,
                Csr=csr,
                SigningAlgorithm="SHA256WITHECDSA",
                Validity={"Type": "DAYS", "Value": 30},
            )
        issued += 5
        time.sleep(0.3 * number)  # at, before and after a round of the sequencer
        served.kill_all()
        served.start()
        pca = client(served)
        deadline = time.monotonic() + 20
        while (log := Independent(read, vkey)).size < issued and time.monotonic() < deadline:
            time.sleep(0.2)
        assert log.size >= issued
        assert len(set(log.entries)) == log.size
        older = tmp_path / "older"
        since = ["--since", str(older)] if older.exists() else []
        said = keystead("ca", "log", "verify", "--data", str(served.data), *since).stdout
        assert "The log is whole" in said
        older.write_bytes(read("checkpoint") or b"")
