"""Which operation a request asks for: by X-Amz-Target, by an RPC v2 path, or by a query form's Action."""

import re
from typing import Final

from foundation.wire.cache import Models
from foundation.wire.errors import (
    AwsError,
    MethodNotAllowed,
    RequestEntityTooLarge,
    UnknownOperation,
    UnsupportedMediaType,
)
from foundation.wire.form import parse_form
from foundation.wire.limits import LARGEST_BODY
from foundation.wire.messages import Addressed, Request
from foundation.wire.protocols import CONTENT_TYPES, SERVED, Codec

_RPC_PATH: Final = re.compile(r"/service/([A-Za-z0-9_.]{1,128})/operation/([A-Za-z0-9_]{1,128})", re.ASCII)
_FORM: Final = CONTENT_TYPES[Codec.QUERY]


class Addresses:
    """Every served operation by the ways in which requests name it. Immutable once built, so thread-safe."""

    def __init__(self, models: Models) -> None:
        self._by_target: dict[str, Addressed] = {}
        self._by_path: dict[tuple[str, str], Addressed] = {}
        self._by_action: dict[tuple[str, str], Addressed] = {}
        for service, codecs in SERVED.items():
            model = models[service]
            for operation in model.operations:
                for codec in codecs:
                    addressed = Addressed(service, operation, codec, model.signing_name)
                    if codec is Codec.JSON11:
                        self._by_target[f"{model.target}.{operation}"] = addressed
                    elif codec is Codec.CBOR:
                        self._by_path[model.target, operation] = addressed
                    else:
                        self._by_action[model.version, operation] = addressed

    def find(self, request: Request) -> Addressed:
        """Raises an AwsError whose ``codec`` says in which protocol the caller expects to read it."""
        codec = _codec(request)
        try:
            if len(request.body) > LARGEST_BODY:
                raise RequestEntityTooLarge(f"The body may have at most {LARGEST_BODY} octets.")
            if codec is Codec.CBOR:
                return self._rpc(request)
            if codec is Codec.QUERY:
                return self._query(request)
            return self._json(request)
        except AwsError as error:
            error.codec = codec
            raise

    def _json(self, request: Request) -> Addressed:
        target = request.header("x-amz-target")
        if target is None:
            raise UnknownOperation("The request names no operation: the header X-Amz-Target is missing.")
        _must_post(request)
        _must_be(request, Codec.JSON11)
        addressed = self._by_target.get(target)
        if addressed is None or request.path not in ("/", ""):
            raise UnknownOperation("No such operation is known under this X-Amz-Target and path.")
        return addressed

    def _rpc(self, request: Request) -> Addressed:
        _must_post(request)
        if request.all("x-amz-target"):
            raise UnknownOperation("A request to an RPC v2 path may not have the header X-Amz-Target.")
        if request.header("smithy-protocol") != Codec.CBOR.value:
            raise UnsupportedMediaType("The header smithy-protocol must be rpc-v2-cbor.")
        if request.body:
            _must_be(request, Codec.CBOR)
        match = _RPC_PATH.fullmatch(request.path)
        addressed = self._by_path.get((match[1], match[2])) if match else None
        if addressed is None:
            raise UnknownOperation("No such operation is known under this path.")
        return addressed

    def _query(self, request: Request) -> Addressed:
        if request.method not in ("POST", "GET"):
            raise MethodNotAllowed("Query calls are POST or GET.")
        if request.method == "POST":
            _must_be(request, Codec.QUERY)
        form = parse_form(query_text(request))
        action, version = form.get("Action"), form.get("Version")
        if action is None:
            raise UnknownOperation("The request names no operation: the parameter Action is missing.")
        addressed = self._by_action.get((version or "", action))
        if addressed is None or request.path not in ("/", ""):
            raise UnknownOperation("No such operation is known under this Action, Version and path.")
        return addressed


def query_text(request: Request) -> bytes | str:
    """Where a query call has its parameters: in the body of a POST, in the URL of a GET."""
    return request.body if request.method == "POST" else request.query


def _codec(request: Request) -> Codec:
    if request.path.startswith("/service/") or request.all("smithy-protocol"):
        return Codec.CBOR
    if request.all("x-amz-target"):
        return Codec.JSON11
    if request.method == "GET" or _FORM in (_media(value) for value in request.all("content-type")):
        return Codec.QUERY
    return Codec.JSON11


def _must_post(request: Request) -> None:
    if request.method != "POST":
        raise MethodNotAllowed("This call must be a POST.")


def _must_be(request: Request, codec: Codec) -> None:
    if _media(request.header("content-type") or "") != CONTENT_TYPES[codec]:
        raise UnsupportedMediaType(f"The content type must be {CONTENT_TYPES[codec]}.")


def _media(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
