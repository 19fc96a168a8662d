"""Secret access keys: made, sealed, and used to derive SigV4 signing keys; the secret itself stays in the core."""

import base64
from collections.abc import Callable

from kms.hsm.errors import KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.labels import canonical
from kms.hsm.primitives import mac

PURPOSE = "iam"
SECRET_BYTES = 30  # 40 characters of base64, the length of AWS's secrets


def new_secret(entropy: Callable[[int], bytes]) -> str:
    return base64.b64encode(entropy(SECRET_BYTES)).decode()


def seal_secret(domain: DomainKeys, account: str, access_key_id: str, secret: str) -> bytes:
    """Sealed to its account and access key id. KeyRefused for a secret that SigV4 clients could not use."""
    if not 4 <= len(secret) <= 128 or not secret.isascii() or not secret.isprintable():
        raise KeyRefused("a secret access key has 4 to 128 printable ASCII characters")
    return domain.seal(PURPOSE, canonical(account, access_key_id), secret.encode())


def open_secret(domain: DomainKeys, account: str, access_key_id: str, sealed: bytes) -> bytes:
    return domain.open(PURPOSE, canonical(account, access_key_id), sealed)


def signing_key(secret: bytes, date: str, region: str, service: str) -> bytes:
    """The key of one scope-day (AWS Signature Version 4, "derive a signing key"). date: YYYYMMDD."""
    key = b"AWS4" + secret
    for part in (date, region, service, "aws4_request"):
        key = mac(key, part.encode())
    return key
