"""openssl and GnuTLS ask a real service with two workers about certificates, and believe what it signs."""

import base64
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.api.pca.acting import Hierarchy, hierarchy, request
from tests.support.served import Served

pytestmark = pytest.mark.e2e

ON = {"OcspConfiguration": {"Enabled": True}}


@dataclass
class Asker:
    """A hierarchy with OCSP, and a folder with its certificates in PEM."""

    served: Served
    made: Hierarchy
    here: Path

    @property
    def url(self) -> str:
        return f"{self.served.url}/pki/{self.made.subordinate.rpartition('/')[2]}/ocsp"

    def leaf(self, name: str) -> x509.Certificate:
        """Issue a certificate, and keep it as NAME.pem."""
        issued = self.made.certificate(self.made.issue(request("host.example.com")))
        (self.here / f"{name}.pem").write_bytes(issued.public_bytes(Encoding.PEM))
        return issued

    def revoke(self, certificate: x509.Certificate, reason: str) -> None:
        self.made.pca.revoke_certificate(
            CertificateAuthorityArn=self.made.subordinate,
            CertificateSerial=f"{certificate.serial_number:x}",
            RevocationReason=reason,
        )

    def openssl(self, *words: str, at: str | None = None) -> str:
        """What `openssl ocsp` says; it must have verified the response."""
        ran = subprocess.run(
            ["openssl", "ocsp", "-CAfile", "root.pem", "-issuer", "issuer.pem", *(["-url", at or self.url]), *words],
            cwd=self.here, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert "Response verify OK" in ran.stderr, ran.stderr
        assert "WARNING" not in ran.stderr, ran.stderr
        return ran.stdout

    def ocsptool(self, leaf: str) -> str:
        """What GnuTLS says. It builds no chain for a responder: its issuer is to be trusted itself."""
        ran = subprocess.run(
            ["ocsptool", f"--ask={self.url}", "--load-cert", f"{leaf}.pem", "--load-issuer", "issuer.pem",
             "--load-trust", "issuer.pem", "--nonce"],
            cwd=self.here, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return ran.stdout + ran.stderr


def client(served: Served) -> Any:
    return boto3.client(
        "acm-pca",
        endpoint_url=served.url,
        region_name="us-east-1",
        aws_access_key_id=served.first["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=served.first["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def built(served: Served, here: Path, algorithm: str) -> Asker:
    here.mkdir()
    pca = client(served)
    made = hierarchy(pca, algorithm)
    for name, arn in (("root", made.root), ("issuer", made.subordinate)):
        pca.update_certificate_authority(CertificateAuthorityArn=arn, RevocationConfiguration=ON)
        got = pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)
        (here / f"{name}.pem").write_text(got["Certificate"])
    return Asker(served, made, here)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("ocsp") / "data")
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def asker(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Asker:
    return built(served, tmp_path_factory.mktemp("asking") / "ec", "EC_prime256v1")


def test_openssl_sees_good_revoked_and_unknown_with_and_without_a_nonce(asker: Asker) -> None:
    leaf = asker.leaf("one")
    for options in ((), ("-no_nonce",), ("-sha256",)):
        assert "one.pem: good" in asker.openssl(*options, "-cert", "one.pem")
    asker.revoke(leaf, "KEY_COMPROMISE")
    for _ in range(8):  # whichever worker is asked
        said = asker.openssl("-no_nonce", "-cert", "one.pem")
        assert "one.pem: revoked" in said
        assert "Reason: keyCompromise" in said
        assert re.search(r"Revocation Time: \w+", said)
    assert "0x4b2a: unknown" in asker.openssl("-serial", "0x4b2a")


def test_openssl_asks_about_several_at_once_and_about_the_authority_itself(asker: Asker) -> None:
    asker.revoke(asker.leaf("two"), "SUPERSEDED")
    asker.leaf("three")
    said = asker.openssl("-cert", "two.pem", "-cert", "three.pem")
    assert "two.pem: revoked" in said
    assert "three.pem: good" in said
    root = asker.url.replace(asker.made.subordinate.rpartition("/")[2], asker.made.root.rpartition("/")[2])
    assert "issuer.pem: good" in asker.openssl("-issuer", "root.pem", "-cert", "issuer.pem", at=root)


def test_gnutls_sees_good_and_revoked(asker: Asker) -> None:
    leaf = asker.leaf("four")
    said = asker.ocsptool("four")
    assert "Certificate Status: good" in said, said
    assert "Verifying OCSP Response: Success" in said, said
    asker.revoke(leaf, "CESSATION_OF_OPERATION")
    said = asker.ocsptool("four")
    assert "Certificate Status: revoked" in said, said
    assert "Verifying OCSP Response: Success" in said, said


def test_a_get_through_the_http_server_is_what_openssl_would_have_posted(asker: Asker) -> None:
    asker.leaf("five")
    subprocess.run(
        ["openssl", "ocsp", "-issuer", "issuer.pem", "-cert", "five.pem", "-no_nonce", "-reqout", "five.req"],
        cwd=asker.here, check=True, capture_output=True, timeout=30,
    )  # fmt: skip
    text = base64.b64encode((asker.here / "five.req").read_bytes()).decode()
    bodies = set()
    for path in (quote(text, safe=""), text, text.rstrip("=")):
        with urlopen(f"{asker.url}/{path}", timeout=10) as answer:
            assert answer.headers["content-type"] == "application/ocsp-response"
            assert "max-age=" in answer.headers["cache-control"]
            bodies.add(answer.read())
    for body in bodies:
        (asker.here / "five.rsp").write_bytes(body)
        words = ["openssl", "ocsp", "-respin", "five.rsp", "-CAfile", "root.pem", "-issuer", "issuer.pem"]
        ran = subprocess.run(
            [*words, "-cert", "five.pem"],
            cwd=asker.here,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert "Response verify OK" in ran.stderr
        assert "five.pem: good" in ran.stdout


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_secp384r1", "EC_secp521r1"])
def test_authorities_of_other_keys_have_signers_that_both_believe(
    served: Served, tmp_path: Path, algorithm: str
) -> None:
    asker = built(served, tmp_path / algorithm, algorithm)
    leaf = asker.leaf("leaf")
    assert "leaf.pem: good" in asker.openssl("-cert", "leaf.pem")
    assert "Verifying OCSP Response: Success" in asker.ocsptool("leaf")
    asker.revoke(leaf, "SUPERSEDED")
    assert "leaf.pem: revoked" in asker.openssl("-cert", "leaf.pem")


@pytest.mark.slow
def test_answers_go_on_after_the_service_was_killed(served: Served, asker: Asker) -> None:
    leaf = asker.leaf("six")
    assert "six.pem: good" in asker.openssl("-cert", "six.pem")
    asker.revoke(leaf, "SUPERSEDED")
    served.kill_all()
    served.start()
    assert "six.pem: revoked" in asker.openssl("-cert", "six.pem")
