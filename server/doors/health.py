"""`/healthz`, `/readyz` and `/metrics`, for operators."""

from typing import TYPE_CHECKING

from flask import Response
from flask_openapi3.openapi import OpenAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from foundation.store import StoreError
from kms.hsm import CoreError

if TYPE_CHECKING:
    from server.assembly import Assembly


def health_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """healthz: this process answers. readyz: so do the core and the database behind it."""

    @app.get("/healthz", doc_ui=False)
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @app.get("/readyz", doc_ui=False)
    def readyz() -> Response:
        try:
            assembly.core.ping()
        except CoreError as error:
            return Response(f"the key core does not answer: {error}\n", 503, mimetype="text/plain")
        try:
            assembly.store.deployment()
        except StoreError as error:
            return Response(f"the database does not answer: {error}\n", 503, mimetype="text/plain")
        return Response("ready\n", mimetype="text/plain")

    @app.get("/metrics", doc_ui=False)
    def metrics() -> Response:
        return Response(generate_latest(assembly.metrics.registry), content_type=CONTENT_TYPE_LATEST)
