"""boto3, the AWS CLI and curl get certificates from a real service, over HTTP and HTTPS; and the README tells the truth."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.support.served import Served, ServedDns, free_port, keystead, wait_for

pytestmark = pytest.mark.e2e

ZONE = "example.test"
BIN = Path(sys.executable).parent
README = Path(__file__).parents[2] / "README.md"


@dataclass
class Service:
    """A service that publishes its own records, and a directory of the client's."""

    served: Served
    dns: ServedDns
    here: Path

    @property
    def roots(self) -> Path:
        """Everything that the operator trusts, the HTTPS door's root included."""
        path = self.here / "roots.pem"
        path.write_text(keystead("roots", "--data", str(self.served.data)).stdout)
        return path

    def url(self, scheme: str) -> str:
        port = self.served.tls_port if scheme == "https" else self.served.port
        return f"{scheme}://localhost:{port}" if scheme == "https" else f"{scheme}://127.0.0.1:{port}"

    @property
    def environment(self) -> dict[str, str]:
        """What an AWS client is configured with, and nothing of this machine's."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.here),
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": self.served.first["AWS_ACCESS_KEY_ID"],
            "AWS_SECRET_ACCESS_KEY": self.served.first["AWS_SECRET_ACCESS_KEY"],
        }

    def verify(self, leaf: str, chain: str, *, at: float | None = None, name: str | None = None) -> None:
        """Let openssl judge."""
        (self.here / "leaf.pem").write_text(leaf)
        (self.here / "chain.pem").write_text(chain)
        moment = [] if at is None else ["-attime", str(int(at))]
        host = [] if name is None else ["-verify_hostname", name]
        words = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *moment, *host]
        said = run(*words, "-CAfile", str(self.roots), "-untrusted", "chain.pem", "leaf.pem", cwd=self.here)
        assert said.stdout.strip().endswith("leaf.pem: OK")


def run(
    *words: str, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; fails with what it said."""
    done = subprocess.run(
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    here = tmp_path_factory.mktemp("clients")
    dns = ServedDns(ZONE)
    data = here / "data"
    data.mkdir(mode=0o700)
    (data / "keystead.toml").write_text(f'resolver = ["{dns.text}"]\npublish = ["{ZONE} {dns.text}"]\n')
    served = Served(data, flags=["--test-clock"], tls=True)
    try:
        served.start()
        yield Service(served, dns, here)
        assert served.stop() == 0
    finally:
        served.end()
        dns.end()


def issued(look: Callable[[], dict[str, Any]], key: str) -> dict[str, Any]:
    """Until a certificate is issued."""
    wait_for(lambda: look()[key] != "PENDING_VALIDATION", 30)
    found = look()
    assert found[key] == "ISSUED", found
    return found


def acm(service: Service, scheme: str) -> Any:
    """An unmodified boto3 client."""
    given = service.environment
    session = boto3.session.Session(
        aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )
    return session.client(
        "acm",
        endpoint_url=service.url(scheme),
        verify=str(service.roots),
        config=Config(proxies={}, retries={"mode": "standard"}),
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_boto3_gets_a_certificate(service: Service, scheme: str) -> None:
    client, name = acm(service, scheme), f"boto3-{scheme}.{ZONE}"
    arn = client.request_certificate(DomainName=name, ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1")[
        "CertificateArn"
    ]
    client.get_waiter("certificate_validated").wait(
        CertificateArn=arn, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    # The waiter ends when the names are proven; as with AWS, the certificate follows a moment later.
    issued(lambda: client.describe_certificate(CertificateArn=arn)["Certificate"], "Status")
    answer = client.get_certificate(CertificateArn=arn)
    service.verify(answer["Certificate"], answer["CertificateChain"], name=name)
    client.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_aws_cli_gets_a_certificate(service: Service, scheme: str) -> None:
    name = f"cli-{scheme}.{ZONE}"

    def aws(*words: str) -> dict[str, Any]:
        trust = ["--ca-bundle", str(service.roots)] if scheme == "https" else []
        said = run(
            str(BIN / "aws"), "--endpoint-url", service.url(scheme), *trust, *words, "--output", "json",
            cwd=service.here, environment=service.environment,
        )  # fmt: skip
        found: dict[str, Any] = json.loads(said.stdout)
        return found

    assert aws("sts", "get-caller-identity")["Account"] == service.served.first["ACCOUNT_ID"]
    asked = aws("acm", "request-certificate", "--domain-name", name, "--validation-method", "DNS")
    arn = asked["CertificateArn"]
    look = lambda: aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]  # noqa: E731 - used twice, on the next line
    assert issued(look, "Status")["KeyAlgorithm"] == "RSA_2048"
    answer = aws("acm", "get-certificate", "--certificate-arn", arn)
    service.verify(answer["Certificate"], answer["CertificateChain"], name=name)


def curl(service: Service, scheme: str, path: str, *words: str, token: str) -> str:
    trust = ["--cacert", str(service.roots)] if scheme == "https" else []
    url = f"{service.url(scheme)}{path}"
    said = run(
        "curl", "-sS", "--fail-with-body", "--noproxy", "*", *trust, "-H", f"Authorization: Bearer {token}", *words, url,
        cwd=service.here,
    )  # fmt: skip
    return said.stdout


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_curl_gets_a_certificate_for_a_key_that_stays_here(service: Service, scheme: str) -> None:
    token, name = service.served.command("token", "create")["TOKEN"], f"curl-{scheme}.{ZONE}"
    run(
        *["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "app.key", "-out", "app.csr", "-subj", "/"],
        "-addext", f"subjectAltName=DNS:{name}",
        cwd=service.here,
    )  # fmt: skip
    pem = ("-H", "Content-Type: application/x-pem-file", "--data-binary", "@app.csr")
    asked = json.loads(curl(service, scheme, "/v1/certificates", *pem, token=token))
    where = f"/v1/certificates/{asked['id']}"
    shown = issued(lambda: json.loads(curl(service, scheme, where, token=token)), "status")
    assert shown["domains"][0]["published"]
    chain = curl(service, scheme, f"{where}/chain.pem", token=token)
    service.verify(shown["certificate"], chain, name=name)
    of_key = run("openssl", "pkey", "-in", "app.key", "-pubout", cwd=service.here).stdout
    (service.here / "got.pem").write_text(shown["certificate"])
    of_certificate = run("openssl", "x509", "-in", "got.pem", "-noout", "-pubkey", cwd=service.here).stdout
    assert of_key == of_certificate


def test_the_door_that_is_not_trusted_is_not_spoken_to(service: Service) -> None:
    done = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", service.url("https")],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 60  # CURLE_PEER_FAILED_VERIFICATION


def test_time_moves_on_and_every_certificate_is_renewed(service: Service) -> None:
    client = acm(service, "http")
    arn = client.request_certificate(
        DomainName=f"later.{ZONE}", ValidationMethod="DNS", KeyAlgorithm="EC_prime256v1"
    )["CertificateArn"]

    def look() -> dict[str, Any]:
        found: dict[str, Any] = client.describe_certificate(CertificateArn=arn)["Certificate"]
        return found

    before = issued(look, "Status")
    said = keystead("clock", "advance", "160d", "--data", str(service.served.data))
    assert f"{arn.rpartition('/')[2]}" in said.stderr
    after = look()
    assert after["Serial"] != before["Serial"]
    assert after["NotAfter"] > before["NotAfter"]
    answer = client.get_certificate(CertificateArn=arn)
    service.verify(answer["Certificate"], answer["CertificateChain"], at=time.time() + 161 * 86400)
    for item in client.list_certificates(Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]})[
        "CertificateSummaryList"
    ]:
        assert item["Status"] == "ISSUED"
        assert item["NotAfter"].timestamp() > time.time() + 300 * 86400, item["DomainName"]
    assert "The trail is whole" in keystead("trail", "verify", "--data", str(service.served.data)).stdout
    client.close()


def shell_blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


# What the test does itself: it has an installation, and starts the server in the background.
LEFT_OUT = (re.compile(r"^make .*$", re.MULTILINE), re.compile(r"^keystead serve .*$", re.MULTILINE))


def test_the_readme_can_be_followed_to_the_letter(tmp_path: Path) -> None:
    port, tls_port = free_port(), free_port()

    def adapted(text: str) -> str:
        return text.replace(":8750", f":{port}").replace(":8751", f":{tls_port}")

    blocks = shell_blocks()
    commands = [line for line in "".join(blocks).splitlines() if line.startswith("keystead serve ")]
    assert len(commands) == 1
    words = adapted(commands[0]).split()
    (tmp_path / "data").mkdir(mode=0o700)
    # The names of the README are in nobody's DNS: nothing is asked outside.
    (tmp_path / "data" / "keystead.toml").write_text(f'resolver = ["127.0.0.1:{free_port()}"]\n')
    (tmp_path / ".venv").symlink_to(BIN.parent)

    log = (tmp_path / "serve.log").open("w")
    server = subprocess.Popen(
        [str(BIN / words[0]), *words[1:]], cwd=tmp_path, stdout=subprocess.PIPE, stderr=log, text=True
    )
    try:
        assert server.stdout is not None
        assert any(line.startswith("keystead: ready") for line in server.stdout), (
            tmp_path / "serve.log"
        ).read_text()
        script = "set -euo pipefail\n" + "\n".join(adapted(block) for block in blocks)
        for pattern in LEFT_OUT:
            script = pattern.sub("", script)
        environment = {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
        environment |= {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
        said = run(shutil.which("bash") or "bash", "-c", script, cwd=tmp_path, environment=environment)
    finally:
        server.terminate()
        assert server.wait(20) == 0
        assert server.stdout is not None
        server.stdout.close()
        log.close()
    assert '"Account":' in said.stdout
    assert '"CertificateArn":' in said.stdout
    (account,) = re.findall(r'"Account": "(\d{12})"', said.stdout)
    # curl acts in the AWS client's account
    assert f'"arn":"arn:aws:acm:us-east-1:{account}:certificate/' in said.stdout
    assert '"status":"PENDING_VALIDATION"' in said.stdout
    assert said.stdout.strip().endswith("app.pem: OK")
