"""SigV4's canonical request, string to sign and key derivation.

Source: AWS General Reference, "Signature Version 4: create a canonical request". Everything is bytes: header
values reach us as latin-1 text, and what the client signed are the octets that it sent.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote_from_bytes, unquote_to_bytes

__all__ = [
    "ALGORITHM",
    "Sign",
    "canonical_request",
    "derive_signing_key",
    "octets",
    "signer",
    "string_to_sign",
]

ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


def canonical_request(
    *,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, Sequence[str]],
    signed_headers: Sequence[str],
    payload_hash: str,
    s3: bool = False,
) -> bytes:
    """Build the canonical request.

    `path` and `query` are as on the request line (still percent-encoded), `headers` are the values of each header in
    order, by lower-case name. A query's `X-Amz-Signature` is left out. S3 encodes paths once and normalises nothing.
    """
    lines = [octets(method), _canonical_path(path, s3=s3), _canonical_query(query) if query else b""]
    for name in signed_headers:
        values = headers.get(name, ())
        if len(values) == 1:
            trimmed = b" ".join(octets(values[0]).split())
        else:
            trimmed = b",".join([b" ".join(octets(value).split()) for value in values])
        lines.append(octets(name) + b":" + trimmed)
    lines += (b"", octets(";".join(signed_headers)), payload_hash.encode())
    return b"\n".join(lines)


def string_to_sign(timestamp: str, scope: str, request: bytes) -> bytes:
    """Build the string to sign for a canonical request; `scope` is `date/region/service/aws4_request`."""
    digest = hashlib.sha256(request).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{digest}".encode()


def derive_signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive the 32-byte signing key for one day, region and service from a secret access key."""
    key = ("AWS4" + secret).encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key


Sign = Callable[[bytes], str]
"""Gives the signature of a string to sign: HMAC-SHA-256 (RFC 2104) under one key, in hexadecimal."""


def signer(key: bytes) -> Sign:
    """Make the signer of a derived key of 32 bytes. The two pads are hashed once, so it costs a third of hmac.digest."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(octet ^ 0x36 for octet in block))
    outer = hashlib.sha256(bytes(octet ^ 0x5C for octet in block))

    def sign(to_sign: bytes) -> str:
        inside, outside = inner.copy(), outer.copy()
        inside.update(to_sign)
        outside.update(inside.digest())
        return outside.hexdigest()

    return sign


def octets(text: str) -> bytes:
    """Give back the octets of text that a server decoded as latin-1; text beyond latin-1 never crossed a wire."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _canonical_path(path: str, *, s3: bool) -> bytes:
    if path in {"", "/"}:
        return b"/"
    raw = octets(path)
    if s3:
        return quote_from_bytes(unquote_to_bytes(raw), safe="/" + _UNRESERVED).encode()
    kept: list[bytes] = []
    for segment in raw.split(b"/"):
        if segment in {b"", b"."}:
            continue
        if segment == b"..":
            del kept[-1:]
        else:
            kept.append(segment)
    normal = b"/" + b"/".join(kept) + (b"/" if kept and raw.endswith(b"/") else b"")
    return quote_from_bytes(normal, safe="/" + _UNRESERVED).encode()


def _canonical_query(query: str) -> bytes:
    pairs = []
    for part in octets(query).split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"X-Amz-Signature" or not part:
            continue
        pairs.append((_recoded(name), _recoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs)).encode()


def _recoded(text: bytes) -> str:
    return quote_from_bytes(unquote_to_bytes(text.replace(b"+", b" ")), safe=_UNRESERVED)
