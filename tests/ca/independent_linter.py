"""pkilint's RFC 5280 linters, run in this process: what each finds, as text."""

from functools import cache
from typing import Any

from pkilint import loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.cabf import cabf_crl
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity


def certificate_findings(pem: str) -> list[str]:
    """Errors and warnings about one certificate."""
    document = loader.RFC5280CertificateDocumentLoader().load_pem_document(pem, "certificate")
    return _findings(_certificate_linter().validate(document.root))


def chain_findings(issuer_pem: str, subject_pem: str) -> list[str]:
    """Errors and warnings about a certificate below its issuer: names, key identifiers, policies, signature."""
    documents: dict[str, Any] = {}
    load = loader.RFC5280CertificateDocumentLoader().load_pem_document
    for role, pem in (("issuer", issuer_pem), ("subject", subject_pem)):
        documents[role] = load(pem, role, role, documents)
    decoder = chain.create_decoder_validation_container()
    results = [*decoder.validate(documents["issuer"].root), *decoder.validate(documents["subject"].root)]
    results += chain.create_issuer_validation_container().validate(documents["issuer"].root)
    results += chain.create_subject_validation_container().validate(documents["subject"].root)
    return _findings(results)


def crl_findings(der: bytes) -> list[str]:
    """Errors and warnings about a CRL of server certificates, its lifetime by the Baseline Requirements too."""
    document = loader.RFC5280CertificateListDocumentLoader().load_der_document(der, "crl")
    kind = crl.CertificateRevocationListType.CRL
    linter = crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([cabf_crl.create_validity_period_validator(kind)]),
            crl.create_extensions_validator_container([]),
        ],
    )
    return _findings(linter.validate(document.root))


def ocsp_findings(der: bytes) -> list[str]:
    """Errors and warnings about an OCSP response (RFC 6960)."""
    document = loader.RFC6960OCSPResponseDocumentLoader().load_der_document(der, "response")
    linter = ocsp.create_pkix_ocsp_response_validator_container(
        [
            ocsp.create_response_decoder(),
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [],
    )
    return _findings(linter.validate(document.root))


@cache
def _certificate_linter() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def _findings(results: Any) -> list[str]:
    return [
        f"{said.finding.severity.name} {said.finding.code} {said.message or ''} at {result.node.path}"
        for result in results
        for said in result.finding_descriptions
        if said.finding.severity <= ValidationFindingSeverity.WARNING and not _wildcard(said)
    ]


def _wildcard(said: Any) -> bool:
    """RFC 5280 knows no wildcards in dNSName; RFC 6125 6.4.3 does, and pkilint's own linter for servers yields there."""
    return said.finding.code == "pkix.invalid_domain_name_syntax" and '"*.' in (said.message or "")
