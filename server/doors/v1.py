"""`/v1`: certificates by plain HTTP and JSON, for curl and scripts, with a bearer token."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from flask import Response, request
from flask_openapi3 import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel

from acm import AcmService
from foundation.wire import AwsError
from server.doors.environ import read_request
from server.doors.v1_errors import error_problem
from server.doors.v1_models import (
    Certificate,
    CertificatePage,
    CertificatePath,
    CertificateRequest,
    ListQuery,
    Problem,
    RegionQuery,
    shown,
)
from server.pipeline import Intent

if TYPE_CHECKING:
    from server.assembly import Assembly

T = TypeVar("T")
TAG = Tag(
    name="certificates", description="Ask for a certificate, prove the names by CNAME, fetch the chain."
)
TOKEN = [{"token": []}]
ERRORS = {code: Problem for code in (400, 401, 403, 404, 409, 429, 503)}
MAX_BODY = 1024 * 1024


def v1_routes(app: OpenAPI, assembly: "Assembly") -> None:
    """Registers `/v1/certificates…`."""
    pipeline = assembly.pipeline
    api = APIBlueprint(
        "v1", __name__, url_prefix="/v1", abp_tags=[TAG], abp_security=TOKEN, abp_responses=ERRORS
    )

    def perform(
        region: str,
        name: str,
        parameters: dict[str, object],
        run: Callable[[AcmService], T],
        answer: Callable[[T], Response],
    ) -> Response:
        request_id = pipeline.request_id()
        try:
            call = assembly.bearer.authenticate(
                read_request(request.environ, limit=MAX_BODY),
                region=region,
                service="acm",
                request_id=request_id,
            )
            intent = Intent(service="acm", name=name, parameters=parameters)
            return answer(pipeline.act(call, intent, lambda unit: run(assembly.acm(call, unit))))
        except AwsError as error:
            return error_problem(error, request_id)

    @api.post("/certificates", summary="Ask for a certificate", responses={201: Certificate})
    def request_certificate(body: CertificateRequest) -> Response:
        """Answers at once with the CNAMEs to publish; the certificate follows when every name is proven.

        With the ARN of a private CA it is issued at once and needs no CNAME.
        """
        return perform(
            body.region,
            "RequestCertificate",
            {
                "names": body.names,
                "csr": body.csr is not None,
                "certificateAuthorityArn": body.certificate_authority_arn,
            },
            lambda acm: acm.request_by_http(
                csr=body.csr,
                names=body.names,
                authority_arn=body.certificate_authority_arn,
                key_algorithm=body.key_algorithm,
                idempotency_token=body.idempotency_token,
            ),
            lambda view: _json(shown(view), 201),
        )

    @api.get("/certificates", summary="List certificates", responses={200: CertificatePage})
    def list_certificates(query: ListQuery) -> Response:
        """Newest last, one page at a time."""
        return perform(
            query.region,
            "ListCertificates",
            {},
            lambda acm: acm.views(limit=query.limit, token=query.next_token),
            lambda page: _json(
                CertificatePage(certificates=[shown(view) for view in page.items], next_token=page.next_token)
            ),
        )

    @api.get("/certificates/<id>", summary="Look at a certificate", responses={200: Certificate})
    def describe_certificate(path: CertificatePath, query: RegionQuery) -> Response:
        """State, CNAMEs with what is wrong with them, and the certificate with its chain once issued."""
        return perform(
            query.region,
            "DescribeCertificate",
            {"id": path.id},
            lambda acm: acm.view(path.id),
            lambda view: _json(shown(view)),
        )

    @api.get(
        "/certificates/<id>/chain.pem",
        summary="Fetch the chain",
        responses={200: {"content": {"application/pem-certificate-chain": {}}}},
    )
    def fetch_chain(path: CertificatePath, query: RegionQuery) -> Response:
        """The certificate and its issuers up to the root, PEM, as TLS servers take it. 409 while it is pending."""
        return perform(
            query.region,
            "GetCertificate",
            {"id": path.id},
            lambda acm: acm.chain(path.id),
            lambda pem: Response(pem, mimetype="application/pem-certificate-chain"),
        )

    @api.delete("/certificates/<id>", summary="Delete a certificate", responses={204: None})
    def delete_certificate(path: CertificatePath, query: RegionQuery) -> Response:
        """Ends its renewal and forgets it; what was issued stays valid until it expires."""
        return perform(
            query.region,
            "DeleteCertificate",
            {"id": path.id},
            lambda acm: acm.discard(path.id),
            lambda _: Response(status=204),
        )

    app.register_api(api)


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, mimetype="application/json")
