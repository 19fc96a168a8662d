"""The hot operations, each as one request that may be repeated."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench.load import Shot

SECRET = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="  # 32 bytes in base64
CONTEXT = {"purpose": "bench"}


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


@dataclass(frozen=True, slots=True)
class Keys:
    """A symmetric key, a signing key, and what the first has encrypted."""

    symmetric: str
    signer: str
    ciphertext: str


def make_keys(access: Access) -> Keys:
    """Made over the wire, once for all rounds."""
    symmetric = called(access, "CreateKey", {})["KeyMetadata"]["KeyId"]
    spec = {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"}
    signer = called(access, "CreateKey", dict(spec))["KeyMetadata"]["KeyId"]
    sealed = called(
        access, "Encrypt", {"KeyId": symmetric, "Plaintext": SECRET, "EncryptionContext": CONTEXT}
    )
    return Keys(symmetric, signer, sealed["CiphertextBlob"])


def called(access: Access, operation: str, parameters: dict[str, object]) -> Any:
    """The answer of one KMS call."""
    shot = kms(access, operation, parameters)
    request = Request(shot.url, data=shot.body.encode(), headers=shot.headers, method=shot.method)
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


def kms(access: Access, operation: str, parameters: dict[str, object]) -> Shot:
    """One KMS call; what it does and its record are durable before the answer."""
    return signed(access, "kms", f"TrentService.{operation}", parameters)


def key_uses(access: Access, keys: Keys) -> dict[str, Shot]:
    """The hot operations of KMS on 32 bytes, with an encryption context where they take one."""
    named = {"KeyId": keys.symmetric, "EncryptionContext": CONTEXT}
    return {
        "Encrypt": kms(access, "Encrypt", {**named, "Plaintext": SECRET}),
        "Decrypt": kms(access, "Decrypt", {"CiphertextBlob": keys.ciphertext, "EncryptionContext": CONTEXT}),
        "GenerateDataKey": kms(access, "GenerateDataKey", {**named, "KeySpec": "AES_256"}),
        "Sign P-256": kms(
            access, "Sign", {"KeyId": keys.signer, "Message": SECRET, "SigningAlgorithm": "ECDSA_SHA_256"}
        ),
    }


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
