"""kill -9 of everything while Private CA issues and revokes: nothing acknowledged is lost, no serial twice, CRLs only go up."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509

from tests.chaos.test_kills import csr, first_answer
from tests.support.served import Served, keystead, wait_for

pytestmark = [pytest.mark.chaos]

ISSUERS = 2
FAILS = (BotoCoreError, ClientError, OSError)
LATEST = 90.0  # seconds from a revocation to the CRL that lists it, on a busy machine; 60 are promised


@dataclass
class Caller:
    """Issues and revokes over boto3, and remembers what was acknowledged."""

    served: Served
    authority: str
    issued: dict[str, str] = field(default_factory=dict)  # ARN -> PEM
    promised: set[str] = field(default_factory=set)  # ARNs that IssueCertificate gave
    revoked: set[int] = field(default_factory=set)  # serial numbers, acknowledged
    crl_number: int = 0
    counter: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def client(self) -> Any:
        keys = self.served.first
        return boto3.client(
            "acm-pca",
            endpoint_url=self.served.url,
            region_name=self.authority.split(":")[3],
            aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
        )

    def start(self) -> None:
        self.stopping.clear()
        work: list[Callable[[Any], None]] = [self._issue] * ISSUERS + [self._revoke]
        self.threads = [threading.Thread(target=self._repeat, args=(each, self.client())) for each in work]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def has_revoked_more_than(self, count: int) -> bool:
        return len(self.revoked) > count

    def _repeat(self, work: Callable[[Any], None], client: Any) -> None:
        while not self.stopping.is_set():
            try:
                work(client)
            except FAILS:
                time.sleep(0.01)  # the server dies under our hands: that is the point

    def _issue(self, client: Any) -> None:
        self.counter += 1
        token = f"t{self.counter}x{threading.get_ident()}"[:36]
        asked = {
            "CertificateAuthorityArn": self.authority,
            "Csr": csr(f"host-{self.counter}.test"),
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Validity": {"Type": "DAYS", "Value": 30},
            "IdempotencyToken": token,
        }
        arn = client.issue_certificate(**asked)["CertificateArn"]
        self.promised.add(arn)
        assert client.issue_certificate(**asked)["CertificateArn"] == arn
        self.look(client, arn)

    def look(self, client: Any, arn: str) -> None:
        """Notes the certificate, or holds it against what was noted before."""
        found = client.get_certificate(CertificateAuthorityArn=self.authority, CertificateArn=arn)
        assert self.issued.setdefault(arn, found["Certificate"]) == found["Certificate"]

    def _revoke(self, client: Any) -> None:
        waiting = [arn for arn in list(self.issued) if int(arn.rpartition("/")[2], 16) not in self.revoked]
        if len(waiting) < 2:
            time.sleep(0.02)
            return
        serial = waiting[0].rpartition("/")[2]
        with suppress(client.exceptions.RequestAlreadyProcessedException):  # an answer that a kill cut off
            client.revoke_certificate(
                CertificateAuthorityArn=self.authority,
                CertificateSerial=serial,
                RevocationReason="SUPERSEDED",
            )
        self.revoked.add(int(serial, 16))

    def crl(self) -> x509.CertificateRevocationList | None:
        """The CRL as it is published now; its number has never been higher before."""
        status, body = self.served.get(f"/pki/{self.authority.rpartition('/')[2]}.crl")
        if status != 200:
            return None
        found = x509.load_der_x509_crl(body)
        number = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        assert number >= self.crl_number, f"the CRL went back from {self.crl_number} to {number}"
        self.crl_number = number
        return found


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    served = Served(tmp_path / "data")
    served.start()
    made = Caller(served, served.command("ca", "init")["SUBORDINATE_CA_ARN"])
    yield made
    made.stop()
    served.end()


@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(2, marks=pytest.mark.timeout(240)),
        pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(3000)]),
    ],
)
def test_nothing_issued_or_revoked_is_lost_no_serial_comes_twice_and_crl_numbers_go_up(
    caller: Caller, kills: int
) -> None:
    for number in range(kills):
        known = len(caller.revoked)
        caller.start()
        wait_for(partial(caller.has_revoked_more_than, known), 30)
        time.sleep(0.05 + 0.25 * (number * 7919 % 100) / 100)  # another moment each time
        caller.served.kill_all()
        caller.stop()
        begun = time.monotonic()
        caller.served.start()
        first_answer(caller.served, begun)
        caller.crl()
        client = caller.client()
        for arn in list(caller.promised)[-10:]:
            caller.look(client, arn)
    assert len(caller.issued) > kills, "too few certificates to have been killed among"
    assert len(caller.revoked) >= kills, "too few revocations to have been killed among"
    client = caller.client()
    for arn in caller.promised:
        caller.look(client, arn)
    serials = {x509.load_pem_x509_certificate(pem.encode()).serial_number for pem in caller.issued.values()}
    assert len(serials) == len(caller.issued) == len(caller.promised)
    wait_for(lambda: _lists(caller, caller.revoked), LATEST)
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(caller.served.data)).stdout
    print(f"{len(caller.issued)} issued, {len(caller.revoked)} revoked, CRL number {caller.crl_number}")


def _lists(caller: Caller, serials: set[int]) -> bool:
    crl = caller.crl()
    return crl is not None and serials <= {each.serial_number for each in crl}
