"""pkilint's RFC 5280 linters on a certificate or CRL. pkilint is an extra: `pip install keystead[lint]`."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from ca.linting.finding import Finding


class NoPkilint(Exception):
    """pkilint is not installed; the message says how it comes to be."""


def second_opinion(kind: str, raw: bytes, about: str) -> list[Finding]:
    """What pkilint finds in a "certificate" or "crl", DER. Raises NoPkilint."""
    linters = _linters()
    try:
        if kind == "certificate":
            document = linters.loader.RFC5280CertificateDocumentLoader().load_der_document(raw, about)
            return list(_findings(linters.certificate.validate(document.root), about))
        document = linters.loader.RFC5280CertificateListDocumentLoader().load_der_document(raw, about)
        return list(_findings(linters.crl.validate(document.root), about))
    except ValueError as odd:  # what pyasn1 raises is one, for what is no DER of the type
        return [Finding("FATAL", "pkilint", "readable", f"it cannot be read: {odd}", about)]


class _Linters:
    """pkilint's modules and the two linters, made once: that takes half a second."""

    def __init__(self) -> None:
        try:
            from pkilint import loader, pkix
            from pkilint.pkix import certificate, crl, extension, name
        except ImportError as missing:
            raise NoPkilint(
                "pkilint is not installed: `pip install 'keystead[lint]'`, or go without by --no-pkilint"
            ) from missing
        self.loader: Any = loader
        self.certificate: Any = certificate.create_pkix_certificate_validator_container(
            certificate.create_decoding_validators(
                name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
            ),
            [
                certificate.create_issuer_validator_container([]),
                certificate.create_validity_validator_container(),
                certificate.create_subject_validator_container([]),
                certificate.create_extensions_validator_container([]),
                certificate.create_spki_validator_container([]),
            ],
        )
        self.crl: Any = crl.create_pkix_crl_validator_container(
            [
                pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
                pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
            ],
            [
                crl.create_issuer_validator_container([]),
                crl.create_validity_validator_container([]),
                crl.create_extensions_validator_container([]),
            ],
        )


@cache
def _linters() -> _Linters:
    return _Linters()


def _findings(results: Iterable[Any], about: str) -> Iterable[Finding]:
    for result in results:
        for said in result.finding_descriptions:
            if said.finding.code == "pkix.invalid_domain_name_syntax" and '"*.' in (said.message or ""):
                continue  # RFC 5280 knows no wildcards in dNSName; RFC 6125 6.4.3 does
            message = f"{said.message or said.finding.code} (at {result.node.path})"
            yield Finding(said.finding.severity.name, "pkilint", said.finding.code, message, about)
