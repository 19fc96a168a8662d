"""SigV4 for requests to S3, by botocore's own signer; its clock is an argument here (AWS SigV4, "S3" canonical form)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key of the S3 endpoint's."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def signed_headers(  # noqa: PLR0917 - the parts of a request, in their order on the wire
    credentials: Credentials,
    region: str,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    at: datetime,
) -> dict[str, str]:
    """The headers with `X-Amz-Date` and `Authorization`; `path` is encoded already and `query` canonical."""
    from botocore.auth import S3SigV4Auth  # a quarter of a second, and few deployments have an endpoint
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Pair

    pair = Pair(credentials.access_key, credentials.secret_key, credentials.token)
    signer: Any = S3SigV4Auth(pair, "s3", region)
    all_headers = {**headers, "X-Amz-Date": at.strftime("%Y%m%dT%H%M%SZ")}
    if credentials.token is not None:
        all_headers["X-Amz-Security-Token"] = credentials.token
    url = f"http://{headers['Host']}{path}{'?' + query if query else ''}"
    request: Any = AWSRequest(method=method, url=url, headers=all_headers)
    request.context["timestamp"] = all_headers["X-Amz-Date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signed = signer.signed_headers(signer.headers_to_sign(request))
    return {
        **all_headers,
        "Authorization": (
            f"AWS4-HMAC-SHA256 Credential={signer.scope(request)}, SignedHeaders={signed}, "
            f"Signature={signer.signature(text, request)}"
        ),
    }
