"""Requests as clients of each protocol spell them, and one Wire that all tests share."""

import functools
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import cbor2

from foundation.wire import Request, Wire
from foundation.wire.cache import Models


@functools.cache
def the_wire() -> Wire:
    return Wire()


@functools.cache
def the_models() -> Models:
    return Models()


def json_call(target: str, body: Any = None, *, headers: Sequence[tuple[str, str]] = ()) -> Request:
    octets = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    return Request(
        "POST",
        "/",
        "",
        (
            ("host", "kms.test"),
            ("x-amz-target", target),
            ("content-type", "application/x-amz-json-1.1"),
            *headers,
        ),
        octets,
    )


def cbor_call(target: str, operation: str, body: Any = None, *, path: str | None = None) -> Request:
    octets = body if isinstance(body, bytes) else cbor2.dumps({} if body is None else body)
    return Request(
        "POST",
        path or f"/service/{target}/operation/{operation}",
        "",
        (("host", "pca.test"), ("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")),
        octets,
    )


def form_call(
    body: dict[str, str] | bytes, *, content_type: str = "application/x-www-form-urlencoded"
) -> Request:
    octets = body if isinstance(body, bytes) else urlencode(body).encode()
    return Request("POST", "/", "", (("host", "sts.test"), ("content-type", content_type)), octets)
