"""A whole keystead in one test process: real core, store, assembly and doors; only the network is in memory.

world.account().client("acm")          # a stock boto3 client that calls the WSGI application
world.zone / world.servers             # the DNS that validation asks; a behaviour per server may be exchanged
world.advance(timedelta(days=160))     # the service's clock, by the code of `keystead clock advance`
world.http("GET", "/pki/roots.pem")    # everything that is not an AWS call
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acm import DnsProver
from ca import PublicPki
from foundation.egress import Endpoint
from foundation.identity import NewAccount, operator_call
from foundation.store import SYSTEM, Deployment, Scope
from foundation.wire import Request, Response
from server import clock_advance
from server.assembly import Assembly, Role
from server.chance import entropy
from server.doors import make_wsgi
from server.settings import load
from tests.support.botocore_client import SOURCE_IP, App, client, wsgi
from tests.support.core import RunningCore, start_core
from tests.support.dns import Behaviour, FakeClock, MemoryChannel, MemoryWires, honest
from validation import Dns, Publisher, UpdateZone

REGION = "eu-central-1"
ELSEWHERE = "us-east-1"
NAMESERVER = ("192.0.2.53", 53)
ZONE = "example.test"


class WatchedWires(MemoryWires):
    """The network in memory, which like the real one must not be called inside a transaction."""

    def __init__(self, servers: Mapping[Endpoint, Behaviour | None], before_call: Callable[[], None]) -> None:
        super().__init__(servers, FakeClock())
        self._before_call = before_call

    def datagram(self, server: Endpoint) -> MemoryChannel:
        self._before_call()
        return super().datagram(server)

    def stream(self, server: Endpoint, seconds: float) -> MemoryChannel:
        self._before_call()
        return super().stream(server, seconds)


@dataclass(frozen=True)
class Caller:
    """The user `admin` of one account."""

    world: "World"
    made: NewAccount

    @property
    def account(self) -> str:
        return self.made.account_id

    def client(self, service: str = "acm", *, region: str = REGION, **options: Any) -> Any:
        """A stock boto3 client. `options` as for tests.support.botocore_client.client; a wrong `secret_key` too."""
        given: dict[str, Any] = {
            "access_key": self.made.access_key_id,
            "secret_key": self.made.secret_access_key,
            **options,
        }
        return client(service, self.world.app, region=region, **given)

    def token(self) -> str:
        """A bearer token that acts as this user."""
        return self.world.scheduler.bearer.create(self.made.admin_arn).token

    def v1(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One call of /v1. Dictionaries are sent as JSON, text and bytes as they are."""
        sent = {"authorization": f"Bearer {token or self.token()}"}
        if isinstance(body, dict):
            sent["content-type"] = "application/json"
            body = json.dumps(body)
        return self.world.http(method, f"/v1{path}", body=body, headers={**sent, **(headers or {})})


class World:
    """One deployment with a test clock. `worker` answers calls, `scheduler` runs what is due."""

    def __init__(self, data: Path, core: RunningCore, flags: Mapping[str, Any] | None = None) -> None:
        self.data = data
        self.core = core
        self.settings = load(data, {"test_clock": "true", **(flags or {})}, {})
        first = Assembly.open(self.settings, "admin")
        first.store.migrate()
        deployment = Deployment(core.deployment, core.domain.sealed, core.domain.check, test_clock=True)
        first.store.create_deployment(deployment)
        first.close()
        self.servers: dict[Endpoint, Behaviour | None] = {NAMESERVER: honest(zone=ZONE)}
        self.worker = self._open("worker")
        self.scheduler = self._open("scheduler")
        self.wsgi = make_wsgi(self.worker)
        self.app: App = wsgi(self.wsgi)

    def _open(self, role: Role) -> Assembly:
        opened = Assembly.open(self.settings, role)
        wires = WatchedWires(self.servers, opened.store.assert_no_transaction)
        dns = Dns([NAMESERVER], wires, entropy, monotonic=wires.clock)
        issuers = self.settings.validation_caa_issuers
        outside = replace(opened.outside, dns=dns, prover=DnsProver(dns, issuers))
        return replace(opened, outside=outside)

    @property
    def person(self) -> Publisher:
        """Whoever may change the zone: RFC 2136 straight into the name server."""
        wires = MemoryWires(self.servers, FakeClock())
        return Publisher([UpdateZone(ZONE, NAMESERVER)], wires, entropy)

    def account(self, account_id: str | None = None) -> Caller:
        return Caller(self, self.scheduler.accounts.create(account_id))

    def private_ca(self, caller: Caller, region: str = REGION) -> tuple[str, str]:
        """`keystead ca init`: the ARN of a subordinate, and its root's PEM."""
        at, request_id = self.worker.clock.wall(), self.worker.pipeline.request_id()
        call = operator_call(account=caller.account, region=region, request_id=request_id, at=at, uid=0)
        unit = self.scheduler.store.unit(Scope(caller.account, region))
        root, subordinate = self.scheduler.ca(call, unit).init("EC_prime256v1")
        return subordinate.arn, root.certificate_pem

    def roots(self) -> list[x509.Certificate]:
        """Every root of the deployment and its accounts."""
        pem = PublicPki(self.worker.store.unit(SYSTEM)).every_root()
        return x509.load_pem_x509_certificates(pem.encode())

    def http(
        self,
        method: str,
        path: str,
        *,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One plain HTTP request to the front door."""
        where, _, query = path.partition("?")
        octets = body.encode() if isinstance(body, str) else body or b""
        sent = [(name.lower(), value) for name, value in (headers or {}).items()]
        names = {name for name, _ in sent}
        if "host" not in names:
            sent.insert(0, ("host", "keystead.test"))
        return self.app(Request(method, where, query, tuple(sent), octets, True, SOURCE_IP))

    def advance(self, by: timedelta) -> list[str]:
        """Move the service's clock, stopping at everything that falls due; the steps taken."""
        steps: list[str] = []
        clock_advance.advance(self.scheduler, by, steps.append)
        return steps

    def run_due(self) -> list[str]:
        """Let ten seconds pass, and with them all that a request leaves to do."""
        return self.advance(timedelta(seconds=10))

    def leap(self, by: timedelta) -> None:
        """Let the machine's clock have gained so much by itself: its uptime says so."""
        keeper = self.scheduler.timekeeper
        keeper.beat()
        machine = keeper._machine
        keeper._machine = replace(machine, uptime=lambda: machine.uptime() - by.total_seconds())

    def publish(self, described: Mapping[str, Any]) -> None:
        """Do what a person does with the CNAMEs in ACM's DescribeCertificate (or /v1's) answer."""
        for name, value in records(described):
            self.person.publish(name, value)

    def withdraw(self, described: Mapping[str, Any]) -> None:
        for name, value in records(described):
            self.person.withdraw(name, value)

    def events(self, caller: Caller, region: str = REGION, **lookup: Any) -> list[dict[str, Any]]:
        """The account's trail as LookupEvents shows it, newest first, whole events."""
        self.scheduler.shipper.ship()
        pages = caller.client("cloudtrail", region=region).get_paginator("lookup_events").paginate(**lookup)
        return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]

    def close(self) -> None:
        self.worker.close()
        self.scheduler.close()


def records(described: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The CNAMEs (name, value) that a description asks for."""
    if "domains" in described:
        return {(domain["record"]["name"], domain["record"]["value"]) for domain in described["domains"]}
    options = described["DomainValidationOptions"]
    return {(option["ResourceRecord"]["Name"], option["ResourceRecord"]["Value"]) for option in options}


def problem(response: Response) -> tuple[int, str, str]:
    """A problem document: (status, code, detail); fails for anything else."""
    assert dict(response.headers)["Content-Type"] == "application/problem+json", response
    document = json.loads(response.body)
    assert document["status"] == response.status
    assert len(document["request_id"]) == 36
    assert dict(response.headers)["x-amzn-RequestId"] == document["request_id"]
    return response.status, document["code"], document["detail"]


def csr(*names: str, key: Any = None, subject: x509.Name | None = None) -> tuple[str, Any]:
    """A PEM signing request for DNS names, and its private key."""
    private = key or ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or x509.Name([]))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    signed = builder.sign(private, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), private


def linked(data: Path, core: RunningCore) -> Path:
    """A data directory beside a core that others use too: its socket and its trail are links."""
    data.mkdir(mode=0o700)
    (data / "core.sock").symlink_to(core.socket_path)
    (data / "trail").symlink_to(core.trail)
    return data


@pytest.fixture
def world(tmp_path: Path, running_core: RunningCore) -> Iterator[World]:
    """A new deployment on SQLite, on the session's core."""
    made = World(linked(tmp_path / "data", running_core), running_core)
    yield made
    made.close()


@pytest.fixture
def make_world(tmp_path: Path, running_core: RunningCore) -> Iterator[Callable[..., World]]:
    """Makes deployments with settings of their own, by the names in server/settings.py."""
    worlds: list[World] = []

    def make(flags: Mapping[str, Any]) -> World:
        data = linked(tmp_path / f"data-{len(worlds)}", running_core)
        worlds.append(World(data, running_core, flags))
        return worlds[-1]

    yield make
    for made in worlds:
        made.close()


@pytest.fixture(scope="module")
def shared_world(tmp_path_factory: pytest.TempPathFactory, running_core: RunningCore) -> Iterator[World]:
    """One deployment for a module whose tests keep apart by accounts of their own."""
    made = World(linked(tmp_path_factory.mktemp("shared") / "data", running_core), running_core)
    yield made
    made.close()


@pytest.fixture
def any_world(any_store_url: str, tmp_path: Path, running_core: RunningCore) -> Iterator[World]:
    """A new deployment on SQLite, and on PostgreSQL."""
    data = linked(tmp_path / "data", running_core)
    made = World(data, running_core, {"database": any_store_url})
    yield made
    made.close()


@pytest.fixture
def mortal_world(tmp_path: Path) -> Iterator[World]:
    """A deployment with a core of its own, which the test may kill."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    core = start_core(data)
    made = World(data, core)
    yield made
    made.close()
    if core.process.process.poll() is None:
        core.stop()
    else:
        core.listener.close()
