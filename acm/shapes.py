"""Views as the wire's shapes: CertificateDetail and CertificateSummary, each field there only when it is true."""

from __future__ import annotations

from collections.abc import Iterable

from acm.extensions import read_certificate
from acm.orders import AMAZON_ISSUED
from acm.states import Status
from acm.views import CertificateView, DomainView, RenewalView
from foundation.wire import Params

SUMMARY_NAMES = 100  # "will only return the first 100 subject alternative names"


def detail(view: CertificateView) -> Params:
    """CertificateDetail of DescribeCertificate."""
    shape = _shared(view)
    shape["SubjectAlternativeNames"] = list(view.names)
    shape["InUseBy"] = []
    shape["KeyUsages"], shape["ExtendedKeyUsages"] = [], []
    shape["Options"] = {
        "CertificateTransparencyLoggingPreference": view.transparency,
        "Export": view.export,
    }
    if view.validation_method is not None:
        shape["Options"]["ValidationMethod"] = view.validation_method
        shape["DomainValidationOptions"] = _validations(view)
    if view.certificate_pem is not None:
        described = read_certificate(view.certificate_pem)
        shape["Serial"] = view.serial
        shape["Subject"] = described.subject
        shape["Issuer"] = described.issuer
        shape["SignatureAlgorithm"] = described.signature_algorithm
        shape["KeyUsages"] = [{"Name": name} for name in described.key_usages]
        shape["ExtendedKeyUsages"] = [
            {"Name": name, "OID": oid} for name, oid in described.extended_key_usages
        ]
    if view.status == Status.FAILED and view.failure_reason is not None:
        shape["FailureReason"] = view.failure_reason
    if view.authority_arn is not None:
        shape["CertificateAuthorityArn"] = view.authority_arn
    if view.renewal is not None and view.type == AMAZON_ISSUED:
        shape["RenewalSummary"] = _renewal(view, view.renewal)
    return shape


def summary(view: CertificateView) -> Params:
    """CertificateSummary of ListCertificates."""
    return {
        **_shared(view),
        "SubjectAlternativeNameSummaries": list(view.names[:SUMMARY_NAMES]),
        "HasAdditionalSubjectAlternativeNames": len(view.names) > SUMMARY_NAMES,
        "KeyUsages": list(view.key_usages),
        "ExtendedKeyUsages": list(view.extended_key_usages),
        "ExportOption": view.export,
        "InUse": False,
        "Exported": False,
    }


def _shared(view: CertificateView) -> Params:
    shape: Params = {
        "CertificateArn": view.arn,
        "DomainName": view.domain_name,
        "Status": view.status,
        "Type": view.type,
        "KeyAlgorithm": view.key_algorithm,
        "CreatedAt": view.created_at,
        "RenewalEligibility": "ELIGIBLE" if view.renewal_eligible else "INELIGIBLE",
        "CertificateKeyPairOrigin": view.key_pair_origin,
    }
    moments = {"NotBefore": view.not_before, "NotAfter": view.not_after}
    if view.type == AMAZON_ISSUED:
        moments["IssuedAt"] = view.issued_at
    shape.update({name: moment for name, moment in moments.items() if moment is not None})
    if view.managed_by is not None:
        shape["ManagedBy"] = view.managed_by
    return shape


def _validations(view: CertificateView) -> list[Params]:
    return [{**_named(view, domain), "ValidationStatus": domain.status} for domain in view.domains]


def _renewal(view: CertificateView, renewal: RenewalView) -> Params:
    shape: Params = {
        "RenewalStatus": renewal.status,
        "DomainValidationOptions": list(_renewal_validations(view)),
        "UpdatedAt": renewal.updated_at,
    }
    if renewal.reason is not None:
        shape["RenewalStatusReason"] = renewal.reason
    return shape


def _renewal_validations(view: CertificateView) -> Iterable[Params]:
    for domain in view.domains:
        shape = _named(view, domain)
        if domain.renewal_status is not None:
            shape["ValidationStatus"] = domain.renewal_status
        yield shape


def _named(view: CertificateView, domain: DomainView) -> Params:
    shape: Params = {
        "DomainName": domain.name,
        "ValidationDomain": domain.validation_domain,
        "ValidationMethod": view.validation_method,
    }
    if domain.cname_name is not None:
        shape["ResourceRecord"] = {
            "Name": domain.cname_name,
            "Type": "CNAME",
            "Value": domain.cname_value,
        }
    return shape
