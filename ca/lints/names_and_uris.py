"""Each name beside the subjectAltName (issuerAltName, CRL distribution points, information access) has the form of its kind, and each CPS is a URI (RFC 5280 4.2.1.4, 4.2.1.7, 4.2.1.13, 4.2.2)."""

from collections.abc import Iterator

from cryptography import x509

from ca.lints.case import Broken, Case, extension
from ca.lints.san_syntax import check_form, is_uri


def check(case: Case) -> None:
    for name in _names(case.certificate):
        check_form(name)
    for policy in extension(case.certificate, x509.CertificatePolicies) or ():
        for qualifier in policy.policy_qualifiers or ():
            if isinstance(qualifier, str) and not is_uri(qualifier):
                raise Broken(
                    f"{qualifier[:80]!r}, where a certification practice statement is, is no absolute URI"
                )


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    yield from extension(certificate, x509.IssuerAlternativeName) or ()
    for points in (
        extension(certificate, x509.CRLDistributionPoints),
        extension(certificate, x509.FreshestCRL),
    ):
        for point in points or ():
            yield from point.full_name or ()
            yield from point.crl_issuer or ()
    for access in (
        extension(certificate, x509.AuthorityInformationAccess),
        extension(certificate, x509.SubjectInformationAccess),
    ):
        yield from (each.access_location for each in access or ())
