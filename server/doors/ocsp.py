"""`/pki/<ca id>/ocsp`: OCSP over HTTP (RFC 6960 appendix A, RFC 5019), in front of Flask as the AWS protocols are."""

import binascii
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from wsgiref.handlers import format_date_time

from ca import (
    MAX_OCSP_REQUEST,
    NotPublished,
    OcspAnswer,
    OcspMalformed,
    OcspRefused,
    OcspTryLater,
    ocsp_unsuccessful,
)
from foundation.wire import RequestEntityTooLarge, SerializationError
from server.doors.environ import Environ, read_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from server.assembly import Assembly

PREFIX: Final = "/pki/"
_ID_END: Final = len(PREFIX) + 36
_NAME: Final = "/ocsp"
_NAME_END: Final = _ID_END + len(_NAME)
_LONGEST_TEXT: Final = MAX_OCSP_REQUEST * 4 // 3 + 4
_TYPE: Final = ("content-type", "application/ocsp-response")
_NOT_KEPT: Final = ("cache-control", "no-store")


def is_ocsp(path: str) -> bool:
    """Whether a path is one of this door's; its id may be nobody's."""
    return (
        path.startswith(PREFIX)
        and path[_ID_END:_NAME_END] == _NAME
        and (len(path) == _NAME_END or path[_NAME_END] == "/")
    )


class OcspDoor:
    """A WSGI callable for the paths of `is_ocsp`."""

    def __init__(self, assembly: "Assembly") -> None:
        self._responder = assembly.ocsp
        self._now = assembly.clock.now
        self._log = assembly.log
        self._metrics = assembly.metrics

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        """Every refusal of OCSP's own is an OCSPResponse with status 200; HTTP's are another method, and nobody's id."""
        with self._metrics.timed("ocsp", "Answer"):
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            authority_id = path[len(PREFIX) : _ID_END]
            if method not in {"GET", "HEAD", "POST"}:
                return _plain(
                    start_response, "405 Method Not Allowed", "use GET or POST", ("allow", "GET, HEAD, POST")
                )
            try:
                request = _posted(environ) if method == "POST" else octets_of(path[_NAME_END:])
                answer = self._responder.answer(authority_id, request)
            except NotPublished:
                return _plain(
                    start_response, "404 Not Found", "there is no certificate authority of that id", _NOT_KEPT
                )
            except OcspRefused as refused:
                return self._refuse(refused, start_response)
            return self._send(answer, method, environ, start_response)

    def _refuse(self, refused: OcspRefused, start_response: "StartResponse") -> Iterable[bytes]:
        if isinstance(refused, OcspTryLater):
            self._log.warning("an OCSP request has no answer now", why=str(refused))
        self._metrics.refused("ocsp", type(refused).__name__)
        return _respond(start_response, ocsp_unsuccessful(refused.status), [_NOT_KEPT])

    def _send(
        self, answer: OcspAnswer, method: str, environ: Environ, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if answer.refresh_at is None or method == "POST":  # a cache finds its answers by URL alone
            return _respond(start_response, answer.body, [_NOT_KEPT])
        headers = _lasting(answer, self._now(), answer.refresh_at)
        if environ.get("HTTP_IF_NONE_MATCH") == f'"{answer.etag}"':
            start_response("304 Not Modified", headers)
            return []
        if method == "HEAD":
            start_response("200 OK", [_TYPE, *headers, ("content-length", str(len(answer.body)))])
            return []
        return _respond(start_response, answer.body, headers)


def octets_of(text: str) -> bytes:
    """The request in a path (RFC 6960 A.1), as clients send it: escaped or not, once or twice, with padding or without.

    Raises Malformed for what is no base64.
    """
    if len(text) > 3 * _LONGEST_TEXT:
        raise OcspMalformed("the path is too long")
    for _ in range(2):
        text = unquote(text) if "%" in text else text
    text = text.lstrip("/").rstrip("=").replace(" ", "+").replace("-", "+").replace("_", "/")
    if not text or len(text) > _LONGEST_TEXT or not text.isascii():
        raise OcspMalformed("no OCSP request in the path")
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except binascii.Error as error:
        raise OcspMalformed(f"the path is no base64: {error}") from error


def _posted(environ: Environ) -> bytes:
    try:
        return read_request(environ, limit=MAX_OCSP_REQUEST).body
    except (RequestEntityTooLarge, SerializationError) as error:
        raise OcspMalformed(str(error)) from error


def _lasting(answer: OcspAnswer, now: datetime, refresh_at: datetime) -> list[tuple[str, str]]:
    """RFC 5019 6.2. Caches ask again when the answer is signed anew here, half-way to its end."""
    seconds = max(0, int((refresh_at - now).total_seconds()))
    return [
        *_dated(answer.etag, answer.produced_at, answer.until),
        ("cache-control", f"max-age={seconds}, public, no-transform, must-revalidate"),
    ]


@lru_cache(maxsize=4096)
def _dated(etag: str, produced_at: datetime, until: datetime) -> tuple[tuple[str, str], ...]:
    """What stays the same for an answer; writing two dates costs more than finding it."""
    return (
        ("last-modified", format_date_time(produced_at.timestamp())),
        ("expires", format_date_time(until.timestamp())),
        ("etag", f'"{etag}"'),
    )


def _respond(start_response: "StartResponse", body: bytes, headers: list[tuple[str, str]]) -> Iterable[bytes]:
    start_response("200 OK", [_TYPE, *headers, ("content-length", str(len(body)))])
    return [body]


def _plain(
    start_response: "StartResponse", status: str, text: str, header: tuple[str, str]
) -> Iterable[bytes]:
    body = f"{text}\n".encode()
    start_response(status, [("content-type", "text/plain"), header, ("content-length", str(len(body)))])
    return [body]
