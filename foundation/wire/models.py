"""The service models that keystead answers, cut down from botocore's to what a server needs."""

import functools
import gzip
from pathlib import Path
from typing import Any

import msgspec

from foundation.wire.patterns import translate
from foundation.wire.protocols import SERVED


class Shape(msgspec.Struct, frozen=True, omit_defaults=True):
    """One shape: ``kind`` is the model's type; which other fields mean something follows from it.

    ``min`` and ``max`` bound a number's value, or a length (characters, octets, elements). ``pattern`` is
    translated (`foundation.wire.patterns`), ``java`` is how the model spells it and error messages show it.
    ``members``, ``element``, ``key`` and ``value`` name other shapes.
    """

    kind: str
    sensitive: bool = False
    min: int | float | None = None
    max: int | float | None = None
    pattern: str | None = None
    java: str | None = None
    enum: tuple[str, ...] = ()
    members: dict[str, str] = {}
    required: tuple[str, ...] = ()
    union: bool = False
    element: str = ""
    key: str = ""
    value: str = ""


class ErrorShape(msgspec.Struct, frozen=True):
    """An error as the model declares it: its code and status on the wire, and what its text member is called."""

    code: str
    status: int
    text: str


class OperationShape(msgspec.Struct, frozen=True):
    """An operation: the names of its input and output shapes ("" for none) and of its errors' shapes."""

    input: str
    output: str
    wrapper: str
    errors: tuple[str, ...]


class ServiceModel(msgspec.Struct, frozen=True):
    """One service. ``target`` is the prefix of X-Amz-Target and the name in RPC v2 paths ("" for query)."""

    service: str
    version: str
    target: str
    signing_name: str
    namespace: str
    shapes: dict[str, Shape]
    operations: dict[str, OperationShape]
    errors: dict[str, ErrorShape]


class _Names(msgspec.Struct):
    """A published model, of which only the operations' names are wanted."""

    operations: dict[str, msgspec.Raw]


@functools.cache
def operation_names(service: str) -> frozenset[str]:
    """The operations of a served service. Raises LookupError for a service that is not served.

    Asked at import, by every registry: so the names alone are decoded, without botocore's loaders: together they
    would be a fifth of a second of every start.
    """
    return frozenset(msgspec.json.decode(_document(service), type=_Names).operations)


def compile_model(service: str) -> ServiceModel:
    """Read and reduce botocore's model. Raises LookupError for a service that is not served."""
    published: dict[str, Any] = msgspec.json.decode(_document(service))
    metadata, shapes = published["metadata"], published["shapes"]
    errors = {name: _error(name, shape) for name, shape in shapes.items() if shape.get("exception")}
    return ServiceModel(
        service=service,
        version=metadata["apiVersion"],
        target=metadata.get("targetPrefix", ""),
        signing_name=metadata.get("signingName", metadata["endpointPrefix"]),
        namespace=metadata.get("xmlNamespace", ""),
        shapes={name: _shape(shape) for name, shape in shapes.items()},
        operations={name: _operation(operation) for name, operation in published["operations"].items()},
        errors=errors,
    )


def _document(service: str) -> bytes:
    """The model as the installed botocore ships it: its loaders would prefer one in the user's ~/.aws/models."""
    if service not in SERVED:
        raise LookupError(f"{service} is not a service of keystead")
    import botocore  # the package alone is light; its loaders bring an HTTP client

    versions = Path(botocore.__file__).parent / "data" / service
    newest = max(path for path in versions.iterdir() if path.is_dir())
    return gzip.decompress((newest / "service-2.json.gz").read_bytes())


def _operation(operation: dict[str, Any]) -> OperationShape:
    output = operation.get("output", {})
    return OperationShape(
        input=operation.get("input", {}).get("shape", ""),
        output=output.get("shape", ""),
        wrapper=output.get("resultWrapper", ""),
        errors=tuple(error["shape"] for error in operation.get("errors", ())),
    )


def _error(name: str, shape: dict[str, Any]) -> ErrorShape:
    declared = shape.get("error", {})
    text = next((member for member in shape["members"] if member.lower() == "message"), "message")
    return ErrorShape(
        code=declared.get("code", name),
        status=declared.get("httpStatusCode", 500 if shape.get("fault") else 400),
        text=text,
    )


def _shape(shape: dict[str, Any]) -> Shape:
    pattern = shape.get("pattern")
    return Shape(
        kind=shape["type"],
        sensitive=shape.get("sensitive", False),
        min=shape.get("min"),
        max=shape.get("max"),
        pattern=None if pattern is None else translate(pattern),
        java=pattern,
        enum=tuple(shape.get("enum", ())),
        members={name: member["shape"] for name, member in shape.get("members", {}).items()},
        required=tuple(shape.get("required", ())),
        union=shape.get("union", False),
        element=shape.get("member", {}).get("shape", ""),
        key=shape.get("key", {}).get("shape", ""),
        value=shape.get("value", {}).get("shape", ""),
    )
