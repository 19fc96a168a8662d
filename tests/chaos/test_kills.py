"""kill -9 and SIGSTOP, of everything at once and of each process alone, while certificates are issued."""

import http.client
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from server.children import STEADY
from tests.support.pace import pace
from tests.support.served import Served, keystead, wait_for

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

KILLS = 25
CALLERS = 3
HEALED = 2.0  # seconds, at the reference machine's pace, of a start that nothing else on the machine held up
SLOWEST = 10.0  # seconds at that pace, every one of them


def csr(name: str) -> str:
    """A signing request with a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return request.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Clients:
    """Callers that ask for certificates of a private CA, and remember what was acknowledged to them."""

    served: Served
    token: str
    authority: str
    acknowledged: dict[str, str] = field(default_factory=dict)  # certificate id → PEM
    requested: set[str] = field(default_factory=set)  # ids that a 201 named
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)
    counter: int = 0

    def start(self) -> None:
        self.stopping.clear()
        self.threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CALLERS)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def knows_more_than(self, count: int) -> bool:
        return len(self.acknowledged) > count

    def _ask(self, number: int) -> None:
        while not self.stopping.is_set():
            self.counter += 1
            body = {
                "csr": csr(f"host-{number}-{self.counter}.test"),
                "certificate_authority_arn": self.authority,
                "idempotency_token": f"t{number}x{self.counter}",
            }
            try:
                status, made = self.served.api("POST", "/v1/certificates", self.token, body)
                if status == 201:
                    self.requested.add(made["id"])
                    self.look(made["id"])
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.01)  # the server dies under our hands: that is the point

    def look(self, certificate_id: str) -> None:
        """Notes the certificate, or holds it against what was noted before."""
        status, found = self.served.api("GET", f"/v1/certificates/{certificate_id}", self.token)
        assert status == 200, found
        if found["certificate"] is not None:
            assert self.acknowledged.setdefault(certificate_id, found["certificate"]) == found["certificate"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = Served(tmp_path / "data", tls=True)
    one.start()
    yield one
    one.end()


@pytest.fixture
def clients(served: Served) -> Iterator[Clients]:
    made = Clients(
        served, served.command("token", "create")["TOKEN"], served.command("ca", "init")["SUBORDINATE_CA_ARN"]
    )
    yield made
    made.stop()


def first_answer(served: Served, since: float) -> float:
    """Seconds from `since` to the first call that everything behind it took part in."""

    def answers() -> bool:
        with suppress(OSError):
            return served.get("/readyz")[0] == 200
        return False

    wait_for(answers, 30)
    return time.monotonic() - since


def test_no_acknowledged_certificate_is_lost_and_no_serial_comes_twice_over_25_kills_of_everything(
    served: Served, clients: Clients
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    recoveries, scaled = list[float](), list[float]()
    for _ in range(KILLS):
        known = len(clients.acknowledged)
        clients.start()
        if chance.random() < 0.7:  # else perhaps before the first answer
            wait_for(partial(clients.knows_more_than, known), 30)
        time.sleep(chance.uniform(0.0, 0.3))
        look_into(served.data / "keystead.db")
        served.kill_all()
        clients.stop()
        before = pace()
        begun = time.monotonic()
        served.start()
        took = first_answer(served, begun)
        slowdown = max(before, pace())
        recoveries.append(took)
        scaled.append(took / slowdown)
        assert took <= SLOWEST * slowdown
        for certificate_id in list(clients.acknowledged)[-20:]:
            clients.look(certificate_id)
    assert len(clients.acknowledged) > KILLS, "too few certificates to have been killed among"
    for certificate_id in clients.requested:
        wait_for(partial(_issued, clients, certificate_id), 90)
    serials = [
        x509.load_pem_x509_certificate(pem.encode()).serial_number for pem in clients.acknowledged.values()
    ]
    assert len(serials) == len(set(serials)) == len(clients.requested)
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(served.data)).stdout
    print(f"up again: median {median(recoveries):.2f} s, slowest {max(recoveries):.2f} s")
    # What other work on the machine does to a start says nothing about the start, and passes by in a tenth of the rounds.
    assert quantiles(scaled, n=10)[0] <= HEALED


def look_into(database: Path) -> None:
    """What an operator does with sqlite3: its end takes the log away, unless others are known to use the database."""
    with closing(sqlite3.connect(database)) as outside:
        assert outside.execute("SELECT count(*) FROM account").fetchone()[0] > 0


def _issued(clients: Clients, certificate_id: str) -> bool:
    clients.look(certificate_id)
    return certificate_id in clients.acknowledged


def works(served: Served, clients: Clients) -> bool:
    """Whether a certificate is issued over HTTP and HTTPS answers: every process has a part in it."""
    with suppress(OSError, ValueError, http.client.HTTPException):
        body = {"csr": csr("healed.test"), "certificate_authority_arn": clients.authority}
        status, made = served.api("POST", "/v1/certificates", clients.token, body)
        return status == 201 and made["status"] == "ISSUED" and served.get_tls("/readyz")[0] == 200
    return False


@pytest.mark.parametrize("place", ["core", "http-1", "http-2", "https", "scheduler"])
@pytest.mark.parametrize("blow", ["killed", "killed twice in a second", "stopped"])
def test_a_process_heals_alone(healing: tuple[Served, Clients], place: str, blow: str) -> None:
    served, clients = healing
    time.sleep(STEADY + 0.2)  # a place that stood for a while starts at its first delay again
    slowdown = pace()
    before = served.places()
    begun = time.monotonic()
    strike(served, place, signal.SIGSTOP if blow == "stopped" else signal.SIGKILL)
    if blow == "killed twice in a second":
        wait_for(lambda: served.places()[place] != before[place], 5)
        strike(served, place, signal.SIGKILL)
    old = served.places()[place] if "twice" in blow else before[place]
    wait_for(lambda: served.places()[place] != old, 10)
    wait_for(lambda: works(served, clients), 10)
    took = time.monotonic() - begun
    assert took / max(slowdown, pace()) <= HEALED
    after = served.places()
    assert {other: pid for other, pid in before.items() if other not in {place, "first-steps"}} == {
        other: pid for other, pid in after.items() if other not in {place, "first-steps"}
    }


def strike(served: Served, place: str, blow: signal.Signals) -> None:
    """The signal, to whoever is at work there."""
    import os

    with suppress(ProcessLookupError):
        os.kill(served.places()[place], blow)


@pytest.fixture(scope="module")
def healing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Clients]]:
    """One server for all the single blows."""
    one = Served(tmp_path_factory.mktemp("healing") / "data", tls=True)
    one.start()
    token = one.command("token", "create")["TOKEN"]
    yield one, Clients(one, token, one.command("ca", "init")["SUBORDINATE_CA_ARN"])
    one.end()


def test_a_killed_supervisor_leaves_nobody_who_answers(served: Served) -> None:
    from tests.support.served import descendants

    assert served.process is not None
    pids = descendants(served.process.pid)
    served.process.kill()
    served.process.wait()
    assert served.process.stdout is not None
    served.process.stdout.close()
    wait_for(lambda: not any(_runs(pid) for pid in pids), 2)
    with pytest.raises(OSError, match=r"refused|reset"):
        served.get("/healthz")


def _runs(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
    return False
