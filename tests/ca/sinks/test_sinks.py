"""Buckets: folders that the operator made, and an S3 endpoint that is spoken to as S3 is."""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Pair

from ca import Credentials, FolderSink, S3Endpoint, S3Sink
from ca.errors import BucketDenied, BucketMissing, SinkUnavailable
from foundation.egress import EgressFailed, parse_url

AT = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
KEY, SECRET = "AKIDEXAMPLE", "an-example-secret"
BLOCKED = (
    b'<?xml version="1.0"?><PublicAccessBlockConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    b"<BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>"
)


class Stream:
    """One connection: what was sent, and the answer that is there."""

    def __init__(self, answer: bytes) -> None:
        self.sent = b""
        self.answer = answer

    def send(self, payload: bytes) -> None:
        self.sent += payload

    def receive_all(self, limit: int) -> bytes:
        return self.answer[:limit]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Wire:
    """An egress that dials nobody: each connection has the next of the answers."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.streams: list[Stream] = []
        self.dialled: list[tuple[str, int]] = []

    def dial(self, host: str, port: int, _resolve: Any, *, seconds: float) -> Stream:
        assert seconds > 0
        self.dialled.append((host, port))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        self.streams.append(Stream(answer))
        return self.streams[-1]


def status(code: int, body: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d Said\r\nServer: x\r\n\r\n%b" % (code, body)


def sink(wire: Wire, url: str = "http://s3.example.test:9000") -> S3Sink:
    egress: Any = wire
    endpoint = S3Endpoint(parse_url(url), "eu-west-1", Credentials(KEY, SECRET))
    return S3Sink(endpoint, egress, lambda _: [], lambda: AT)


def headers_of(sent: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = sent.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def test_an_object_is_put_with_a_signature_that_botocore_would_make() -> None:
    wire = Wire(status(200))
    sink(wire).put("crls", "crl/a (b).crl", b"bytes", media_type="application/pkix-crl", public=True)
    first, headers, body = headers_of(wire.streams[0].sent)
    assert (first, body) == ("PUT /crls/crl/a%20%28b%29.crl HTTP/1.1", b"bytes")
    assert wire.dialled == [("s3.example.test", 9000)]
    assert headers["x-amz-acl"] == "public-read"
    assert headers["x-amz-content-sha256"] == hashlib.sha256(b"bytes").hexdigest()
    assert headers["Content-Length"] == "5"
    signed = {
        name: headers[name]
        for name in headers
        if name not in {"Authorization", "Connection", "Content-Length"}
    }
    request: Any = AWSRequest(
        "PUT", "http://s3.example.test:9000/crls/crl/a%20%28b%29.crl", headers=signed, data=b"bytes"
    )
    signer: Any = S3SigV4Auth(Pair(KEY, SECRET), "s3", "eu-west-1")
    request.context["timestamp"] = "20260301T120030Z"
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    given = re.search("Signature=([0-9a-f]{64})", headers["Authorization"])
    assert given is not None
    assert given[1] == expected
    for name in ("content-type", "host", "x-amz-acl", "x-amz-content-sha256", "x-amz-date"):
        assert name in headers["Authorization"]


def test_an_object_that_is_not_public_is_the_bucket_owners() -> None:
    wire = Wire(status(200))
    sink(wire).put("crls", "a", b"", media_type="text/csv")
    assert headers_of(wire.streams[0].sent)[1]["x-amz-acl"] == "bucket-owner-full-control"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (status(404), BucketMissing),
        (status(403), BucketDenied),
        (status(301), BucketDenied),
        (status(400), BucketDenied),
        (status(429), SinkUnavailable),
        (status(500), SinkUnavailable),
        (b"", SinkUnavailable),
        (b"SSH-2.0-x", SinkUnavailable),
        (EgressFailed("refused"), SinkUnavailable),
    ],
)
def test_what_the_endpoint_says_is_told_apart(answer: bytes | Exception, error: type[Exception]) -> None:
    with pytest.raises(error):
        sink(Wire(answer)).check("crls")
    with pytest.raises(error):
        sink(Wire(answer)).put("crls", "a", b"", media_type="text/csv")


def test_a_bucket_that_blocks_public_access_takes_no_public_object() -> None:
    with pytest.raises(BucketDenied, match="BUCKET_OWNER_FULL_CONTROL"):
        sink(Wire(status(200), status(200, BLOCKED))).check("crls", public=True)
    sink(Wire(status(200))).check("crls")
    for answer in (
        status(404),
        status(501),
        status(200, BLOCKED.replace(b"true", b"false")),
        status(200, b"<a"),
    ):
        sink(Wire(status(200), answer)).check("crls", public=True)


def test_clients_read_at_the_endpoint_and_in_no_folder(tmp_path: Path) -> None:
    assert sink(Wire(), "https://s3.example.test").address("crls") == "https://s3.example.test/crls"
    assert FolderSink(tmp_path).address("crls") is None


@pytest.mark.parametrize(
    "name", ["", "ab", "..", "../a", "a/b", "A-bucket", "a..b", "-ab", "ab-", "a\0b", "x" * 64]
)
def test_what_is_no_name_of_a_bucket_is_missing(tmp_path: Path, name: str) -> None:
    for each in (FolderSink(tmp_path), sink(Wire())):
        with pytest.raises(BucketMissing):
            each.check(name)
        with pytest.raises(BucketMissing):
            each.put(name, "key", b"", media_type="text/csv")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../../b", "a/.", "a\0", "x" * 1025])
def test_a_key_stays_in_its_bucket(tmp_path: Path, key: str) -> None:
    (tmp_path / "crls").mkdir()
    for each in (FolderSink(tmp_path), sink(Wire())):
        with pytest.raises(BucketDenied):
            each.put("crls", key, b"", media_type="text/csv")
    assert list(tmp_path.rglob("*")) == [tmp_path / "crls"]


def test_an_object_is_replaced_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "crls").mkdir()
    for body in (b"first", b"second"):
        FolderSink(tmp_path).put("crls", "crl/a.crl", body, media_type="application/pkix-crl", public=True)
    assert [each.name for each in (tmp_path / "crls/crl").iterdir()] == ["a.crl"]
    assert (tmp_path / "crls/crl/a.crl").read_bytes() == b"second"


def test_a_folder_that_cannot_hold_the_object_is_told(tmp_path: Path) -> None:
    (tmp_path / "crls").mkdir()
    (tmp_path / "crls/crl").write_bytes(b"a file where a folder should be")
    with pytest.raises(SinkUnavailable):
        FolderSink(tmp_path).put("crls", "crl/a.crl", b"", media_type="text/csv")
    with pytest.raises(BucketMissing, match="operator"):
        FolderSink(tmp_path).check("other")
