"""A common name of a server is one of its DNS names and at most 64 characters long (RFC 5280 appendix A, ub-common-name)."""

from cryptography.x509.oid import NameOID

from ca.lints.case import Broken, Case, dns_names

UB_COMMON_NAME = 64


def check(case: Case) -> None:
    if case.profile.ca:
        return
    for attribute in case.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        if len(attribute.value) > UB_COMMON_NAME:
            raise Broken(f"the common name has more than {UB_COMMON_NAME} characters")
        if case.profile.any_names and not _names_a_host(case, str(attribute.value)):
            continue
        if attribute.value not in dns_names(case.certificate):
            raise Broken("the common name is not among the subjectAltNames")


def _names_a_host(case: Case, common_name: str) -> bool:
    """Whether the CN is a host's beside others: a person's, or one without any SAN, is not looked up there."""
    hosts = dns_names(case.certificate)
    return bool(hosts) and "." in common_name and " " not in common_name and "@" not in common_name
