"""What ACM answers on the wire."""

from __future__ import annotations

from acm.errors import InvalidParameter, Unsupported
from acm.listing import judge_query
from acm.service import AcmService
from acm.shapes import detail, summary
from foundation.identity import Resource
from foundation.wire import Operations, Params

operations = Operations("acm", action_prefix="acm")


def the_certificate(acm: AcmService, params: Params) -> Resource:
    """The resource of every operation that names a certificate."""
    return acm.resource(params["CertificateArn"])


def the_account(acm: AcmService, params: Params) -> Resource:  # noqa: ARG001 -- a resolver is handed the parameters
    """Requests and lists are asked about the account."""
    return acm.account_resource()


@operations.operation("RequestCertificate", on=the_account)
def request_certificate(acm: AcmService, params: Params) -> Params:
    authority_arn = params.get("CertificateAuthorityArn")
    _refuse_what_is_not_offered(params, private=authority_arn is not None)
    options = params.get("Options", {})
    arn = acm.request(
        params["DomainName"],
        params.get("SubjectAlternativeNames", ()),
        key_algorithm=params.get("KeyAlgorithm", "RSA_2048"),
        authority_arn=authority_arn,
        validation_options=params.get("DomainValidationOptions", ()),
        token=params.get("IdempotencyToken"),
        tags=params.get("Tags", ()),
        transparency=options.get("CertificateTransparencyLoggingPreference", "ENABLED"),
        export=options.get("Export", "DISABLED"),
        managed_by=params.get("ManagedBy"),
    )
    return {"CertificateArn": arn}


@operations.operation("DescribeCertificate", on=the_certificate)
def describe_certificate(acm: AcmService, params: Params) -> Params:
    return {"Certificate": detail(acm.view(params["CertificateArn"]))}


@operations.operation("ListCertificates", on=the_account)
def list_certificates(acm: AcmService, params: Params) -> Params:
    page = acm.list(judge_query(params))
    answer: Params = {"CertificateSummaryList": [summary(view) for view in page.items]}
    if page.next_token is not None:
        answer["NextToken"] = page.next_token
    return answer


@operations.operation("GetCertificate", on=the_certificate)
def get_certificate(acm: AcmService, params: Params) -> Params:
    certificate, chain = acm.certificate(params["CertificateArn"])
    return {"Certificate": certificate, "CertificateChain": chain}


@operations.operation("DeleteCertificate", on=the_certificate)
def delete_certificate(acm: AcmService, params: Params) -> Params:
    acm.delete(params["CertificateArn"])
    return {}


@operations.operation("AddTagsToCertificate", on=the_certificate)
def add_tags_to_certificate(acm: AcmService, params: Params) -> Params:
    acm.add_tags(params["CertificateArn"], params["Tags"])
    return {}


@operations.operation("RemoveTagsFromCertificate", on=the_certificate)
def remove_tags_from_certificate(acm: AcmService, params: Params) -> Params:
    acm.remove_tags(params["CertificateArn"], params["Tags"])
    return {}


@operations.operation("ListTagsForCertificate", on=the_certificate)
def list_tags_for_certificate(acm: AcmService, params: Params) -> Params:
    tags = acm.tags(params["CertificateArn"])
    return {
        "Tags": [
            {"Key": key} if value is None else {"Key": key, "Value": value} for key, value in tags.items()
        ]
    }


def _refuse_what_is_not_offered(params: Params, *, private: bool) -> None:
    """ValidationMethod's default is DNS: the model states none. A private request is not validated at all."""
    method = params.get("ValidationMethod", "DNS")
    option = params.get("Options", {}).get("ValidationMethod", method)
    if option != method:
        raise InvalidParameter(f"Options.ValidationMethod {option} contradicts ValidationMethod {method}")
    if method != "DNS" and not private:
        raise InvalidParameter(f"ValidationMethod {method} is not offered by keystead yet; use DNS")
    if "RootHierarchyType" in params:
        raise Unsupported("RootHierarchyType: keystead has none of Amazon's N2 hierarchies; leave it out")
    if "CertificateUsage" in params:
        raise Unsupported("CertificateUsage can be given only with RootHierarchyType")
