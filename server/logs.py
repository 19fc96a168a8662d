"""Structured logs, one JSON object a line on stderr: names, numbers and request ids; never bodies, never secrets."""

import logging
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, TextIO

# structlog brings rich along where it is installed, for tracebacks in colour; they are never printed here, and a start
# that has to be quick pays a tenth of a second for them.
_rich = sys.modules.pop("rich", None)
sys.modules["rich"] = None  # type: ignore[assignment]  # an import of it now fails, as if it were not installed
import structlog  # noqa: E402  # after the line above

del sys.modules["rich"]
if _rich is not None:
    sys.modules["rich"] = _rich

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Log:
    """What the product logs through. Values are shown as they are, so callers pass none that is secret."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger

    def debug(self, event: str, **values: object) -> None:
        self._logger.debug(event, **values)

    def info(self, event: str, **values: object) -> None:
        self._logger.info(event, **values)

    def warning(self, event: str, **values: object) -> None:
        self._logger.warning(event, **values)

    def error(self, event: str, **values: object) -> None:
        self._logger.error(event, **values)

    def critical(self, event: str, **values: object) -> None:
        self._logger.critical(event, **values)

    def exception(self, event: str, error: BaseException, **values: object) -> None:
        """Type and place of an exception. Its text and its locals stay out: they may hold what a caller sent."""
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in frames]
        self._logger.error(event, error=type(error).__name__, places=places, **values)


def make_log(level: str, process: str, wall: Callable[[], datetime], out: TextIO | None = None) -> Log:
    """A log of its own for each process; `out` is stderr unless a test says otherwise."""

    def stamp(_logger: object, _method: str, event: Any) -> Any:
        event["at"] = wall().isoformat(timespec="milliseconds")
        event["process"] = process
        return event

    logger = structlog.wrap_logger(
        structlog.PrintLogger(out or sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            stamp,
            structlog.processors.JSONRenderer(default=str),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )
    return Log(logger)
