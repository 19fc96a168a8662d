"""`/pki`: what anybody may fetch about the hierarchies: CA certificates, bundles, CRLs, roots."""

from typing import TYPE_CHECKING

from flask import Response, request
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

from server.doors.problems import problem

if TYPE_CHECKING:
    from server.assembly import Assembly


class PkiPath(BaseModel):
    """What follows /pki/: flask-openapi3 hands a route's variables over in a model only."""

    name: str


FRESH = "public, max-age=60"
"""A revocation shows within a minute of the CRL that has it."""


def pki_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/pki/<file>` and `/pki/<ca id>/<file>`, all public and cacheable.

    CRLs are also under `/crl/`, as in a bucket: a CustomCname may point here.
    """

    @app.get("/crl/<path:name>", doc_ui=False)
    def crl(path: PkiPath) -> Response:
        return _crl(assembly, path.name)

    @app.get("/pki/<path:name>", doc_ui=False)
    def pki(path: PkiPath) -> Response:
        if path.name.endswith(".crl"):
            return _crl(assembly, path.name)
        found = assembly.pki(path.name)
        if found is None:
            why = (
                "try /pki/roots.pem"
                if not path.name.startswith("roots.")
                else "no certificate was proven by DNS yet"
            )
            return problem(404, "ResourceNotFoundException", f"There is no /pki/{path.name}: {why}")
        content_type, body = found
        answer = Response(body, mimetype=content_type)
        answer.headers["Cache-Control"] = FRESH
        return answer


def _crl(assembly: "Assembly", name: str) -> Response:
    """RFC 5280 by HTTP (RFC 2585 4.2), with what RFC 9110 8.8 offers to those who ask again."""
    published = assembly.public_pki.crl(name, request.if_none_match.contains)
    if published is None:
        return problem(404, "ResourceNotFoundException", f"There is no CRL {name}")
    answer = Response(published.crl, mimetype="application/pkix-crl")
    answer.set_etag(published.tag)
    answer.last_modified = published.this_update
    answer.headers["Cache-Control"] = FRESH
    answer.make_conditional(request)
    return answer
