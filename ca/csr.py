"""Judging certificate signing requests: nothing is taken from them but a proven key and names."""

import binascii
import re
import warnings
from base64 import b64decode
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from ca import der
from ca.algorithms import USUAL
from ca.errors import BadCsr, BadKey
from ca.keys import ML_DSA, CertifiedKey, certified, check_for_server, judge_loaded_key, load_key
from ca.orders import JudgedCsr
from validation import BadName, normalise_domain

# pyca warns of subject attributes that are too long, in words for its callers. Nothing is taken from them but the CN.
warnings.filterwarnings("ignore", "Attribute's length must be", UserWarning)

MAX_CSR_BYTES = 64 * 1024  # SECURITY 2.9
PROVING_DIGESTS = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

_WITH_A_DIGEST_OF_THEIR_OWN = frozenset(
    {SignatureAlgorithmOID.ED25519, *(USUAL[name].signature_oid for name in ML_DSA.values())}
)

_ONE_BLOCK = re.compile(
    rb"\s*-----BEGIN (?P<label>(?:NEW )?CERTIFICATE REQUEST)-----[ \t]*\r?\n"
    rb"(?P<base64>[A-Za-z0-9+/=\s]+)"
    rb"-----END (?P=label)-----\s*",
)


def judge_csr(pem: bytes, *, max_names: int = 100) -> JudgedCsr:
    """Return what may be used of a PEM signing request (RFC 2986), or raise BadCsr with a sentence for its sender.

    Proof of possession comes before every other judgement. Of the rest only the public key and the DNS names are
    taken: those of the subjectAltName, or the CN when there is none. A CN outside the names is refused, not added.
    Repeated names count once. Extensions and attributes that ask for anything else are ignored, for the profile decides.
    """
    request, public_key = _parse(_decode(pem))
    key = _key(public_key)
    _check_possession(request)
    try:
        spec = judge_loaded_key(key)
        check_for_server(spec)
    except BadKey as error:
        raise _about_key(error) from error
    return JudgedCsr(public_key, _names(request, max_names), spec)


@dataclass(frozen=True, slots=True)
class ProvenRequest:
    """A signing request whose sender has the key: nothing in it but the key has been judged."""

    request: x509.CertificateSigningRequest
    public_key: bytes
    spec: str


def prove(pem: bytes) -> ProvenRequest:
    """The request, its possession proven and its key judged; names and extensions are for the caller to judge.

    Raises BadCsr.
    """
    request, public_key = _parse(_decode(pem))
    key = _key(public_key)
    _check_possession(request)
    try:
        tuple(request.subject), tuple(request.extensions)
        return ProvenRequest(request, public_key, judge_loaded_key(key))
    except BadKey as error:
        raise _about_key(error) from error
    except (ValueError, TypeError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise BadCsr("The signing request's subject or extensions are malformed.") from error


def _decode(pem: bytes) -> bytes:
    if len(pem) > MAX_CSR_BYTES:
        raise BadCsr(f"The signing request is {len(pem)} bytes long; {MAX_CSR_BYTES} is the most.")
    blocks = pem.count(b"-----BEGIN")
    if blocks != 1:
        raise BadCsr(f"Expected one PEM block, found {blocks}.")
    match = _ONE_BLOCK.fullmatch(pem)
    if match is None:
        raise BadCsr("The text is not a PEM block of the kind CERTIFICATE REQUEST with nothing around it.")
    try:
        request = b64decode(b"".join(match["base64"].split()), validate=True)
        der.check_bounds(request)
    except binascii.Error as error:
        raise BadCsr("The PEM block's base64 is damaged.") from error
    except der.BadDer as error:
        raise BadCsr(f"The signing request is not valid DER: {error}.") from error
    return request


def _parse(request: bytes) -> tuple[x509.CertificateSigningRequest, bytes]:
    try:
        return x509.load_der_x509_csr(request), der.request_public_key(request)
    except (ValueError, StopIteration, x509.InvalidVersion) as error:
        raise BadCsr("The PEM block does not hold a certificate signing request (RFC 2986).") from error


def _key(public_key: bytes) -> CertifiedKey:
    try:
        return certified(load_key(public_key))
    except BadKey as error:
        raise _about_key(error) from error


def _about_key(error: BadKey) -> BadCsr:
    text = str(error)
    return BadCsr(f"{text[0].upper()}{text[1:]}.")


def _check_possession(request: x509.CertificateSigningRequest) -> None:
    try:
        digest = request.signature_hash_algorithm
        valid = request.is_signature_valid
        own = request.signature_algorithm_oid in _WITH_A_DIGEST_OF_THEIR_OWN
    except (UnsupportedAlgorithm, ValueError) as error:
        raise BadCsr("The signing request is signed with an algorithm that is not supported.") from error
    if not isinstance(digest, PROVING_DIGESTS) and not own:
        name = digest.name if digest is not None else "no digest"
        raise BadCsr(f"The signing request is signed with {name}: use SHA-256, SHA-384 or SHA-512.")
    if not valid:
        raise BadCsr("The signing request's signature does not match its public key.")


def _names(request: x509.CertificateSigningRequest, max_names: int) -> tuple[str, ...]:
    common, alternative = _common_names(request), _alternative_names(request)
    asked = alternative or common
    if not asked:
        raise BadCsr("The signing request names nothing: it has neither a subjectAltName nor a common name.")
    if len(asked) > max_names:
        raise BadCsr(f"The signing request has {len(asked)} names; {max_names} is the most.")
    names = tuple(dict.fromkeys(_normal(name) for name in asked))
    firsts = [_normal(name) for name in common]
    for name in firsts:
        if name not in names:
            raise BadCsr(f"The common name {name} is not among the subjectAltNames.")
    return tuple(dict.fromkeys((*firsts, *names)))


def _normal(name: str) -> str:
    try:
        return normalise_domain(name)
    except BadName as error:
        raise BadCsr(f"A name in the signing request is refused: {error.detail}.") from error


def _common_names(request: x509.CertificateSigningRequest) -> list[str]:
    try:
        attributes = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, TypeError) as error:
        raise BadCsr("The signing request's subject is malformed.") from error
    return [str(attribute.value) for attribute in attributes]


def _alternative_names(request: x509.CertificateSigningRequest) -> list[str]:
    try:
        extension = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise BadCsr("The signing request's extensions are malformed or repeated.") from error
    for name in extension.value:
        if not isinstance(name, x509.DNSName):
            raise BadCsr(
                f"A subjectAltName is of the kind {type(name).__name__}; only DNS names are certified."
            )
    return [str(name.value) for name in extension.value]
