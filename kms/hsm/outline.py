"""The outline of what a key is asked to sign: is it the kind of thing that it is said to be, and about this key?

pyca parses it, completed with the algorithm asked for and an empty signature; what it reads back must be the very bytes.
"""

import hashlib
import warnings

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import ocsp

from kms.hsm.der import CONTEXT_0, OCTET_STRING, SEQUENCE, children, tlv
from kms.hsm.errors import KeyRefused
from kms.hsm.labels import Kind

_NO_SIGNATURE = bytes.fromhex("030100")  # an empty BIT STRING
_OCSP_BASIC = bytes.fromhex("06092b0601050507300101")
_SUCCESSFUL = bytes.fromhex("0a0100")
_UNPARSED = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
    Warning,
)


def judge(kind: Kind, message: bytes, algorithm: bytes, spki: bytes) -> None:
    """Raises KeyRefused unless `message` is the to-be-signed part of one `kind`, by and for the key `spki` (DER).

    algorithm: the DER AlgorithmIdentifier of the signature.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter(
                "error"
            )  # what pyca still reads with a warning (a serial of 0) is not signed here
            if kind == "crl":
                _crl(message, algorithm, spki)
            elif kind == "csr":
                _csr(message, algorithm, spki)
            elif kind == "ocsp":
                _ocsp(message, algorithm, spki)
            elif kind == "rollover":
                _rollover(message, algorithm, spki)
            else:
                _certificate(message, algorithm, spki, authority=kind == "ca-certificate")
    except _UNPARSED as odd:
        raise KeyRefused(f"the bytes to be signed are no {kind}: {odd}") from odd


def _certificate(message: bytes, algorithm: bytes, spki: bytes, *, authority: bool) -> None:
    certificate = _outlined(message, algorithm, spki, authority=authority)
    own = load_der_public_key(spki)
    if authority and certificate.issuer == certificate.subject and certificate.public_key() != own:
        raise KeyRefused("a self-issued certificate must be for the key that signs it")


def _rollover(message: bytes, algorithm: bytes, spki: bytes) -> None:
    """A CA's old key certifies its new one, or the new the old (RFC 4210 4.4): one name, two keys."""
    certificate = _outlined(message, algorithm, spki, authority=True)
    if certificate.issuer != certificate.subject:
        raise KeyRefused("kind 'rollover' is for a CA's certificate by another key of the same name")
    if certificate.public_key() == load_der_public_key(spki):
        raise KeyRefused("kind 'rollover' is for another key than the one that signs")


def _outlined(message: bytes, algorithm: bytes, spki: bytes, *, authority: bool) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(_completed(message, algorithm))
    _same(certificate.tbs_certificate_bytes, message)
    if certificate.version is not x509.Version.v3:
        raise KeyRefused("keystead signs X.509 version 3 only")
    _algorithm_inside(message, 2, algorithm)
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_authority = constraints.ca
    except x509.ExtensionNotFound:
        is_authority = False
    if is_authority and not authority:
        raise KeyRefused("the CA flag is set: a CA's certificate is asked for by kind 'ca-certificate'")
    if authority and not is_authority:
        raise KeyRefused("kind 'ca-certificate' without the CA flag")
    _issued_by(certificate.extensions, spki)
    return certificate


def _crl(message: bytes, algorithm: bytes, spki: bytes) -> None:
    crl = x509.load_der_x509_crl(_completed(message, algorithm))
    _same(crl.tbs_certlist_bytes, message)
    _algorithm_inside(message, 1, algorithm)
    if crl.next_update_utc is None:
        raise KeyRefused("a CRL says when the next one comes (RFC 5280 5.1.2.5)")
    _issued_by(crl.extensions, spki)


def _csr(message: bytes, algorithm: bytes, spki: bytes) -> None:
    request = x509.load_der_x509_csr(_completed(message, algorithm))
    _same(request.tbs_certrequest_bytes, message)
    if request.public_key() != load_der_public_key(spki):
        raise KeyRefused("a CSR is signed by the key that it is for")


def _ocsp(message: bytes, algorithm: bytes, spki: bytes) -> None:
    """A ResponseData whose responder is this key, by its hash, and whose every answer ends (RFC 6960 4.2.1)."""
    basic = tlv(OCTET_STRING, _completed(message, algorithm))
    response = tlv(SEQUENCE, _SUCCESSFUL + tlv(CONTEXT_0, tlv(SEQUENCE, _OCSP_BASIC + basic)))
    parsed = ocsp.load_der_ocsp_response(response)
    _same(parsed.tbs_response_bytes, message)
    if parsed.responder_key_hash != hashlib.sha1(_key_bits(spki), usedforsecurity=False).digest():
        raise KeyRefused("the responder named is not the key that signs")
    answers = list(parsed.responses)
    if not answers:
        raise KeyRefused("an OCSP response is about at least one certificate")
    for answer in answers:
        if answer.next_update_utc is None or answer.next_update_utc <= answer.this_update_utc:
            raise KeyRefused("an OCSP answer says when the next one comes")


def _issued_by(extensions: x509.Extensions, spki: bytes) -> None:
    """The authority key identifier, where there is one, must be this key's (RFC 5280 4.2.1.2, RFC 7093 method 1)."""
    try:
        stated = extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return
    bits = _key_bits(spki)
    own = {hashlib.sha1(bits, usedforsecurity=False).digest(), hashlib.sha256(bits).digest()[:20]}
    if stated is not None and stated not in own:
        raise KeyRefused("its authority key identifier is not that of the key that signs")


def _key_bits(spki: bytes) -> bytes:
    """The BIT STRING's content after its count of unused bits."""
    return children(spki)[1][1][1:]


def _algorithm_inside(message: bytes, index: int, algorithm: bytes) -> None:
    """RFC 5280 4.1.2.3 and 5.1.2.2: the algorithm named inside is the one of the signature."""
    parts = children(message)
    if len(parts) <= index or tlv(*parts[index]) != algorithm:
        raise KeyRefused("the algorithm named inside is not the one asked for")


def _same(read: bytes, message: bytes) -> None:
    if read != message:
        raise KeyRefused("there is more in the bytes to be signed than was read")


def _completed(message: bytes, algorithm: bytes) -> bytes:
    return tlv(SEQUENCE, message + algorithm + _NO_SIGNATURE)
