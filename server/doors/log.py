"""`/log`: the transparency log of everything issued and revoked, as static files (C2SP tlog-tiles)."""

import gzip
from typing import TYPE_CHECKING

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

from server.doors.problems import problem

if TYPE_CHECKING:
    from server.assembly import Assembly

FOR_EVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=2"


class LogPath(BaseModel):
    """What follows /log/."""

    path: str


def log_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/log/<name>/checkpoint` and `/log/<name>/tile/…`, all public."""

    @app.get("/log/<path:path>", doc_ui=False)
    def log(path: LogPath) -> Response:
        found = assembly.public_log.file(path.path)
        if found is None:
            return problem(404, "ResourceNotFoundException", f"There is no /log/{path.path}")
        answer = Response(found.body, content_type=found.media_type)
        answer.headers["Cache-Control"] = FOR_EVER if found.final else BRIEFLY
        answer.vary.add("Accept-Encoding")
        if found.compressible and request.accept_encodings["gzip"] > 0:
            answer.set_data(gzip.compress(found.body, 6, mtime=0))
            answer.content_encoding = "gzip"
        return answer
