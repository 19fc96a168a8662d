"""The one WSGI callable: AWS protocols and OCSP in front (a Flask view costs 60 µs more), Flask behind."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from foundation.wire import AwsError, Response
from foundation.wire.limits import LARGEST_BODY
from server.doors.app import make_app
from server.doors.environ import Environ, read_request
from server.doors.ocsp import OcspDoor, is_ocsp

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from server.assembly import Assembly

Wsgi = Callable[[Environ, "StartResponse"], Iterable[bytes]]

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def make_wsgi(assembly: "Assembly") -> Wsgi:
    """The application that each HTTP worker serves."""
    pipeline = assembly.pipeline
    flask = make_app(assembly)
    ocsp = OcspDoor(assembly)

    def application(environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        if not _is_aws(environ):
            if is_ocsp(environ.get("PATH_INFO", "")):
                return ocsp(environ, start_response)
            answer: Iterable[bytes] = flask(environ, start_response)
            return answer
        try:
            request = read_request(environ, limit=LARGEST_BODY)
        except AwsError as error:
            response = pipeline.refuse(error)
        else:
            response = pipeline.answer(request)
        return _send(response, start_response)

    return application


def _is_aws(environ: Environ) -> bool:
    path = environ.get("PATH_INFO", "/")
    if path.startswith("/service/"):
        return True
    if path not in ("/", ""):
        return False
    # A person who opens / in a browser is shown the way; a GET with a query is a presigned call.
    return (
        environ["REQUEST_METHOD"] != "GET"
        or bool(environ.get("QUERY_STRING"))
        or "HTTP_AUTHORIZATION" in environ
    )


def _send(response: Response, start_response: "StartResponse") -> Iterable[bytes]:
    headers = [*response.headers, ("content-length", str(len(response.body)))]
    start_response(_LINES.get(response.status, f"{response.status} Status"), headers)
    return [response.body]
