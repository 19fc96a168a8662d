"""Stock boto3 clients whose requests go into a callable: real signing and parsing, no port, no thread.

kms = client("kms", app)                  # app: Request -> Response, as the pipeline has it
kms = client("kms", wsgi(make_wsgi(...)))  # or a whole WSGI application
"""

import functools
import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import WSGIApplication

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.session import Session

from foundation.wire import Request, Response

App = Callable[[Request], Response]

SOURCE_IP = "192.0.2.7"
_MAKING = threading.Lock()
ENDPOINT = "https://keystead.test"


def client(
    service: str,
    app: App,
    *,
    access_key: str = "AKIAKEYSTEADTEST0000",
    secret_key: str = "not-a-secret-used-in-tests-only-00000000",
    session_token: str | None = None,
    region: str = "eu-central-1",
    endpoint_url: str = ENDPOINT,
    checked: bool = True,
    attempts: int = 1,
    protocol: str | None = None,
    options: dict[str, Any] | None = None,
) -> Any:
    """A boto3 client of `service` that calls `app`.

    `checked=False` turns off the client's own checks of parameters, to see the server's. `attempts` counts
    the first try; 1 means no retry. `protocol` picks one of the model's ("smithy-rpc-v2-cbor") where botocore
    would take another, as SDKs that follow the model's order do. `options` are further arguments of botocore's Config.
    """
    config = Config(
        parameter_validation=checked,
        retries={"mode": "standard", "total_max_attempts": attempts},
        **(options or {}),
    )
    with _MAKING:  # sessions are not for several threads at once
        made = _session(protocol).client(
            service,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=session_token,
            region_name=region,
            endpoint_url=endpoint_url,
            config=config,
        )

    def send(request: AWSPreparedRequest, **_event: object) -> AWSResponse:
        answer = app(as_request(request))
        headers = HTTPHeaders.from_pairs(answer.headers)
        return AWSResponse(request.url, answer.status, headers, _Raw(answer.body))

    made.meta.events.register("before-send", send)
    if service == "kms":
        made.meta.events.register("after-call", hold_to_the_model)
    return made


COMMON_ERRORS = frozenset({
    "AccessDeniedException", "ExpiredTokenException", "IncompleteSignatureException", "InternalFailure",
    "InvalidSignatureException", "MissingAuthenticationTokenException", "NotImplementedException",
    "SerializationException", "ServiceUnavailableException", "ThrottlingException", "UnknownOperationException",
    "UnrecognizedClientException", "ValidationException",
})  # fmt: skip
"""What every operation may answer (the KMS API's "Common Error Types", and keystead's for what it does not do)."""

IN_WORDS = {"CreateGrant": {"ValidationError"}}
"""What the model says of an operation in the documentation of its members only ("KMS returns a ValidationError exception")."""


def hold_to_the_model(parsed: dict[str, Any], model: Any, **_event: object) -> None:
    """Fail for an error that the operation's list in the model does not have (TRAPS 5)."""
    code = parsed.get("Error", {}).get("Code")
    listed = (
        {shape.error_code for shape in model.error_shapes} | COMMON_ERRORS | IN_WORDS.get(model.name, set())
    )
    assert code is None or code in listed, (
        f"{model.name} answers {code}, which its list does not have: {parsed}"
    )


def as_request(prepared: AWSPreparedRequest) -> Request:
    """What a server would receive of a request that botocore is about to send."""
    url = urlsplit(prepared.url)
    headers = [(name.lower(), _text(value)) for name, value in prepared.headers.items()]
    if "host" not in dict(headers):
        headers.insert(0, ("host", url.netloc))
    return Request(
        method=prepared.method,
        path=url.path or "/",
        query=url.query,
        headers=tuple(headers),
        body=_octets(prepared.body),
        secure=url.scheme == "https",
        source_ip=SOURCE_IP,
    )


def wsgi(application: WSGIApplication) -> App:
    """A WSGI application as a callable from Request to Response, called as a server would (PEP 3333)."""

    def call(request: Request) -> Response:
        started: list[tuple[int, tuple[tuple[str, str], ...]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Any:
            started.append((int(status.split(" ", 1)[0]), tuple(headers)))
            return io.BytesIO().write

        chunks = application(_environ(request), start_response)
        try:
            body = b"".join(_each(chunks))
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()
        status, headers = started[-1]
        return Response(status, headers, body)

    return call


def _environ(request: Request) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode("ascii").decode("latin-1"),
        "RAW_URI": request.path + (f"?{request.query}" if request.query else ""),
        "QUERY_STRING": request.query,
        "SERVER_NAME": "keystead.test",
        "SERVER_PORT": "443" if request.secure else "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": request.source_ip,
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if request.secure else "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ and key != "CONTENT_LENGTH" else value
    return environ


def _each(chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield from chunks


@functools.cache
def _session(protocol: str | None) -> boto3.session.Session:
    """A session that reads nothing of the machine's own settings, and each model once: a fresh one takes 0.2 s a client."""
    session = Session()
    session.set_config_variable("config_file", "/dev/null")
    session.set_config_variable("credentials_file", "/dev/null")
    if protocol is not None:
        loader = session.get_component("data_loader")
        load = loader.load_service_model

        def load_with_one_protocol(*names: Any, **more: Any) -> Any:
            model = load(*names, **more)
            if "metadata" in model and protocol in model["metadata"].get("protocols", ()):
                return {**model, "metadata": {**model["metadata"], "protocols": [protocol]}}
            return model

        loader.load_service_model = load_with_one_protocol
    return boto3.session.Session(botocore_session=session)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _octets(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else bytes(body.read())


class _Raw(io.BytesIO):
    """An answer's body as urllib3 hands it over."""

    def stream(self, **_options: object) -> Iterator[bytes]:
        yield self.read()
