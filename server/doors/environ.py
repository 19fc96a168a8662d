"""From a WSGI environment to our own Request: the raw body kept, caps applied before anything is read."""

from itertools import chain
from typing import Any
from urllib.parse import quote

from foundation.wire import Request, RequestEntityTooLarge, SerializationError

Environ = dict[str, Any]

MAX_HEADERS = 100
MAX_HEADER_BYTES = 64 * 1024
MAX_NAMES = 1024

_UNPREFIXED = (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length"))
_TWICE = frozenset(name for _, name in _UNPREFIXED)


def read_request(environ: Environ, *, limit: int, body: bool = True) -> Request:
    """The request with its whole body, at most `limit` bytes; without it where Flask reads the body itself.

    Raises RequestEntityTooLarge for a longer body and SerializationError for headers over their caps, a
    Content-Length that is no number, or both Content-Length and Transfer-Encoding (SECURITY 2.9).
    """
    headers = _headers(environ)
    if len(headers) > MAX_HEADERS or sum(map(len, chain.from_iterable(headers))) > MAX_HEADER_BYTES:
        raise SerializationError("The request has too many headers.")
    return Request(
        method=environ["REQUEST_METHOD"],
        path=_raw_path(environ),
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        body=_body(environ, limit) if body else b"",
        secure=environ.get("wsgi.url_scheme") == "https",
        source_ip=environ.get("REMOTE_ADDR", ""),
    )


def _headers(environ: Environ) -> tuple[tuple[str, str], ...]:
    headers = [(name, environ[key]) for key, name in _UNPREFIXED if environ.get(key)]
    names = _names
    for key, value in environ.items():
        name = names.get(key)
        if name is None:
            name = _name(key)
            if len(names) < MAX_NAMES:
                names[key] = name
        if name:
            headers.append((name, value))
    return tuple(headers)


def _name(key: str) -> str:
    """The header that a variable of the environment holds, "" for one that holds none (or that is read elsewhere)."""
    name = key[5:].replace("_", "-").lower() if key.startswith("HTTP_") else ""
    return "" if name in _TWICE else name


_names: dict[str, str] = {}
"""What `_name` said before; strangers choose names, so it does not grow beyond MAX_NAMES."""


def _raw_path(environ: Environ) -> str:
    # PEP 3333: PATH_INFO is decoded bytes in latin-1 clothes; quoting it again gives the path that was signed.
    path: str = environ.get("PATH_INFO", "/")
    return path if path == "/" else quote(path.encode("latin-1"), safe="/-_.~!$&'()*+,;=:@")


def _body(environ: Environ, limit: int) -> bytes:
    declared = environ.get("CONTENT_LENGTH") or ""
    if declared and environ.get("HTTP_TRANSFER_ENCODING"):
        raise SerializationError("Content-Length and Transfer-Encoding may not both be given.")
    if declared and not (declared.isascii() and declared.isdigit()):
        raise SerializationError("Content-Length is not a number.")
    if declared and int(declared) > limit:
        raise RequestEntityTooLarge(f"The body may have at most {limit} bytes.")
    stream = environ["wsgi.input"]
    body: bytes = stream.read(int(declared)) if declared else stream.read(limit + 1)
    if len(body) > limit:
        raise RequestEntityTooLarge(f"The body may have at most {limit} bytes.")
    if declared and len(body) != int(declared):
        raise SerializationError("The body is shorter than its Content-Length.")
    return body
