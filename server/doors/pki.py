"""`/pki`: what anybody may fetch about the hierarchies: CA certificates, bundles, CRLs, roots."""

from typing import TYPE_CHECKING

from flask import Response
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

from server.doors.problems import problem

if TYPE_CHECKING:
    from server.assembly import Assembly


class PkiPath(BaseModel):
    """What follows /pki/: flask-openapi3 hands a route's variables over in a model only."""

    name: str


def pki_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/pki/<file>` and `/pki/<ca id>/<file>`, all public and cacheable."""

    @app.get("/pki/<path:name>", doc_ui=False)
    def pki(path: PkiPath) -> Response:
        found = assembly.pki(path.name)
        if found is None:
            why = "try /pki/roots.pem" if path.name != "roots.pem" else "no certificate was proven by DNS yet"
            return problem(404, "ResourceNotFoundException", f"There is no /pki/{path.name}: {why}")
        content_type, body = found
        answer = Response(body, mimetype=content_type)
        answer.headers["Cache-Control"] = "public, max-age=60"
        return answer
