"""The doors: from a WSGI environment to a request and back, and which of the two doors a request goes through."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest

from foundation.wire import AwsError, RequestEntityTooLarge, SerializationError
from server.assembly import Assembly
from server.doors.environ import MAX_HEADERS, read_request
from tests.support.world import World, problem, shared_world

__all__ = ["shared_world"]


def environ(body: bytes = b"", /, **changes: Any) -> dict[str, Any]:
    """What a server hands over for a POST to /. None takes an entry away."""
    whole = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_NAME": "keystead.test",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "application/x-amz-json-1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def test_a_request_has_what_was_sent_and_from_where() -> None:
    given = environ(b"{}", QUERY_STRING="a=b&a=c", HTTP_X_AMZ_TARGET="T.O", HTTP_HOST="keystead.test:8750")
    request = read_request(given, limit=10)
    assert (request.method, request.path, request.query, request.body) == ("POST", "/", "a=b&a=c", b"{}")
    assert dict(request.headers) == {
        "content-type": "application/x-amz-json-1.1",
        "content-length": "2",
        "x-amz-target": "T.O",
        "host": "keystead.test:8750",
    }
    assert not request.secure
    assert request.source_ip == "192.0.2.7"
    assert read_request(environ(**{"wsgi.url_scheme": "https"}), limit=10).secure


def test_a_forged_content_length_header_does_not_shadow_the_real_one() -> None:
    request = read_request(environ(b"{}", HTTP_CONTENT_LENGTH="99", HTTP_CONTENT_TYPE="x"), limit=10)
    assert request.header("content-length") == "2"
    assert request.header("content-type") == "application/x-amz-json-1.1"


@pytest.mark.parametrize(
    ("decoded", "signed"),
    [
        ("/service/X/operation/Y", "/service/X/operation/Y"),
        ("/a b", "/a%20b"),
        ("/\xc3\xa9", "/%C3%A9"),
        ("/%2F", "/%252F"),
        ("/a:b@c!$&'()*+,;=~", "/a:b@c!$&'()*+,;=~"),
    ],
)
def test_the_path_is_the_one_that_was_signed(decoded: str, signed: str) -> None:
    assert read_request(environ(PATH_INFO=decoded), limit=10).path == signed


BODIES: dict[str, tuple[bytes, dict[str, Any], type[AwsError] | None]] = {
    "as long as allowed": (b"x" * 10, {}, None),
    "one octet longer": (b"x" * 11, {}, RequestEntityTooLarge),
    "chunked": (b"x" * 10, {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"}, None),
    "chunked and longer": (
        b"x" * 11,
        {"CONTENT_LENGTH": None, "HTTP_TRANSFER_ENCODING": "chunked"},
        RequestEntityTooLarge,
    ),
    "both lengths": (b"x", {"HTTP_TRANSFER_ENCODING": "chunked"}, SerializationError),
    "a length that is no number": (b"x", {"CONTENT_LENGTH": "1x"}, SerializationError),
    "a negative length": (b"x", {"CONTENT_LENGTH": "-1"}, SerializationError),
    "a length in other digits": (b"x", {"CONTENT_LENGTH": "\u0661"}, SerializationError),
    "a length without end": (b"x", {"CONTENT_LENGTH": "9" * 30}, RequestEntityTooLarge),
    "cut short": (b"x", {"CONTENT_LENGTH": "2"}, SerializationError),
    "no length at all": (b"", {"CONTENT_LENGTH": None}, None),
    "an empty length": (b"", {"CONTENT_LENGTH": ""}, None),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_read_to_its_bounds_and_no_further(name: str) -> None:
    body, changes, refused = BODIES[name]
    given = environ(body, **changes)
    if refused is None:
        assert read_request(given, limit=10).body == body
        return
    with pytest.raises(refused):
        read_request(given, limit=10)


def test_a_body_that_flask_will_read_is_left_to_it() -> None:
    given = environ(b"body")
    assert read_request(given, limit=0, body=False).body == b""
    assert given["wsgi.input"].read() == b"body"


@pytest.mark.parametrize(
    "headers",
    [
        {f"HTTP_X_{number}": "v" for number in range(MAX_HEADERS)},
        {"HTTP_AUTHORIZATION": "x" * 70_000},
    ],
)
def test_headers_have_bounds(headers: dict[str, str]) -> None:
    with pytest.raises(SerializationError, match="headers"):
        read_request(environ(**headers), limit=10)


def through(world: World, given: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
    """The whole application, called as a server does."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _exc: Any = None) -> Any:
        started.append((status, headers))

    chunks: Iterable[bytes] = world.wsgi(given, start_response)
    body = b"".join(chunks)
    getattr(chunks, "close", lambda: None)()
    [(status, headers)] = started
    assert status[3] == " "
    return int(status[:3]), {name.lower(): value for name, value in headers}, body


@pytest.mark.parametrize(
    ("changes", "aws"),
    [
        ({}, True),
        ({"REQUEST_METHOD": "PUT"}, True),
        ({"PATH_INFO": ""}, True),
        ({"REQUEST_METHOD": "GET"}, False),
        ({"REQUEST_METHOD": "GET", "QUERY_STRING": "Action=GetCallerIdentity"}, True),
        ({"REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 x"}, True),
        ({"PATH_INFO": "/service/ACMPrivateCA/operation/X"}, True),
        ({"PATH_INFO": "/service"}, False),
        ({"PATH_INFO": "/v1/certificates"}, False),
        ({"PATH_INFO": "/healthz", "REQUEST_METHOD": "GET"}, False),
    ],
)
def test_aws_calls_go_to_the_pipeline_and_the_rest_to_flask(
    shared_world: World, changes: dict[str, str], *, aws: bool
) -> None:
    _, headers, body = through(shared_world, environ(b"", **changes))
    assert (b"__type" in body or b"<ErrorResponse" in body) is aws
    assert "x-amzn-requestid" in headers
    assert headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CONTENT_LENGTH": str(10**9)}, 413),
        ({"CONTENT_LENGTH": "x"}, 400),
        ({"HTTP_AUTHORIZATION": "x" * 70_000}, 400),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_in_aws_words(
    shared_world: World, changes: dict[str, str], status: int
) -> None:
    answered, headers, body = through(shared_world, environ(b"", **changes))
    assert answered == status
    assert json.loads(body)["__type"]
    assert headers["x-amzn-requestid"]


def test_a_fault_behind_flask_is_a_problem_document_and_logs_nothing_of_the_callers(
    shared_world: World,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_assembly: Assembly, name: str) -> None:
        raise ValueError(f"what-the-caller-sent {name}")

    monkeypatch.setattr(Assembly, "pki", broken)
    answer = shared_world.http("GET", "/pki/what-the-caller-sent.pem")
    assert problem(answer) == (500, "InternalFailure", "An internal error occurred.")
    assert b"what-the-caller-sent" not in answer.body
    assert "what-the-caller-sent" not in capsys.readouterr().err + caplog.text


def test_the_front_page_escapes_what_it_shows(shared_world: World) -> None:
    page = shared_world.http("GET", "/", headers={"host": "<script>alert(1)</script>"})
    assert page.status == 200
    assert b"<script>" not in page.body
