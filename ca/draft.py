"""Drawing up certificates: to-be-signed bytes by profile, signed for the lints' eyes by a throw-away key."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from ca import der
from ca.algorithms import ALGORITHMS, USUAL, SignatureAlgorithm, SigningKey, algorithm_of, sign
from ca.keys import CertifiedKey, certified, load_key
from ca.lints.case import extension
from ca.lints.common_name_in_san import UB_COMMON_NAME
from ca.profiles import Profile, key_usage


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that a certificate says. `issuer` is None for a root, which is its own; `names` are DNS names."""

    profile: Profile
    issuer: x509.Certificate | None
    signing_spec: str  # the spec of the issuer's key
    subject: x509.Name
    names: tuple[str, ...]
    public_key: bytes  # SPKI, DER
    serial: int
    not_before: datetime
    not_after: datetime
    algorithm: str | None = None  # of `ca.algorithms`, in place of the usual one of such a key

    @property
    def how(self) -> SignatureAlgorithm:
        """How it will be signed."""
        return USUAL[self.signing_spec] if self.algorithm is None else ALGORITHMS[self.algorithm]


def server_subject(names: tuple[str, ...]) -> x509.Name:
    """The first name as CN if it fits, otherwise an empty subject, which makes the SAN critical."""
    if len(names[0]) > UB_COMMON_NAME:
        return x509.Name([])
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])


def draw_up(draft: Draft) -> x509.Certificate:
    """The certificate, complete but for its signature, which a throw-away key of the issuer's kind made.

    Its `tbs_certificate_bytes` are what the real key will sign. Raises BadKey, and ValueError for what X.509 cannot say.
    """
    key = certified(load_key(draft.public_key))
    builder = (
        x509.CertificateBuilder()
        .serial_number(draft.serial)
        .issuer_name(draft.subject if draft.issuer is None else draft.issuer.subject)
        .subject_name(draft.subject)
        .not_valid_before(draft.not_before)
        .not_valid_after(draft.not_after)
        .public_key(key)
    )
    for each in _extensions(draft, key):
        critical = draft.profile.extensions[each.oid]
        builder = builder.add_extension(each, not list(draft.subject) if critical is None else critical)
    how = draft.how
    return builder.sign(_throw_away_key(how.family), how.digest, rsa_padding=how.rsa_padding)


def redraw(tbs: bytes) -> x509.Certificate:
    """The same for to-be-signed bytes that were kept from an earlier draft: a resume lints what it is about to sign."""
    how = algorithm_of(tbs)
    signature = sign(_throw_away_key(how.family), tbs, how)
    return x509.load_der_x509_certificate(der.certificate(tbs, signature))


def _extensions(draft: Draft, key: CertifiedKey) -> list[x509.ExtensionType]:
    profile = draft.profile
    usage = profile.key_usage | (profile.rsa_key_usage if isinstance(key, rsa.RSAPublicKey) else frozenset())
    extensions: list[x509.ExtensionType] = [
        x509.BasicConstraints(ca=profile.ca, path_length=profile.path_length),
        x509.SubjectKeyIdentifier.from_public_key(key),
        *(value for value, _ in profile.more),
    ]
    if usage:
        extensions.append(key_usage(usage))
    if profile.extended_key_usage:
        extensions.append(
            x509.ExtendedKeyUsage(sorted(profile.extended_key_usage, key=lambda oid: oid.dotted_string))
        )
    if draft.issuer is not None:
        above = extension(draft.issuer, x509.SubjectKeyIdentifier)
        if above is None:
            raise ValueError("the issuer has no subject key identifier")
        extensions.append(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above))
    if draft.names:
        extensions.append(x509.SubjectAlternativeName([x509.DNSName(name) for name in draft.names]))
    return extensions


def rehearsal_key(spec: str) -> bytes:
    """The public half (SPKI, DER) of a throw-away key of the spec, for drafts that nobody will sign. Any RSA size will do."""
    curve = _CURVES.get(spec)
    key = (
        _throw_away_key(USUAL[spec].family) if curve is None else ec.generate_private_key(curve)
    ).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@cache
def _throw_away_key(family: str) -> SigningKey:
    """A key that nobody trusts, so that a draft is a whole certificate with the right signature algorithm.

    One per process and family: its signatures leave no function, so it need not be fresh. Any size and curve will do.
    """
    if family == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if family == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    return _ML_DSA[family]()


_CURVES: Final[Mapping[str, ec.EllipticCurve]] = {
    "EC_prime256v1": ec.SECP256R1(),
    "EC_secp384r1": ec.SECP384R1(),
    "EC_secp521r1": ec.SECP521R1(),
}
_ML_DSA: Final[Mapping[str, Callable[[], SigningKey]]] = {
    "ML_DSA_44": mldsa.MLDSA44PrivateKey.generate,
    "ML_DSA_65": mldsa.MLDSA65PrivateKey.generate,
    "ML_DSA_87": mldsa.MLDSA87PrivateKey.generate,
}
