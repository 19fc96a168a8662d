"""The wire as one object: requests in, parameters out; results and errors in, answers out."""

from pathlib import Path
from typing import Any

from foundation.wire import answers
from foundation.wire.addressing import Addresses, query_text
from foundation.wire.bodies import read_cbor, read_json
from foundation.wire.cache import Models
from foundation.wire.checkers import Checkers
from foundation.wire.errors import AwsError, RequestEntityTooLarge
from foundation.wire.faults import fault
from foundation.wire.form import nest, parse_form
from foundation.wire.limits import body_limit
from foundation.wire.messages import Addressed, Params, Request, Response
from foundation.wire.protocols import SERVED, Codec
from foundation.wire.redaction import redact
from foundation.wire.registry import Operations
from foundation.wire.writers import Writers


class Wire:
    """All served services' protocols. Thread-safe; holds no state but compiled tables.

    ``models_cache`` is a directory for the compiled models (created when missing; None: compile each time).
    """

    def __init__(self, models_cache: Path | None = None) -> None:
        self._models = Models(models_cache)
        self._addresses = Addresses(self._models)
        self._checkers: dict[tuple[str, Codec], Checkers] = {}
        self._writers: dict[tuple[str, Codec], Writers] = {}
        for service, codecs in SERVED.items():
            for codec in codecs:
                self._checkers[service, codec] = Checkers(self._models[service], codec)
                self._writers[service, codec] = Writers(self._models[service], codec)

    def preload(self, *declared: Operations) -> None:
        """Compile the tables of all declared operations now, so that forked workers share them."""
        for operations in declared:
            model = self._models[operations.service]
            for name in operations.declared:
                for codec in SERVED[operations.service]:
                    self._checkers[operations.service, codec].preload(name)
                    if model.operations[name].output:
                        self._writers[operations.service, codec].preload(model.operations[name].output)

    def address(self, request: Request) -> Addressed:
        """Which operation of which service is asked for, and in which codec.

        Raises UnknownOperation, MethodNotAllowed, UnsupportedMediaType, SerializationError,
        RequestEntityTooLarge; nothing else.
        """
        return self._addresses.find(request)

    def decode(self, addressed: Addressed, request: Request) -> Params:
        """The parameters, bounded, parsed and checked against the model; unknown members are dropped.

        Raises SerializationError (cannot be read), ValidationFailure (breaks the model's rules; answered under
        the operation's own code), RequestEntityTooLarge; nothing else.
        """
        limit = body_limit(addressed.service, addressed.operation)
        if len(request.body) > limit:
            raise RequestEntityTooLarge(f"The body may have at most {limit} octets.")
        return self._checkers[addressed.service, addressed.codec].check(
            addressed.operation, self._nested(addressed, request)
        )

    def encode(self, addressed: Addressed, result: Params, request_id: str) -> Response:
        """The answer to a success. Members that are None are left out.

        Raises ResultMismatch (`foundation.wire.writers`) for a result that does not fit the model: a fault of
        the handler.
        """
        model = self._models[addressed.service]
        output = model.operations[addressed.operation].output
        written = self._writers[addressed.service, addressed.codec].write(output, result) if output else {}
        return answers.success(addressed.codec, model, addressed.operation, written, request_id)

    def encode_error(self, addressed: Addressed | None, error: AwsError, request_id: str) -> Response:
        """The answer to an error, spelled as the addressed service and protocol spell it."""
        model = self._models[addressed.service] if addressed else None
        codec = (addressed.codec if addressed else error.codec) or Codec.JSON11
        return answers.failure(codec, model, fault(addressed, model, error), error, request_id)

    def error_code(self, addressed: Addressed | None, error: AwsError) -> tuple[str, int]:
        """Code and HTTP status under which `encode_error` answers: what the trail records."""
        model = self._models[addressed.service] if addressed else None
        told = fault(addressed, model, error)
        return told.code, told.status

    def redacted(self, service: str, operation: str, params: Params, *, output: bool = False) -> Params:
        """A copy fit for trail and logs: JSON types only, sensitive members hidden, blobs as their length."""
        model = self._models[service]
        shapes = model.operations[operation]
        shape = shapes.output if output else shapes.input
        return redact(model, shape, params) if shape else {}

    def _nested(self, addressed: Addressed, request: Request) -> Any:
        if addressed.codec is Codec.JSON11:
            return read_json(request.body)
        if addressed.codec is Codec.CBOR:
            return read_cbor(request.body)
        return nest(parse_form(query_text(request)), self._models[addressed.service], addressed.operation)
