"""The Flask application: `/v1`, `/pki`, health and the front page; everything but the AWS protocols."""

from typing import TYPE_CHECKING

from flask import Response, g, render_template_string, request
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.exceptions import HTTPException

from server.doors.health import health_routes
from server.doors.log import log_routes
from server.doors.pki import pki_routes
from server.doors.problems import problem
from server.doors.v1 import v1_routes
from server.doors.v1_errors import validation_problem
from server.doors.v1_models import Problem

if TYPE_CHECKING:
    from server.assembly import Assembly

MAX_BODY = 1024 * 1024

FRONT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>keystead</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:4rem auto;padding:0 1rem;color:#222}
code{background:#f2f2f2;padding:.1rem .3rem;border-radius:3px}</style>
<h1>keystead</h1><p>A private certificate authority and ACM-like service. This address answers:</p><ul>
<li><code>aws --endpoint-url {{ url }} acm list-certificates</code></li>
<li><a href="/v1/openapi.json">/v1</a>: certificates by plain HTTP and JSON (OpenAPI 3.1)</li>
<li><a href="/pki/roots.pem">/pki/roots.pem</a>: the roots to trust</li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>, <a href="/metrics">/metrics</a></li></ul></html>
"""


def make_app(assembly: "Assembly") -> OpenAPI:
    """Every route, with errors as RFC 9457 problem documents."""
    app = OpenAPI(
        "keystead",
        info=Info(
            title="keystead", version=assembly.version, description="Certificates by plain HTTP and JSON."
        ),
        security_schemes={"token": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        static_folder=None,
        validation_error_status=400,
        validation_error_model=Problem,
        validation_error_callback=validation_problem,
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    journal = assembly.log
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it

    @app.before_request
    def begun() -> None:
        g.request_id = assembly.pipeline.request_id()

    @app.after_request
    def named(answer: Response) -> Response:
        answer.headers["x-amzn-RequestId"] = g.request_id  # as at the AWS door: `keystead why` takes it
        return answer

    v1_routes(app, assembly)
    pki_routes(app, assembly)
    log_routes(app, assembly)
    health_routes(app, assembly)

    @app.get("/", doc_ui=False)
    def front() -> str:
        return render_template_string(FRONT, url=assembly.settings.own_url)

    @app.get("/v1/openapi.json", doc_ui=False)
    def openapi() -> Response:
        document = app.api_doc
        asked = document["paths"]["/v1/certificates"]["post"]["requestBody"]["content"]
        asked["application/x-pem-file"] = {
            "schema": {"type": "string", "description": "PKCS#10 request, PEM"}
        }
        return Response(app.json.dumps(document), mimetype="application/json")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return problem(
            error.code or 500, error.name.replace(" ", ""), f"{error.description} ({request.path})"
        )

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        # Without this Flask logs the traceback with the exception's text, which may hold what the caller sent.
        journal.exception("a fault of ours", error, request_id=g.request_id)
        return problem(500, "InternalFailure", "An internal error occurred.")

    return app
