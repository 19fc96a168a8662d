"""The wire as one object: requests in, parameters out; results and errors in, answers out."""

from pathlib import Path

from foundation.wire.errors import AwsError
from foundation.wire.messages import Addressed, Params, Request, Response


class Wire:
    """All served services' protocols. Thread-safe; holds no state but compiled tables.

    ``models_cache`` is a directory for the compiled models (created when missing; None: compile each time).
    """

    def __init__(self, models_cache: Path | None = None) -> None:
        from foundation.wire.cache import Models

        self._models = Models(models_cache)

    def preload(self, *services: str) -> None:
        """Load these services now (none named: all), so that forked workers share them."""

    def address(self, request: Request) -> Addressed:
        """Which operation of which service is asked for, and in which codec.

        Raises UnknownOperation, MethodNotAllowed, UnsupportedMediaType, SerializationError,
        RequestEntityTooLarge; nothing else.
        """

    def decode(self, addressed: Addressed, request: Request) -> Params:
        """The parameters, bounded, parsed and checked against the model; unknown members are dropped.

        Raises SerializationError (cannot be read), ValidationFailure (breaks the model's rules; answered under
        the operation's own code), RequestEntityTooLarge; nothing else.
        """

    def encode(self, addressed: Addressed, result: Params, request_id: str) -> Response:
        """The answer to a success. Members that are None are left out; a member that the model lacks, or of
        another type, raises ResultMismatch, which is a fault of the handler.
        """

    def encode_error(self, addressed: Addressed | None, error: AwsError, request_id: str) -> Response:
        """The answer to an error, spelled as the addressed service and protocol spell it."""

    def error_code(self, addressed: Addressed | None, error: AwsError) -> tuple[str, int]:
        """Code and HTTP status under which `encode_error` answers: what the trail records."""

    def redacted(self, service: str, operation: str, params: Params, *, output: bool = False) -> Params:
        """A copy fit for trail and logs: JSON types only, sensitive members hidden, blobs as their length."""
