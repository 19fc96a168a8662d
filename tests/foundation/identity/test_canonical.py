"""SigV4 against the examples that AWS published: the S3 API reference, the General Reference, its test suite."""

import hmac
from collections.abc import Mapping

import pytest

from foundation.identity.canonical import canonical_request, derive_signing_key, string_to_sign
from foundation.wire import Request

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
SUITE_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
S3_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
Headers = tuple[tuple[str, str], ...]
SUITE_HEADERS: Headers = (("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z"))
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# name, method, path, query, further headers, signature; service "service" in us-east-1
SUITE: tuple[tuple[str, str, str, str, Headers, str], ...] = (
    ("get-vanilla", "GET", "/", "", (), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
        "get-vanilla-empty-query-key",
        "GET",
        "/",
        "Param1=value1",
        (),
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    (
        "get-vanilla-query-order-key-case",
        "GET",
        "/",
        "Param2=value2&Param1=value1",
        (),
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    (
        "get-vanilla-query-unreserved",
        "GET",
        "/",
        f"{UNRESERVED}={UNRESERVED}",
        (),
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    (
        "get-vanilla-utf8-query",
        "GET",
        "/",
        "ሴ=bar",
        (),
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    (
        "get-unreserved",
        "GET",
        f"/{UNRESERVED}",
        "",
        (),
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    ("get-utf8", "GET", "/ሴ", "", (), "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    (
        "get-relative",
        "GET",
        "/example/..",
        "",
        (),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-relative-relative",
        "GET",
        "/example1/example2/../..",
        "",
        (),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    ("get-slash", "GET", "//", "", (), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    (
        "get-slash-dot-slash",
        "GET",
        "/./",
        "",
        (),
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
    (
        "get-slash-pointless-dot",
        "GET",
        "/./example",
        "",
        (),
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    (
        "get-slashes",
        "GET",
        "//example//",
        "",
        (),
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    (
        "get-space",
        "GET",
        "/example space/",
        "",
        (),
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    (
        "get-header-value-trim",
        "GET",
        "/",
        "",
        (("my-header1", " value1"), ("my-header2", ' "a   b   c"')),
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    (
        "get-header-key-duplicate",
        "GET",
        "/",
        "",
        (("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")),
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    (
        "get-header-value-order",
        "GET",
        "/",
        "",
        (
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ),
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    ("post-vanilla", "POST", "/", "", (), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    (
        "post-vanilla-query",
        "POST",
        "/",
        "Param1=value1",
        (),
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    (
        "post-header-key-sort",
        "POST",
        "/",
        "",
        (("my-header1", "value1"),),
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
)

S3_DATE: Headers = (("host", "examplebucket.s3.amazonaws.com"), ("x-amz-date", "20130524T000000Z"))
S3_EMPTY: Headers = (*S3_DATE, ("x-amz-content-sha256", EMPTY))
PUT_HASH = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"

# name, method, path, query, headers, payload hash, signature; from the S3 API reference, "Authorization header"
S3: tuple[tuple[str, str, str, str, Headers, str, str], ...] = (
    (
        "get-object",
        "GET",
        "/test.txt",
        "",
        (*S3_EMPTY, ("range", "bytes=0-9")),
        EMPTY,
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
    (
        "put-object",
        "PUT",
        "/test$file.text",
        "",
        (
            *S3_DATE,
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("x-amz-content-sha256", PUT_HASH),
        ),
        PUT_HASH,
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
    (
        "get-lifecycle",
        "GET",
        "/",
        "lifecycle",
        S3_EMPTY,
        EMPTY,
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
    (
        "list-objects",
        "GET",
        "/",
        "max-keys=2&prefix=J",
        S3_EMPTY,
        EMPTY,
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
    (
        "presigned",
        "GET",
        "/test.txt",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
        S3_DATE[:1],
        "UNSIGNED-PAYLOAD",
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
    ),
)


def signature(key: bytes, timestamp: str, scope: str, canonical: bytes) -> str:
    return hmac.digest(key, string_to_sign(timestamp, scope, canonical), "sha256").hex()


def named(headers: Headers) -> Mapping[str, tuple[str, ...]]:
    """As a request gives its headers: the values of each, by name."""
    return Request("GET", "/", "", headers, b"").named()


@pytest.mark.parametrize(
    ("name", "method", "path", "query", "more", "expected"), SUITE, ids=[row[0] for row in SUITE]
)
def test_every_published_case_has_its_published_signature(
    name: str, method: str, path: str, query: str, more: Headers, expected: str
) -> None:
    headers = (*SUITE_HEADERS, *more)
    canonical = canonical_request(
        method=method,
        path=path,
        query=query,
        headers=named(headers),
        signed_headers=sorted({header for header, _ in headers}),
        payload_hash=EMPTY,
    )
    key = derive_signing_key(SUITE_SECRET, "20150830", "us-east-1", "service")
    assert (
        signature(key, "20150830T123600Z", "20150830/us-east-1/service/aws4_request", canonical) == expected
    )


@pytest.mark.parametrize(
    ("name", "method", "path", "query", "headers", "payload_hash", "expected"), S3, ids=[row[0] for row in S3]
)
def test_every_published_s3_example_has_its_published_signature(
    name: str, method: str, path: str, query: str, headers: Headers, payload_hash: str, expected: str
) -> None:
    canonical = canonical_request(
        method=method,
        path=path,
        query=query,
        headers=named(headers),
        signed_headers=sorted({header for header, _ in headers}),
        payload_hash=payload_hash,
        s3=True,
    )
    key = derive_signing_key(S3_SECRET, "20130524", "us-east-1", "s3")
    assert signature(key, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", canonical) == expected


def test_the_general_reference_example_derives_its_published_key() -> None:
    key = derive_signing_key(SUITE_SECRET, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


def test_header_octets_are_signed_as_they_were_sent() -> None:
    sent = "Grüße".encode().decode("latin-1")  # how a WSGI server shows UTF-8 in a header
    canonical = canonical_request(
        method="GET",
        path="/",
        query="",
        headers={"host": ("a",), "x-amz-meta-greeting": (sent,)},
        signed_headers=("host", "x-amz-meta-greeting"),
        payload_hash=EMPTY,
    )
    assert "x-amz-meta-greeting:Grüße\n".encode() in canonical
