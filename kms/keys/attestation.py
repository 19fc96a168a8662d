"""Attestation documents of AWS Nitro Enclaves and NitroTPM: COSE_Sign1 (RFC 9052) with ES384 over a CBOR map.

Source: aws-nitro-enclaves-nsm-api, "Verifying the attestation document": its syntax (3.1), semantics (3.2) and the
certificates' path to a root that is known beforehand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import cbor2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key

COSE_SIGN1: Final = 18  # the CBOR tag; documents come with and without it
ES384: Final = {1: -35}
SIGNATURE_BYTES: Final = 96
FRESH: Final = timedelta(minutes=5)
MOST_CERTIFICATES: Final = 10
MOST_PCRS: Final = 32
MODULUS_BITS: Final = range(2048, 8193)
PCR_BYTES: Final = frozenset({32, 48, 64})
_UNREADABLE: Final = (cbor2.CBORError, ValueError, TypeError, LookupError, ArithmeticError)


class BadAttestation(Exception):
    """The document proves nothing; the message says why, to its sender."""


@dataclass(frozen=True, slots=True)
class Attested:
    """What a document proves. `public_key` is an RSA key, SPKI DER; the registers are by number."""

    public_key: bytes
    pcrs: Mapping[int, bytes]
    tpm_pcrs: Mapping[int, bytes]


def verify(document: bytes, root: x509.Certificate, at: datetime) -> Attested:
    """What the document proves at the time `at`. Raises BadAttestation."""
    protected, payload, signature = _sign1(_read(document))
    fields = _read(payload)
    if not isinstance(fields, dict):
        raise BadAttestation("its payload is not a map")
    _check_time(fields, at)
    signer = _signer(fields, root, at)
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    _check_signature(signer, signature, signed)
    pcrs, tpm_pcrs = _registers(fields, "pcrs"), _registers(fields, "nitrotpm_pcrs")
    if not pcrs and not tpm_pcrs:
        raise BadAttestation("it has no platform configuration registers")
    return Attested(_recipient(fields), pcrs, tpm_pcrs)


def _read(octets: bytes) -> Any:
    try:
        return cbor2.loads(octets)
    except _UNREADABLE as unreadable:
        raise BadAttestation("it is not CBOR") from unreadable


def _sign1(message: Any) -> tuple[bytes, bytes, bytes]:
    if isinstance(message, cbor2.CBORTag) and message.tag == COSE_SIGN1:
        message = message.value  # a tuple: what a tag holds is made hashable
    if not isinstance(message, list | tuple) or len(message) != 4:
        raise BadAttestation("it is not a COSE_Sign1 structure")
    protected, _, payload, signature = message
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise BadAttestation("it is not a COSE_Sign1 structure")
    if _read(protected) != ES384:
        raise BadAttestation("it is not signed with ES384")
    return protected, payload, signature


def _check_time(fields: Mapping[Any, Any], at: datetime) -> None:
    """Raise BadAttestation unless the document was made just now: it must not be used again later."""
    if fields.get("digest") != "SHA384":
        raise BadAttestation("its digest is not SHA384")
    stamp = fields.get("timestamp")
    if type(stamp) is not int or not 0 < stamp < 2**48:
        raise BadAttestation("it has no timestamp")
    made = datetime.fromtimestamp(stamp / 1000, UTC)
    if abs(at - made) > FRESH:
        raise BadAttestation("it is not from the last five minutes")


def _signer(fields: Mapping[Any, Any], root: x509.Certificate, at: datetime) -> x509.Certificate:
    """The certificate whose key has signed, proven from the root on."""
    bundle = fields.get("cabundle")
    if not isinstance(bundle, list) or not 0 < len(bundle) < MOST_CERTIFICATES:
        raise BadAttestation("it has no CA bundle")
    path = [_certificate(der) for der in (*bundle, fields.get("certificate"))]
    if path[0].public_bytes(Encoding.DER) != root.public_bytes(Encoding.DER):
        raise BadAttestation("its CA bundle does not begin with the root certificate that is configured")
    for number, certificate in enumerate(path):
        if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
            raise BadAttestation("one of its certificates is not valid now")
        if number:
            _check_issued(certificate, path[number - 1], below=len(path) - number - 1)
    return path[-1]


def _certificate(der: Any) -> x509.Certificate:
    if not isinstance(der, bytes):
        raise BadAttestation("one of its certificates is missing")
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as unreadable:
        raise BadAttestation("one of its certificates is not DER") from unreadable


def _check_issued(certificate: x509.Certificate, issuer: x509.Certificate, *, below: int) -> None:
    """Raise BadAttestation unless the issuer is a CA that has signed it; `below` counts the CAs under the issuer."""
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        certificate.verify_directly_issued_by(issuer)
    except (
        ValueError,
        TypeError,
        InvalidSignature,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
    ) as broken:
        raise BadAttestation("its certificates are not a chain") from broken
    length = constraints.path_length
    if not constraints.ca or not usage.key_cert_sign or (length is not None and below > length):
        raise BadAttestation("one of its certificates may not issue certificates")


def _check_signature(signer: x509.Certificate, signature: bytes, signed: bytes) -> None:
    key = signer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP384R1):
        raise BadAttestation("its certificate is not for a P-384 key")
    if len(signature) != SIGNATURE_BYTES:
        raise BadAttestation("its signature is not valid")
    half = SIGNATURE_BYTES // 2
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature as wrong:
        raise BadAttestation("its signature is not valid") from wrong


def _registers(fields: Mapping[Any, Any], name: str) -> dict[int, bytes]:
    found = fields.get(name, {})
    if not isinstance(found, dict) or len(found) > MOST_PCRS:
        raise BadAttestation(f"its {name} are malformed")
    for index, value in found.items():
        if type(index) is not int or not 0 <= index < MOST_PCRS:
            raise BadAttestation(f"its {name} are malformed")
        if not isinstance(value, bytes) or len(value) not in PCR_BYTES:
            raise BadAttestation(f"its {name} are malformed")
    return found


def _recipient(fields: Mapping[Any, Any]) -> bytes:
    der = fields.get("public_key")
    if not isinstance(der, bytes):
        raise BadAttestation("it has no public key")
    try:
        key = load_der_public_key(der)
    except (ValueError, TypeError) as unreadable:
        raise BadAttestation("its public key is not a DER-encoded SubjectPublicKeyInfo") from unreadable
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size not in MODULUS_BITS:
        raise BadAttestation("its public key is not an RSA key of 2048 to 8192 bits")
    return der


def conditions(attested: Attested) -> dict[str, str]:
    """The kms:RecipientAttestation condition keys: registers in lower-case hexadecimal digits."""
    facts: dict[str, str] = {}
    named: Sequence[tuple[str, Mapping[int, bytes]]] = (
        ("pcr", attested.pcrs),
        ("nitrotpmpcr", attested.tpm_pcrs),
    )
    for name, registers in named:
        facts |= {
            f"kms:recipientattestation:{name}{index}": value.hex() for index, value in registers.items()
        }
    if 0 in attested.pcrs:
        facts["kms:recipientattestation:imagesha384"] = attested.pcrs[0].hex()
    return facts
