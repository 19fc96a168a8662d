"""RFC 9457 problem documents, which every door but the AWS one answers errors with."""

import json
from http import HTTPStatus

from flask import Response, g


def problem(status: int, code: str, detail: str, *, retry_after: int | None = None) -> Response:
    """One problem document. `code` names the fault in AWS's terms, `detail` says it to a person.

    It carries the id of the request that is being answered (`server.doors.app` draws one for each).
    """
    title = HTTPStatus(status).phrase
    document = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.request_id,
    }
    answer = Response(json.dumps(document), status, mimetype="application/problem+json")
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer
