"""A real Knot and a real BIND from Debian: proofs, CAA, truncation, and dynamic updates signed by TSIG."""

import base64
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from foundation.egress import Egress, Endpoint
from tests.support.dns import free_port
from validation import (
    CaaForbids,
    Dns,
    Kind,
    Publisher,
    PublishFailed,
    TsigKey,
    UpdateZone,
    ValidationFailed,
    check_caa,
    prove_cname,
)
from validation.testdns import DnsServer, ZoneSpec

pytestmark = pytest.mark.e2e

SYSTEM = Path(__file__).parents[1] / "support" / "system.sh"
ZONE = "example.test"
VALUE = "_v.acm-validations.aws"
SECRET = bytes(range(32))
KEY = TsigKey("keystead", "hmac-sha512", SECRET)


def _dns(*servers: Endpoint, query_seconds: float = 5.0) -> Dns:
    return Dns(servers, Egress(), os.urandom, query_seconds=query_seconds, lookup_seconds=4 * query_seconds)


ZONE_FILE = f"""$TTL 60
@ SOA ns admin 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
_right CNAME {VALUE}.
_wrong CNAME _other.acm-validations.aws.
_via CNAME _right
_loop CNAME _loop2
_loop2 CNAME _loop
_text TXT "hello"
big TXT {" ".join(f'"{"x" * 250}"' for _ in range(40))}
caa CAA 0 issue "ca.keystead.test"
none CAA 0 issue ";"
"""

KNOT = """
server:
    rundir: "{dir}"
    listen: "127.0.0.1@{port}"
database:
    storage: "{dir}"
key:
  - id: keystead
    algorithm: hmac-sha512
    secret: {secret}
  - id: reader
    algorithm: hmac-sha512
    secret: {secret}
acl:
  - id: keystead
    key: keystead
    action: update
zone:
  - domain: example.test
    storage: "{dir}"
    file: zone
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: changes
    acl: keystead
"""

BIND = """
options {{
    directory "{dir}";
    pid-file none;
    session-keyfile "{dir}/session.key";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    dnssec-validation no;
    empty-zones-enable no;
}};
controls {{ }};
key keystead {{ algorithm hmac-sha512; secret "{secret}"; }};
key reader {{ algorithm hmac-sha512; secret "{secret}"; }};
zone "example.test" {{ type primary; file "{dir}/zone"; update-policy {{ grant keystead zonesub ANY; }}; }};
"""

COMMANDS = {
    "knot": ["/usr/sbin/knotd", "-c", "{dir}/conf"],
    "bind": ["/usr/sbin/named", "-g", "-c", "{dir}/conf"],
}
CONFIGURATIONS = {"knot": KNOT, "bind": BIND}


@pytest.fixture(scope="module", params=["knot", "bind"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Debian's server on a loopback port, authoritative for example.test, updated under TSIG."""
    kind = request.param
    subprocess.run(["bash", str(SYSTEM), kind], check=True)
    directory = tmp_path_factory.mktemp(kind)
    port = free_port()
    (directory / "zone").write_text(ZONE_FILE)
    secret = base64.b64encode(SECRET).decode()
    (directory / "conf").write_text(CONFIGURATIONS[kind].format(dir=directory, port=port, secret=secret))
    command = [part.format(dir=directory) for part in COMMANDS[kind]]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            _await_zone(("127.0.0.1", port), process, directory / "log")
            yield ("127.0.0.1", port)
        finally:
            process.terminate()
            process.wait(30)


def _await_zone(address: Endpoint, process: subprocess.Popen[bytes], log: Path) -> None:
    dns = _dns(address, query_seconds=1.0)
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if dns.lookup("example.test", "SOA").records:
                return
        except ValidationFailed:
            time.sleep(0.1)
    raise AssertionError(log.read_text("utf-8", "replace")[-3000:])


def _publisher(server: Endpoint, key: TsigKey | None = KEY, zone: str = ZONE) -> Publisher:
    return Publisher([UpdateZone(zone, server, key)], Egress(), os.urandom)


PROOFS: list[tuple[str, Kind | None]] = [
    ("_right", None),
    ("_via", None),
    ("_wrong", Kind.WRONG_TARGET),
    ("_loop", Kind.LOOP),
    ("_text", Kind.NO_DATA),
    ("_none", Kind.NXDOMAIN),
]


@pytest.mark.parametrize(("label", "kind"), PROOFS, ids=[proof[0] for proof in PROOFS])
def test_a_real_server_proves_or_says_why_not(server: Endpoint, label: str, kind: Kind | None) -> None:
    name = f"{label}.{ZONE}"
    if kind is None:
        assert prove_cname(_dns(server), name, VALUE).name == name
    else:
        with pytest.raises(ValidationFailed) as caught:
            prove_cname(_dns(server), name, VALUE)
        assert caught.value.kind is kind


def test_a_real_server_truncates_and_answers_over_tcp(server: Endpoint) -> None:
    assert len(_dns(server).lookup("big.example.test", "TXT").records[0]) > 10_000


def test_caa_is_read_from_a_real_server(server: Endpoint) -> None:
    dns = _dns(server)
    assert check_caa(dns, "www.caa.example.test", ["ca.keystead.test"]).at == "caa.example.test"
    with pytest.raises(CaaForbids) as caught:
        check_caa(dns, "none.example.test", ["ca.keystead.test"])
    assert caught.value.kind is Kind.CAA_FORBIDS


def test_two_real_servers_must_agree(server: Endpoint) -> None:
    with DnsServer(("127.0.0.1", 0), [ZoneSpec(ZONE, records=["_right CNAME elsewhere.test."])]) as liar:
        assert prove_cname(_dns(server, server), f"_right.{ZONE}", VALUE)
        with pytest.raises(ValidationFailed) as caught:
            prove_cname(_dns(server, liar.address), f"_right.{ZONE}", VALUE)
        assert caught.value.kind is Kind.DISAGREE


def test_a_record_published_in_a_real_zone_proves_and_is_withdrawn(server: Endpoint) -> None:
    publisher, dns, name = _publisher(server), _dns(server), f"_published.a.b.{ZONE}"
    publisher.publish(name, "_old.acm-validations.aws.")
    for _ in range(2):
        publisher.publish(f"{name}.", f"{VALUE}.")
        assert prove_cname(dns, name, VALUE).value == VALUE
    publisher.withdraw(name, "_old.acm-validations.aws.")
    assert prove_cname(dns, name, VALUE)
    for _ in range(2):
        publisher.withdraw(name, VALUE)
        assert dns.cname(name) is None


REFUSALS: list[tuple[str, TsigKey | None, str, set[Kind]]] = [
    ("an unknown key", TsigKey("stranger", "hmac-sha512", SECRET), ZONE, {Kind.BAD_KEY}),
    ("a wrong secret", TsigKey("keystead", "hmac-sha512", b"x" * 32), ZONE, {Kind.BAD_SIGNATURE}),
    ("a wrong algorithm", TsigKey("keystead", "hmac-sha256", SECRET), ZONE, {Kind.BAD_KEY}),
    (
        "a key without the right",
        TsigKey("reader", "hmac-sha512", SECRET),
        ZONE,
        {Kind.UPDATE_REFUSED, Kind.BAD_KEY},
    ),
    ("no key", None, ZONE, {Kind.UPDATE_REFUSED, Kind.NOT_AUTHORITATIVE}),
    ("another zone", KEY, "test", {Kind.NOT_AUTHORITATIVE, Kind.UPDATE_REFUSED}),
]


@pytest.mark.parametrize(
    ("key", "zone", "kinds"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_a_real_server_refuses_with_a_clear_reason(
    server: Endpoint, key: TsigKey | None, zone: str, kinds: set[Kind]
) -> None:
    with pytest.raises(PublishFailed) as caught:
        _publisher(server, key, zone).publish(f"_refused.{ZONE}", VALUE)
    assert caught.value.kind in kinds, caught.value.detail
    assert _dns(server).cname(f"_refused.{ZONE}") is None


def test_a_wrong_clock_is_named_by_a_real_server(server: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr("dns.message.time.time", lambda: real() - 3600)
    with pytest.raises(PublishFailed) as caught:
        _publisher(server).publish(f"_late.{ZONE}", VALUE)
    assert caught.value.kind is Kind.BAD_TIME
