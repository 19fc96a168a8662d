"""`/pki`: what anybody may fetch about the hierarchies: CA certificates, bundles, CRLs, roots."""

from typing import TYPE_CHECKING

from flask import Response
from flask_openapi3.openapi import OpenAPI

from server.doors.problems import problem

if TYPE_CHECKING:
    from server.assembly import Assembly


def pki_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/pki/<file>` and `/pki/<ca id>/<file>`, all public and cacheable."""

    @app.get("/pki/<path:name>", doc_ui=False)
    def pki(name: str) -> Response:
        found = assembly.pki(name)
        if found is None:
            return problem(404, "ResourceNotFoundException", f"There is no /pki/{name}; try /pki/roots.pem")
        content_type, body = found
        answer = Response(body, mimetype=content_type)
        answer.headers["Cache-Control"] = "public, max-age=60"
        return answer
