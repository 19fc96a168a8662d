"""`/v1`: certificates by plain HTTP and JSON, for curl and scripts, with a bearer token."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Response, g, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from msgspec.structs import replace
from pydantic import BaseModel

from acm import AcmService, CertificateView, InvalidParameter, ListQuery
from foundation.identity import Call
from foundation.wire import AwsError, ValidationFailure, read_json
from server.doors.environ import read_request
from server.doors.v1_errors import error_problem
from server.doors.v1_models import (
    ALL_KEY_TYPES,
    Certificate,
    CertificatePage,
    CertificatePath,
    CertificateRequest,
    PageQuery,
    RegionQuery,
    shown,
)
from server.pipeline import Intent, Pipeline
from server.regions import NotServed, check_served

if TYPE_CHECKING:
    from server.assembly import Assembly

T = TypeVar("T")
TAG = Tag(
    name="certificates", description="Ask for a certificate, prove the names by CNAME, fetch the chain."
)
TOKEN: list[dict[str, list[str]]] = [{"token": []}]
ERRORS: dict[str | int | HTTPStatus, type[BaseModel] | dict[Any, Any] | None] = {
    str(code): {
        "description": HTTPStatus(code).phrase,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for code in (400, 401, 403, 404, 409, 413, 429, 500, 503)
}
CHAIN = {
    "description": "PEM, the certificate first, the root last",
    "content": {"application/pem-certificate-chain": {"schema": {"type": "string"}}},
}


class V1:
    """One door: who asks (bearer token), the pipeline in the middle, problem documents for what goes wrong."""

    def __init__(self, assembly: "Assembly") -> None:
        self._assembly = assembly
        self._pipeline: Pipeline = assembly.pipeline

    def perform(
        self,
        region: str,
        intent: Intent,
        run: Callable[[AcmService, Call], T],
        answer: Callable[[T], Response],
    ) -> Response:
        """Runs one ACM call for the holder of the request's bearer token."""
        request_id: str = g.request_id
        try:
            call = replace(self._holder(request_id, intent), region=region)
            self._check(region)
            result = self._pipeline.act(call, intent, lambda unit: run(self._assembly.acm(call, unit), call))
        except AwsError as error:
            return error_problem(error)
        return answer(result)

    def _check(self, region: str) -> None:
        try:
            check_served(region, self._assembly.settings.regions)
        except NotServed as refused:
            raise ValidationFailure(f"region: {refused}") from refused

    def _holder(self, request_id: str, intent: Intent) -> Call:
        sent = read_request(request.environ, limit=0, body=False)
        bearer = self._assembly.bearer
        try:
            return self._pipeline.guarded(
                request_id, lambda: bearer.authenticate(sent, request_id=request_id)
            )
        except AwsError as refused:
            code, note = refused.code, self._assembly.recorder.refusals.note
            self._pipeline.guarded(
                request_id, lambda: note(intent.service, intent.name, code, sent.source_ip)
            )
            raise


def v1_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/v1/certificates…`."""
    door = V1(assembly)
    api = APIBlueprint(
        "v1", __name__, url_prefix="/v1", abp_tags=[TAG], abp_security=TOKEN, abp_responses=ERRORS
    )
    api.before_request(_readable)
    _changes(api, door)
    _reads(api, door)
    app.register_api(api)


def _readable() -> Response | None:
    """Holds JSON to the wire's bounds before Flask decodes it without any: deep nesting would be a fault of ours."""
    try:
        if request.is_json:
            read_json(request.get_data())
    except AwsError as error:
        return error_problem(error)
    return None


def _changes(api: APIBlueprint, door: V1) -> None:
    @api.post("/certificates", summary="Ask for a certificate", responses={"201": Certificate})
    def request_certificate(body: CertificateRequest) -> Response:
        """Answers at once with the CNAMEs to publish; the certificate follows when every name is proven.

        A CSR under a private CA is issued at once and needs no CNAME. The body may also be the PEM of the CSR itself
        (Content-Type: application/x-pem-file), with the other members as query parameters.
        """
        told = {
            "names": body.names,
            "csr": body.csr is not None,
            "certificateAuthorityArn": body.certificate_authority_arn,
        }
        return door.perform(
            body.region,
            Intent("acm", "RequestCertificate", told),
            lambda acm, _: _request(acm, body),
            lambda view: _json(shown(view), 201),
        )

    @api.delete("/certificates/<id>", summary="Delete a certificate", responses={"204": None})
    def delete_certificate(path: CertificatePath, query: RegionQuery) -> Response:
        """Ends its renewal and forgets it; what was issued stays valid until it expires."""
        return door.perform(
            query.region,
            Intent("acm", "DeleteCertificate", {"id": path.id}),
            lambda acm, call: acm.delete(_arn(call, path)),
            lambda _: Response(status=204),
        )


def _reads(api: APIBlueprint, door: V1) -> None:
    @api.get("/certificates", summary="List certificates", responses={"200": CertificatePage})
    def list_certificates(query: PageQuery) -> Response:
        """Oldest first, one page at a time."""
        wanted = ListQuery(key_types=ALL_KEY_TYPES, limit=query.limit, token=query.next_token)
        return door.perform(
            query.region,
            Intent("acm", "ListCertificates", mutates=False),
            lambda acm, _: acm.list(wanted),
            lambda page: _json(
                CertificatePage(certificates=[shown(view) for view in page.items], next_token=page.next_token)
            ),
        )

    @api.get("/certificates/<id>", summary="Look at a certificate", responses={"200": Certificate})
    def describe_certificate(path: CertificatePath, query: RegionQuery) -> Response:
        """State, CNAMEs with what is wrong with them, and the certificate with its chain once issued."""
        return door.perform(
            query.region,
            Intent("acm", "DescribeCertificate", {"id": path.id}, mutates=False),
            lambda acm, call: acm.view(_arn(call, path)),
            lambda view: _json(shown(view)),
        )

    @api.get("/certificates/<id>/chain.pem", summary="Fetch the chain", responses={"200": CHAIN})
    def fetch_chain(path: CertificatePath, query: RegionQuery) -> Response:
        """The certificate and its issuers up to the root, PEM, as TLS servers take it. 409 while it is pending."""
        return door.perform(
            query.region,
            Intent("acm", "GetCertificate", {"id": path.id}, mutates=False),
            lambda acm, call: acm.certificate(_arn(call, path)),
            lambda pems: Response("".join(pems), mimetype="application/pem-certificate-chain"),
        )


def _request(acm: AcmService, body: CertificateRequest) -> CertificateView:
    if body.csr is not None:
        if body.key_algorithm is not None:
            raise InvalidParameter("key_algorithm goes with names alone: a CSR brings its own key")
        return acm.request_from_csr(
            body.csr.encode(),
            body.names or (),
            authority_arn=body.certificate_authority_arn,
            token=body.idempotency_token,
        )
    if not body.names:
        raise InvalidParameter("send a CSR, or the names that the certificate is for")
    arn = acm.request(
        body.names[0],
        body.names[1:],
        key_algorithm=body.key_algorithm or "EC_prime256v1",
        authority_arn=body.certificate_authority_arn,
        token=body.idempotency_token,
    )
    return acm.view(arn)


def _arn(call: Call, path: CertificatePath) -> str:
    return f"arn:aws:acm:{call.region}:{call.account}:certificate/{path.id}"


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, mimetype="application/json")
