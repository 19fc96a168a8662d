"""What acm-pca answers on the wire."""

from ca.pca.service import Pca
from ca.templates import DEFAULT_ARN
from foundation.identity import Resource
from foundation.wire import Operations, Params

operations = Operations("acm-pca", action_prefix="acm-pca")


def the_authority(pca: Pca, params: Params) -> Resource:
    return pca.resource(params["CertificateAuthorityArn"])


def the_issuer(pca: Pca, params: Params) -> Resource:
    """With acm-pca:TemplateArn, by which a policy may bound what is issued."""
    template = params.get("TemplateArn", DEFAULT_ARN)
    return pca.resource(params["CertificateAuthorityArn"], {"acm-pca:templatearn": template})


def the_resource(pca: Pca, params: Params) -> Resource:
    return pca.resource(params["ResourceArn"])


def the_account(pca: Pca, params: Params) -> Resource:  # noqa: ARG001 -- a resolver is handed the parameters
    return pca.account_resource()


@operations.operation("CreateCertificateAuthority", on=the_account)
def create_certificate_authority(pca: Pca, params: Params) -> Params:
    return {"CertificateAuthorityArn": pca.lifecycle.create(params)}


@operations.operation("DescribeCertificateAuthority", on=the_authority)
def describe_certificate_authority(pca: Pca, params: Params) -> Params:
    return {"CertificateAuthority": pca.describe(params["CertificateAuthorityArn"])}


@operations.operation("ListCertificateAuthorities", on=the_account)
def list_certificate_authorities(pca: Pca, params: Params) -> Params:
    found = pca.listed(params)
    answer: Params = {"CertificateAuthorities": list(found.items)}
    return answer if found.next_token is None else answer | {"NextToken": found.next_token}


@operations.operation("GetCertificateAuthorityCsr", on=the_authority)
def get_certificate_authority_csr(pca: Pca, params: Params) -> Params:
    return {"Csr": pca.lifecycle.csr(params["CertificateAuthorityArn"])}


@operations.operation("ImportCertificateAuthorityCertificate", on=the_authority)
def import_certificate_authority_certificate(pca: Pca, params: Params) -> Params:
    chain = params.get("CertificateChain", b"")
    pca.lifecycle.import_certificate(params["CertificateAuthorityArn"], params["Certificate"], chain)
    return {}


@operations.operation("GetCertificateAuthorityCertificate", on=the_authority)
def get_certificate_authority_certificate(pca: Pca, params: Params) -> Params:
    return _certificates(*pca.certificate(params["CertificateAuthorityArn"]))


@operations.operation("UpdateCertificateAuthority", on=the_authority)
def update_certificate_authority(pca: Pca, params: Params) -> Params:
    arn = params["CertificateAuthorityArn"]
    pca.lifecycle.update(arn, params.get("Status"), params.get("RevocationConfiguration"))
    return {}


@operations.operation("DeleteCertificateAuthority", on=the_authority)
def delete_certificate_authority(pca: Pca, params: Params) -> Params:
    pca.lifecycle.delete(params["CertificateAuthorityArn"], params.get("PermanentDeletionTimeInDays"))
    return {}


@operations.operation("RestoreCertificateAuthority", on=the_authority)
def restore_certificate_authority(pca: Pca, params: Params) -> Params:
    pca.lifecycle.restore(params["CertificateAuthorityArn"])
    return {}


@operations.operation("TagCertificateAuthority", on=the_authority)
def tag_certificate_authority(pca: Pca, params: Params) -> Params:
    pca.add_tags(params["CertificateAuthorityArn"], params["Tags"])
    return {}


@operations.operation("UntagCertificateAuthority", on=the_authority)
def untag_certificate_authority(pca: Pca, params: Params) -> Params:
    pca.remove_tags(params["CertificateAuthorityArn"], params["Tags"])
    return {}


@operations.operation("ListTags", on=the_authority)
def list_tags(pca: Pca, params: Params) -> Params:
    found = pca.tags(params)
    answer: Params = {"Tags": list(found.items)}
    return answer if found.next_token is None else answer | {"NextToken": found.next_token}


@operations.operation("IssueCertificate", on=the_issuer)
def issue_certificate(pca: Pca, params: Params) -> Params:
    return {"CertificateArn": pca.issuing.issue(params)}


@operations.operation("GetCertificate", on=the_authority)
def get_certificate(pca: Pca, params: Params) -> Params:
    return _certificates(*pca.issuing.get(params["CertificateAuthorityArn"], params["CertificateArn"]))


@operations.operation("RevokeCertificate", on=the_authority)
def revoke_certificate(pca: Pca, params: Params) -> Params:
    arn, serial = params["CertificateAuthorityArn"], params["CertificateSerial"]
    pca.issuing.revoke(arn, serial, params["RevocationReason"])
    return {}


@operations.operation("CreateCertificateAuthorityAuditReport", on=the_authority)
def create_certificate_authority_audit_report(pca: Pca, params: Params) -> Params:
    report, key = pca.audit_reports.create(params)
    return {"AuditReportId": report, "S3Key": key}


@operations.operation("DescribeCertificateAuthorityAuditReport", on=the_authority)
def describe_certificate_authority_audit_report(pca: Pca, params: Params) -> Params:
    return pca.audit_reports.describe(params)


@operations.operation("PutPolicy", on=the_resource)
def put_policy(pca: Pca, params: Params) -> Params:
    pca.access.put_policy(params["ResourceArn"], params["Policy"])
    return {}


@operations.operation("GetPolicy", on=the_resource)
def get_policy(pca: Pca, params: Params) -> Params:
    return {"Policy": pca.access.policy(params["ResourceArn"])}


@operations.operation("DeletePolicy", on=the_resource)
def delete_policy(pca: Pca, params: Params) -> Params:
    pca.access.delete_policy(params["ResourceArn"])
    return {}


@operations.operation("CreatePermission", on=the_authority)
def create_permission(pca: Pca, params: Params) -> Params:
    pca.access.create_permission(params)
    return {}


@operations.operation("ListPermissions", on=the_authority)
def list_permissions(pca: Pca, params: Params) -> Params:
    found = pca.access.permissions(params)
    answer: Params = {"Permissions": list(found.items)}
    return answer if found.next_token is None else answer | {"NextToken": found.next_token}


@operations.operation("DeletePermission", on=the_authority)
def delete_permission(pca: Pca, params: Params) -> Params:
    pca.access.delete_permission(params)
    return {}


def _certificates(certificate: str, chain: str | None) -> Params:
    answer: Params = {"Certificate": certificate}
    return answer if chain is None else answer | {"CertificateChain": chain}
