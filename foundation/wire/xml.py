"""The query protocol's XML: written results and errors as documents."""

import html
import re
from typing import Any

from foundation.wire.writers import Entries

_not_in_xml = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def result_document(operation: str, wrapper: str, namespace: str, written: Any, request_id: str) -> bytes:
    """The answer to a success; without a `wrapper` the operation has no result."""
    result = f"<{wrapper}>{_inside(written)}</{wrapper}>" if wrapper else ""
    return (
        f'<{operation}Response xmlns="{namespace}">{result}'
        f"<ResponseMetadata><RequestId>{_text(request_id)}</RequestId></ResponseMetadata></{operation}Response>"
    ).encode()


def error_document(code: str, message: str, status: int, namespace: str, request_id: str) -> bytes:
    """The answer to an error: its Type says whose fault it was."""
    fault = "Sender" if status < 500 else "Receiver"
    return (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{fault}</Type><Code>{_text(code)}</Code>'
        f"<Message>{_text(message)}</Message></Error><RequestId>{_text(request_id)}</RequestId></ErrorResponse>"
    ).encode()


def _inside(value: Any) -> str:
    if isinstance(value, Entries):
        return "".join(
            f"<entry><key>{_text(key)}</key><value>{_inside(element)}</value></entry>"
            for key, element in value.items()
        )
    if isinstance(value, dict):
        return "".join(f"<{name}>{_inside(member)}</{name}>" for name, member in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_inside(element)}</member>" for element in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(str(value))


def _text(text: str) -> str:
    return html.escape(_not_in_xml.sub("\ufffd", text), quote=False)
