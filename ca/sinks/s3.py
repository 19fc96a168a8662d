"""Buckets at an S3 endpoint that the operator configures: three requests, signed with SigV4, through the one way out."""

import hashlib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from ca.errors import BucketDenied, BucketMissing, SinkUnavailable
from ca.sinks.signature import Credentials, signed_headers
from ca.sinks.sink import check_names
from foundation.egress import Egress, EgressFailed, EgressRefused, Resolve, Target

_SECONDS: Final = 30.0
_ANSWER_LIMIT: Final = 64 * 1024
_MISSING: Final = 404


@dataclass(frozen=True, slots=True)
class S3Endpoint:
    """Where, and as whom. `target` has path "/"; requests are path-style, which every S3 server answers."""

    target: Target
    region: str
    credentials: Credentials = field(repr=False)

    @property
    def url(self) -> str:
        return f"{self.target.scheme}://{self.target.authority}"


class S3Sink:
    """An ObjectSink over an S3 endpoint."""

    def __init__(
        self, endpoint: S3Endpoint, egress: Egress, resolve: Resolve, wall: Callable[[], datetime]
    ) -> None:
        self._endpoint = endpoint
        self._egress = egress
        self._resolve = resolve
        self._wall = wall  # SigV4 is about real time
        self._tls = ssl.create_default_context() if endpoint.target.scheme == "https" else None

    def check(self, bucket: str, *, public: bool = False) -> None:
        """See `ObjectSink.check`: a bucket that blocks public access takes no object that all may read (TRAPS 36)."""
        check_names(bucket)
        _judge(bucket, self._ask("HEAD", f"/{bucket}")[0])
        if public:
            status, answer = self._ask("GET", f"/{bucket}", query="publicAccessBlock=")
            if status == 200 and _blocks_public(answer):
                raise BucketDenied(
                    f"The bucket {bucket} blocks public access: S3ObjectAcl must be BUCKET_OWNER_FULL_CONTROL"
                )

    def put(self, bucket: str, key: str, body: bytes, *, media_type: str, public: bool = False) -> None:
        """See `ObjectSink.put`."""
        check_names(bucket, key)
        headers = {
            "Content-Type": media_type,
            "x-amz-acl": "public-read" if public else "bucket-owner-full-control",
        }
        _judge(bucket, self._ask("PUT", f"/{bucket}/{quote(key)}", headers=headers, body=body)[0])

    def address(self, bucket: str) -> str | None:
        """See `ObjectSink.address`."""
        return f"{self._endpoint.url}/{bucket}"

    def _ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: (status, body of the answer). Raises SinkUnavailable."""
        target = self._endpoint.target
        sent = {
            "Host": target.authority,
            "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
            **(headers or {}),
        }
        sent = signed_headers(
            self._endpoint.credentials, self._endpoint.region, method, path, query, sent, self._wall()
        )
        sent |= {"Content-Length": str(len(body)), "Connection": "close"}
        lines = [f"{method} {path}{'?' + query if query else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in sent.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
        try:
            with self._egress.dial(str(target.host), target.port, self._resolve, seconds=_SECONDS) as stream:
                if self._tls is not None:
                    stream.encrypt(self._tls, str(target.host))
                stream.send(head + body)
                return _answer(stream.receive_all(_ANSWER_LIMIT))
        except (EgressFailed, EgressRefused) as error:
            raise SinkUnavailable(f"the S3 endpoint cannot be reached: {error}") from error


def _answer(received: bytes) -> tuple[int, bytes]:
    """Status and body (RFC 9112); what a chunked body's framing adds is left in, as no body is more than looked into."""
    head, _, body = received.partition(b"\r\n\r\n")
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1.") or not rest[:3].isdigit():
        raise SinkUnavailable("the S3 endpoint answered with something other than HTTP/1.1")
    return int(rest[:3]), body


def _judge(bucket: str, status: int) -> None:
    if status in range(200, 300):
        return
    if status == _MISSING:
        raise BucketMissing(f"There is no bucket {bucket} at the S3 endpoint")
    if status in range(300, 500) and status != 429:
        raise BucketDenied(f"The S3 endpoint refuses the use of the bucket {bucket} (status {status})")
    raise SinkUnavailable(f"the S3 endpoint answered with status {status}")


def _blocks_public(answer: bytes) -> bool:
    """Whether a PublicAccessBlockConfiguration refuses public ACLs."""
    begin, end = answer.find(b"<PublicAccessBlockConfiguration"), answer.rfind(b">")
    if begin < 0 or b"<!" in answer:
        return False
    try:
        tree = ET.fromstring(answer[begin : end + 1])  # noqa: S314 - bounded, and no declarations (above)
    except ET.ParseError:
        return False
    return any(
        each.tag.rpartition("}")[2] == "BlockPublicAcls" and (each.text or "").strip() == "true"
        for each in tree
    )
