"""The hot operations, each as one request that may be repeated."""

import json
from dataclasses import dataclass

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.load import Shot


@dataclass(frozen=True, slots=True)
class Access:
    """How the service is reached, and as whom."""

    url: str
    access_key: str
    secret_key: str
    token: str
    authority: str


def signed(access: Access, service: str, target: str, parameters: dict[str, object]) -> Shot:
    """One AWS JSON call, signed now: good for five minutes."""
    request = AWSRequest(
        "POST",
        f"{access.url}/",
        data=json.dumps(parameters).encode(),
        headers={"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"},
    )
    SigV4Auth(Credentials(access.access_key, access.secret_key), service, "us-east-1").add_auth(request)
    return Shot(f"{access.url}/", "POST", dict(request.headers.items()), json.dumps(parameters))


def issuance(access: Access) -> Shot:
    """POST /v1/certificates with a P-256 CSR under a private CA: intent, signature and result before the answer."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.SubjectAlternativeName([x509.DNSName("bench.example.test")])
    csr = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(name, critical=False)
    )
    pem = csr.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
    body = json.dumps({"csr": pem, "certificate_authority_arn": access.authority})
    headers = {"Authorization": f"Bearer {access.token}", "Content-Type": "application/json"}
    return Shot(f"{access.url}/v1/certificates", "POST", headers, body)


def caller(access: Access) -> Shot:
    """STS GetCallerIdentity is a form: SigV4, the pipeline and one durable record, and no work of its own."""
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    request = AWSRequest(
        "POST",
        f"{access.url}/",
        data=body.encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    SigV4Auth(Credentials(access.access_key, access.secret_key), "sts", "us-east-1").add_auth(request)
    return Shot(f"{access.url}/", "POST", dict(request.headers.items()), body)
