"""OCSP answers a second: `kept(access)` is one GET whose answer is kept. `python -m bench.ocsp`: CPU of it and of a hello."""

import base64
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from bench import servers, shots
from bench.load import Shot, fire


def kept(access: shots.Access) -> Shot:
    """A certificate's status, by RFC 5019's GET: the first answer is signed, the others come from memory."""
    authority = {"CertificateAuthorityArn": access.authority}
    on = {"RevocationConfiguration": {"OcspConfiguration": {"Enabled": True}}}
    _call(access, "UpdateCertificateAuthority", authority | on)
    by = x509.load_pem_x509_certificate(
        _call(access, "GetCertificateAuthorityCertificate", authority)["Certificate"].encode()
    )
    asked = {
        "Csr": base64.b64encode(_csr()).decode(),
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Validity": {"Type": "DAYS", "Value": 90},
    }
    issued = _call(access, "IssueCertificate", authority | asked)
    got = _call(access, "GetCertificate", authority | {"CertificateArn": issued["CertificateArn"]})
    leaf = x509.load_pem_x509_certificate(got["Certificate"].encode())
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, by, hashes.SHA1()).build()
    text = base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()
    return Shot(f"{access.url}/pki/{access.authority.rpartition('/')[2]}/ocsp/{quote(text, safe='')}")


def _call(access: shots.Access, operation: str, parameters: dict[str, Any]) -> Any:
    shot = shots.signed(access, "acm-pca", f"ACMPrivateCA.{operation}", parameters)
    request = Request(shot.url, data=shot.body.encode(), headers=shot.headers, method=shot.method)
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def _csr() -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def main() -> None:
    """CPU per answer holds on a loaded machine, where rates do not."""
    from bench.__main__ import THREADS, prepare
    from bench.cpu import children, measured

    with tempfile.TemporaryDirectory() as folder:
        port, hello_port, data = servers.free_port(), servers.free_port(), Path(folder) / "data"
        url = f"http://127.0.0.1:{port}"
        serve = [str(servers.COMMAND), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
        hello = [sys.executable, "-m", "bench.hello", str(hello_port), str(THREADS)]
        with (
            servers.running(serve, Path(folder) / "serve.log") as supervisor,
            servers.running(hello, Path(folder) / "hello.log") as greeter,
        ):
            servers.first_answer(f"{url}/healthz", time.perf_counter())
            servers.first_answer(f"http://127.0.0.1:{hello_port}/", time.perf_counter())
            shot = kept(prepare(data, url))
            fire(shot, 1)
            measured("hello", Shot(f"http://127.0.0.1:{hello_port}/"), {greeter: "hello"}, 3)
            measured("OCSP, kept answer", shot, children(supervisor), 3)


if __name__ == "__main__":
    main()
