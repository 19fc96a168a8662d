"""Callers for tests, their signed requests, and a core that keeps nothing secret."""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from foundation.identity import ADMINISTRATOR_ACCESS, Call, NewAccount, Principal
from foundation.identity.canonical import derive_signing_key
from foundation.wire import Request

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
REGION = "eu-central-1"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def administrator(
    account: str = ACCOUNT,
    region: str = REGION,
    service: str = "acm",
    at: datetime = AT,
    request_id: str = "",
) -> Call:
    """Make the call of `admin`, who holds AdministratorAccess in `account`."""
    principal = Principal(
        account=account,
        arn=f"arn:aws:iam::{account}:user/admin",
        principal_id="AIDAEXAMPLEADMIN00001",
        kind="user",
        name="admin",
        policies=(ADMINISTRATOR_ACCESS,),
    )
    return _call(principal, region, service, at, request_id)


def powerless(
    account: str = ACCOUNT,
    region: str = REGION,
    service: str = "acm",
    at: datetime = AT,
    request_id: str = "",
) -> Call:
    """Make the call of a user to whom no policy is attached."""
    principal = Principal(
        account=account,
        arn=f"arn:aws:iam::{account}:user/nobody",
        principal_id="AIDAEXAMPLENOBODY0001",
        kind="user",
        name="nobody",
    )
    return _call(principal, region, service, at, request_id)


def _call(principal: Principal, region: str, service: str, at: datetime, request_id: str) -> Call:
    return Call(
        principal=principal,
        account=principal.account,
        region=region,
        service=service,
        request_id=request_id or "7f1b7d3e-0000-4000-8000-000000000001",
        at=at,
        source_ip="192.0.2.7",
        user_agent="Boto3/1.44.8",
        access_key_id="AKIAEXAMPLEADMIN0001",
    )


class OpenCore:
    """The key core's part in identity, in process and without secrecy: it shows what it was asked."""

    def __init__(self) -> None:
        self.derived: list[tuple[str, str, str, str]] = []

    def new_access_key(self, account: str, access_key_id: str, secret: str | None) -> tuple[bytes, str]:
        shown = secret or f"secret-of-{access_key_id}-{'x' * 20}"
        return json.dumps([account, access_key_id, shown]).encode(), shown

    def signing_key(
        self, sealed: bytes, account: str, access_key_id: str, date: str, region: str, service: str
    ) -> bytes:
        sealed_account, sealed_id, secret = json.loads(sealed)
        assert (sealed_account, sealed_id) == (account, access_key_id)
        self.derived.append((access_key_id, date, region, service))
        return derive_signing_key(secret, date, region, service)

    def mac(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(b"open core " + purpose.encode(), data, "sha256")


def signed(
    account: NewAccount,
    *,
    method: str = "POST",
    url: str = "http://127.0.0.1:7000/",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
    service: str = "acm",
    region: str = REGION,
    presign: int | None = None,
    secret: str | None = None,
) -> Request:
    """Sign with botocore's own signer, at the present time; `presign` is the lifetime of a presigned URL in seconds."""
    credentials = Credentials(account.access_key_id, secret or account.secret_access_key)
    unsigned = AWSRequest(method=method, url=url, headers=dict(headers or {}), data=body)
    if presign is None:
        SigV4Auth(credentials, service, region).add_auth(unsigned)
    else:
        SigV4QueryAuth(credentials, service, region, expires=presign).add_auth(unsigned)
    parts = urlsplit(str(unsigned.url))
    sent = [(name.lower(), value) for name, value in unsigned.headers.items()]
    return Request(
        method=method,
        path=parts.path,
        query=parts.query,
        headers=(("host", parts.netloc), *sent),
        body=body,
        secure=parts.scheme == "https",
        source_ip="192.0.2.7",
    )
