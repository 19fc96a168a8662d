"""Judging a CA that was made elsewhere, by its certificate and chain, before its key is asked for."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from ca import der
from ca.errors import BadKey, OrderRefused
from ca.keys import CA_KEY_SPECS, certified, judge_loaded_key, spki
from ca.lints.case import extension

WEAK_DIGESTS: Final = frozenset({"md5", "sha1"})
MOST_CERTIFICATES: Final = 16
_ODD: Final = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A CA that keystead can go on with. `above` is its chain, parent first, root last; empty for a root."""

    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    spec: str
    public_key: bytes  # SPKI, DER

    @property
    def root(self) -> bool:
        return not self.above

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def chain(self) -> bytes:
        """The certificates above, DER, one after another."""
        return b"".join(each.public_bytes(Encoding.DER) for each in self.above)


def judge_candidate(certificate_pem: bytes, chain_pem: bytes, now: datetime) -> Candidate:
    """The CA of a certificate file, which may hold its chain too, and a chain file. Raises OrderRefused, BadKey."""
    own, *rest = _parse(certificate_pem, "the certificate file")
    more = _parse(chain_pem, "the chain file") if chain_pem.strip() else []
    above = [each for each in (*rest, *more) if each != own]
    if own.issuer == own.subject and above:
        raise OrderRefused("a root has no chain: give its own certificate alone, or the subordinate's first")
    key = _key(own)
    candidate = Candidate(own, tuple(_without_repeats(above)), judge_loaded_key(key), spki(certified(key)))
    if candidate.spec not in CA_KEY_SPECS:
        raise BadKey(f"no CA here has a key of {candidate.spec}: use one of {', '.join(CA_KEY_SPECS)}")
    _check_own(own, now)
    _check_chain(candidate)
    return candidate


def _parse(pem: bytes, what: str) -> list[x509.Certificate]:
    try:
        if b"-----BEGIN" in pem:
            found = x509.load_pem_x509_certificates(pem)
        else:
            found = [x509.load_der_x509_certificate(pem)]
        for each in found:
            der.check_bounds(each.public_bytes(Encoding.DER))
            tuple(each.extensions)
    except _ODD as error:
        raise OrderRefused(f"{what} holds no certificate in PEM or DER that can be read: {error}") from error
    if len(found) > MOST_CERTIFICATES:
        raise OrderRefused(f"{what} holds {len(found)} certificates; {MOST_CERTIFICATES} is the most")
    return found


def _without_repeats(certificates: list[x509.Certificate]) -> list[x509.Certificate]:
    return list(dict.fromkeys(certificates))


def _key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("the CA's key is of a kind that keystead does not know") from error


def _check_own(own: x509.Certificate, now: datetime) -> None:
    name = own.subject.rfc4514_string()[:200]
    if not list(own.subject):
        raise OrderRefused(
            "the certificate has no subject: a CA needs a name to issue under (RFC 5280 4.1.2.6)"
        )
    constraints = extension(own, x509.BasicConstraints)
    if constraints is None or not constraints.ca:
        raise OrderRefused(f"{name} is no CA: its basic constraints do not say so (RFC 5280 4.2.1.9)")
    usage = extension(own, x509.KeyUsage)
    if usage is None or not (usage.key_cert_sign and usage.crl_sign):
        raise OrderRefused(
            f"the key usage of {name} must include keyCertSign and cRLSign (RFC 5280 4.2.1.3). A certificate without"
            " one can be renewed for the same key: openssl x509 -x509toreq -in CERT -signkey KEY, then openssl x509"
            " -req -signkey KEY -extfile FILE, the file with keyUsage=critical,keyCertSign,cRLSign"
        )
    if extension(own, x509.SubjectKeyIdentifier) is None:
        raise OrderRefused(
            f"{name} has no subject key identifier, by which clients find a path (RFC 5280 4.2.1.2)"
        )
    if own.not_valid_after_utc <= now:
        raise OrderRefused(f"the certificate of {name} ran out on {own.not_valid_after_utc:%Y-%m-%d}")
    if own.not_valid_before_utc > now:
        raise OrderRefused(f"the certificate of {name} begins only on {own.not_valid_before_utc:%Y-%m-%d}")


def _check_chain(candidate: Candidate) -> None:
    """Each is signed by the next and the last by itself, with no weak digest but on the root's own signature."""
    chain = [candidate.certificate, *candidate.above]
    if chain[-1].issuer != chain[-1].subject:
        raise OrderRefused(
            f"the chain ends at {chain[-1].subject.rfc4514_string()[:200]}, which is no root:"
            " give the certificates above it, up to the self-signed root, with --chain"
        )
    for depth, (below, above) in enumerate(pairwise([*chain, chain[-1]])):
        name = below.subject.rfc4514_string()[:200]
        if below is not above or depth == 0:
            _check_digest(below, name)
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
            raise OrderRefused(
                f"{name} is not signed by {above.subject.rfc4514_string()[:200]}, the next of the chain:"
                " the order is parent first, root last"
            ) from error
        if below is not above:
            _check_above(above, depth)


def _check_digest(certificate: x509.Certificate, name: str) -> None:
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.name in WEAK_DIGESTS:
        raise OrderRefused(
            f"{name} is signed with {digest.name}, which anybody may forge: have it renewed first"
        )


def _check_above(above: x509.Certificate, depth: int) -> None:
    constraints = extension(above, x509.BasicConstraints)
    name = above.subject.rfc4514_string()[:200]
    if constraints is None or not constraints.ca:
        raise OrderRefused(f"{name}, in the chain, is no CA")
    if constraints.path_length is not None and constraints.path_length < depth:
        raise OrderRefused(f"the path length of {name}, in the chain, allows no CA this deep")
