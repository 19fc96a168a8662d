"""A real server that speaks S3 gets a real CRL, over HTTP and over HTTPS."""

import ipaddress
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ca import Credentials, S3Endpoint, S3Sink
from ca.errors import BucketMissing, SinkUnavailable
from foundation.egress import Egress, parse_url

pytestmark = pytest.mark.e2e
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


class Bucket(BaseHTTPRequestHandler):
    """One bucket, "crls"; what is put is kept by path."""

    protocol_version = "HTTP/1.1"
    kept: dict[str, bytes]

    def do_HEAD(self) -> None:
        self._answer(200 if self.path == "/crls" else 404)

    def do_PUT(self) -> None:
        self.kept[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    """What a client breaks off is no news."""

    def handle_error(self, *_: object) -> None:
        pass


def certificate(directory: Path) -> Path:
    """A key and a certificate for 127.0.0.1 in one PEM file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)  # noqa: DTZ005, RUF100 - the real clock: TLS asks it
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a bucket")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "server.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@pytest.fixture(params=["http", "https"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(Bucket, "kept", {}, raising=False)
    server = QuietServer(("127.0.0.1", 0), Bucket)
    if request.param == "https":
        pem = certificate(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"{request.param}://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sink(url: str) -> S3Sink:
    endpoint = S3Endpoint(parse_url(url), "us-east-1", Credentials("AKIDEXAMPLE", "an-example-secret"))
    return S3Sink(endpoint, Egress(LOOPBACK), lambda _: [], lambda: datetime.now(UTC))


def test_an_object_arrives_whole(url: str) -> None:
    body = bytes(range(256)) * 4096
    sink(url).check("crls")
    sink(url).put("crls", "crl/a.crl", body, media_type="application/pkix-crl")
    assert Bucket.kept == {"/crls/crl/a.crl": body}
    with pytest.raises(BucketMissing):
        sink(url).check("other")


def test_a_server_that_nobody_vouches_for_gets_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if url.startswith("http:"):
        url = url.replace("http:", "https:")  # it does not even speak TLS
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(SinkUnavailable):
        sink(url).put("crls", "crl/a.crl", b"", media_type="application/pkix-crl")
    assert Bucket.kept == {}
