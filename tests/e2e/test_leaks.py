"""No secret leaves its place: planted markers and real keys, looked for everywhere that somebody else could read.

The two that workers hold by design (ARCHITECTURE 3) are signing keys derived for one day, Region and service, and
what a caller itself sends or is answered.
"""

import base64
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from kms.hsm.custody import Domain, kek_for, open_domain, read_secret
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import KeyLabel, token_binding
from tests.support.memory import held
from tests.support.served import Served, ServedDns, descendants, keystead, wait_for

pytestmark = pytest.mark.e2e

ZONE = "example.test"
ACCESS_KEY, SECRET = "AKIDPLANTEDPLANTED00", "planted/secret/access/key/marker/+0123456"

Needles = Mapping[str, bytes]


@dataclass
class Scene:
    """A service that has worked, and every secret that it has."""

    served: Served
    secrets: Needles
    token: str
    refusals: list[bytes]


def forms(name: str, der: bytes) -> dict[str, bytes]:
    """How a private key could look: PKCS#8, SEC1 or PKCS#1, PEM lines, and its numbers as OpenSSL and Python hold them."""
    key = load_der_private_key(der, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    classic = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).splitlines()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = {"scalar": key.private_numbers().private_value}
    else:
        own = key.private_numbers()
        numbers = {"d": own.d, "p": own.p, "q": own.q, "dmp1": own.dmp1, "dmq1": own.dmq1, "iqmp": own.iqmp}
    found = {"PKCS#8": der, "classic": classic, "base64": base64.b64encode(der), "PEM": pem[2]}
    for part, number in numbers.items():
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        found |= {part: octets, f"{part} reversed": octets[::-1], f"{part} in hex": octets.hex().encode()}
    return {f"{name}: {form}": needle for form, needle in found.items()}


def secrets_of(data: Path) -> Iterator[tuple[str, bytes]]:
    """All keys of a data directory, opened as its core opens them: with the unseal key."""
    unseal = read_secret(f"file:{data / 'unseal.key'}", {})
    with sqlite3.connect(f"file:{data / 'keystead.db'}?mode=ro", uri=True) as database:
        [(number, sealed, check)] = database.execute(
            "SELECT id, sealed_domain_keys, key_check FROM deployment"
        ).fetchall()
        authorities = database.execute(
            "SELECT account, region, id, key_spec, key_token FROM ca_authority"
        ).fetchall()
        certificates = database.execute(
            "SELECT account, region, id, key_algorithm, period, key_token FROM acm_certificate"
        ).fetchall()
    kek = kek_for(unseal, sealed)
    keys = open_domain(kek, number, Domain(sealed, check))
    yield "the unseal key", unseal.value
    yield "the unseal key in base64", base64.b64encode(unseal.value)
    yield "the key-encryption key", kek.value
    yield from ((f"domain key {version}", key) for version, key in keys.items())
    domain = DomainKeys(keys, os.urandom)

    def opened(label: KeyLabel, token: bytes) -> bytes:
        return domain.open(f"key {label.purpose}", token_binding(label), token)

    assert len(authorities) >= 4
    for account, region, name, spec, token in authorities:
        label = KeyLabel("ca", account, region, name, 1, spec)
        yield from forms(f"CA {name}", opened(label, token)).items()
    assert certificates
    for account, region, name, spec, period, token in certificates:
        if token is not None:
            label = KeyLabel("acm", account, region, name, period, spec)
            yield from forms(f"certificate {name}", opened(label, token)).items()


def client(served: Served, service: str, secret: str = SECRET) -> Any:
    return boto3.session.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=secret, region_name="us-east-1"
    ).client(service, endpoint_url=served.url, config=Config(proxies={}, retries={"total_max_attempts": 1}))


def refused(served: Served) -> Iterator[bytes]:
    """Bodies of refusals of many kinds."""
    nowhere = f"arn:aws:acm:us-east-1:{'1' * 12}:certificate/12345678-1234-1234-1234-123456789012"
    for service, operation, given in (
        ("acm", "get_certificate", {"CertificateArn": nowhere}),
        ("acm", "request_certificate", {"DomainName": "bad name.example.test"}),
        ("iam", "list_ssh_public_keys", {}),
        ("cloudtrail", "lookup_events", {"NextToken": "forged"}),
    ):
        with pytest.raises(ClientError) as error:
            getattr(client(served, service), operation)(**given)
        yield json.dumps(error.value.response, default=str).encode()
    with pytest.raises(ClientError) as error:
        client(served, "acm", "x" * 40).list_certificates()
    yield json.dumps(error.value.response, default=str).encode()
    for path in ("/v1/certificates", "/nowhere", "/pki/x"):
        yield served.get(path)[1]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    here = tmp_path_factory.mktemp("leaks")
    dns = ServedDns(ZONE)
    data = here / "data"
    data.mkdir(mode=0o700)
    (data / "keystead.toml").write_text(
        f'resolver = ["{dns.text}"]\npublish = ["{ZONE} {dns.text}"]\nlog_level = "debug"\n'
    )
    served = Served(data, tls=True)
    try:
        served.start()
        keys = ("--access-key", ACCESS_KEY, "--secret-key", SECRET)
        account = served.command("account", "create", *keys)["ACCOUNT_ID"]
        served.command("ca", "init", "--account", account)
        token = served.command("token", "create", "--principal", f"arn:aws:iam::{account}:user/admin")[
            "TOKEN"
        ]
        acm = client(served, "acm")
        for name, algorithm in (("ec", "EC_prime256v1"), ("rsa", "RSA_2048")):
            arn = acm.request_certificate(
                DomainName=f"{name}.{ZONE}", ValidationMethod="DNS", KeyAlgorithm=algorithm
            )["CertificateArn"]
            wait_for(lambda arn=arn: status(acm, arn) == "ISSUED", 30)  # type: ignore[misc]  # a default binds the loop's value
        for _ in range(8):  # so that each worker has answered some
            assert served.api("GET", "/v1/certificates", token)[0] == 200
            acm.list_certificates()
        refusals = list(refused(served))
        secrets = dict(secrets_of(data)) | {"the secret access key": SECRET.encode()}
        yield Scene(served, secrets, token, refusals)
        assert served.stop() == 0
    finally:
        served.end()
        dns.end()


def status(acm: Any, arn: str) -> str:
    found: str = acm.describe_certificate(CertificateArn=arn)["Certificate"]["Status"]
    return found


def in_text(content: bytes, needles: Needles) -> set[str]:
    return {name for name, needle in needles.items() if needle in content}


def test_no_file_of_the_directory_holds_a_secret_but_the_unseal_key(scene: Scene) -> None:
    needles = {**scene.secrets, "the bearer token": scene.token.encode()}
    looked_at = []
    for path in scene.served.data.rglob("*"):
        if path.is_file() and path.name != "unseal.key":
            looked_at.append(path.name)
            assert in_text(path.read_bytes(), needles) == set(), path
    assert {"keystead.db", "keystead.db-wal", "trail-index.db"} <= set(looked_at)
    assert len(list((scene.served.data / "trail").iterdir())) > 0


def test_no_log_line_or_printed_line_holds_a_secret(scene: Scene) -> None:
    needles = {**scene.secrets, "the bearer token": scene.token.encode()}
    log = scene.served.log()
    assert '"event"' in log
    assert in_text(log.encode(), needles) == set()
    assert in_text("".join(scene.served.printed).encode(), needles) == set()


def test_no_refusal_holds_a_secret(scene: Scene) -> None:
    assert len(scene.refusals) == 8
    assert in_text(b"".join(scene.refusals), {**scene.secrets, "the token": scene.token.encode()}) == set()


def test_no_environment_or_command_line_holds_a_secret(scene: Scene) -> None:
    assert scene.served.process is not None
    for pid in (scene.served.process.pid, *descendants(scene.served.process.pid)):
        for name in ("environ", "cmdline"):
            assert in_text(Path(f"/proc/{pid}/{name}").read_bytes(), scene.secrets) == set()


@pytest.mark.parametrize("place", ["http-1", "http-2", "https"])
def test_no_http_worker_holds_a_secret_in_its_memory(scene: Scene, place: str) -> None:
    pid = scene.served.places()[place]
    told = {**scene.secrets, "control": b"keystead_call_seconds"}
    assert held(pid, told) == {"control"}


def test_the_same_look_finds_what_the_core_must_hold(scene: Scene) -> None:
    domain = {name: needle for name, needle in scene.secrets.items() if name.startswith("domain key")}
    assert domain
    assert held(scene.served.places()["core"], domain) == set(domain)


def test_an_http_worker_has_not_loaded_what_opens_keys(scene: Scene) -> None:
    """A module's code names its file: it is in the memory of who has loaded it, and nowhere else.

    `custody` is not among them: the supervisor loads it for the short-lived children that unseal.
    """
    private = ("material", "hierarchy", "service", "loop", "workshop")
    files = {name: f"/kms/hsm/{name}.py".encode() for name in private}
    control = {"client": b"/kms/hsm/client.py"}
    for place in ("http-1", "http-2", "https"):
        assert held(scene.served.places()[place], files | control) == {"client"}, place


def test_nor_would_one_that_is_started_alone() -> None:
    loads = "import sys, server.assembly, server.http_worker, server.doors.wsgi; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", loads], capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()
    )
    assert "kms.hsm.client" in loaded
    for name in ("material", "hierarchy", "service", "loop", "workshop", "custody", "boot", "launch"):
        assert f"kms.hsm.{name}" not in loaded


def test_the_core_has_loaded_nothing_of_the_other_rooms(scene: Scene) -> None:
    """It imports kms.hsm and the trail's chain alone (ARCHITECTURE 3); the import contracts say so, this looks."""
    others = {
        name: name.encode()
        for name in (
            "foundation/store/store.py",
            "foundation/wire/wire.py",
            "foundation/identity/accounts.py",
            "server/assembly.py",
            "validation/lookup.py",
            "site-packages/flask/app.py",
            "site-packages/sqlalchemy/orm",
            "site-packages/botocore/session.py",
        )
    }
    control = {"chain": b"foundation/trail/chain.py"}
    assert held(scene.served.places()["core"], others | control) == {"chain"}


def test_the_trail_names_the_call_without_its_secrets(scene: Scene) -> None:
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(scene.served.data)).stdout
    written = b"".join(path.read_bytes() for path in sorted((scene.served.data / "trail").iterdir()))
    assert ACCESS_KEY.encode() in written  # who called is known
    assert b"RequestCertificate" in written
