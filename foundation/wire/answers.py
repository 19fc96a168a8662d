"""Results and errors made into HTTP answers, in the protocol of the call."""

from collections.abc import Callable
from typing import Any, Final

import cbor2
import msgspec

from foundation.wire.errors import AwsError
from foundation.wire.faults import Fault
from foundation.wire.messages import Response
from foundation.wire.models import ServiceModel
from foundation.wire.protocols import CONTENT_TYPES, Codec
from foundation.wire.writers import Writers
from foundation.wire.xml import error_document, result_document

CBOR_NAMESPACES: Final = {"acm-pca": "com.amazonaws.acmpca#", "cloudhsmv2": "com.amazonaws.cloudhsmv2#"}
"""RPC v2 CBOR names an error by its absolute shape id."""

_ENCODE: Final[dict[Codec, Callable[[Any], bytes]]] = {
    Codec.JSON11: msgspec.json.Encoder().encode,
    Codec.CBOR: cbor2.dumps,
}
_XML: Final = "text/xml"


def success(
    codec: Codec, model: ServiceModel, operation: str, written: dict[str, Any], request_id: str
) -> Response:
    """The answer with a result that `Writers` has written."""
    if codec is Codec.QUERY:
        wrapper = model.operations[operation].wrapper
        body = result_document(operation, wrapper, model.namespace, written, request_id)
    else:
        body = _ENCODE[codec](written)
    return Response(200, _headers(codec, request_id), body)


def failure(
    codec: Codec,
    model: ServiceModel | None,
    fault: Fault,
    error: AwsError,
    request_id: str,
) -> Response:
    """The answer with an error; its further members are written when the model has a shape for it."""
    headers = _headers(codec, request_id)
    if error.retry_after is not None:
        headers += (("Retry-After", str(error.retry_after)),)
    if codec is Codec.QUERY:
        namespace = model.namespace if model else ""
        document = error_document(fault.code, error.message, fault.status, namespace, request_id)
        return Response(fault.status, headers, document)
    # A message may repeat what a server read from headers, where halves of surrogate pairs can stand.
    message = error.message.encode("utf-8", "replace").decode()
    body: dict[str, Any] = {"__type": fault.code, fault.text: message}
    if model is not None and fault.shape:
        shape = model.shapes[fault.shape]
        text = {fault.text: message} if fault.text in shape.members else {}
        body |= Writers(model, codec).write(fault.shape, error.members | text)
    if model is not None and codec is Codec.CBOR:
        body["__type"] = CBOR_NAMESPACES[model.service] + fault.code
    return Response(fault.status, (*headers, ("x-amzn-errortype", fault.code)), _ENCODE[codec](body))


def _headers(codec: Codec, request_id: str) -> tuple[tuple[str, str], ...]:
    content = ("Content-Type", _XML if codec is Codec.QUERY else CONTENT_TYPES[codec])
    identified = ("x-amzn-RequestId", request_id)
    if codec is Codec.CBOR:
        return content, identified, ("smithy-protocol", codec.value)
    return content, identified
