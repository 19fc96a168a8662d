"""Keys by handle: pyca's own builders sign with them through a real core, and nothing else can be done with them."""

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from kms.hsm import Asker, CoreClient, GeneratedKey, KeyLabel, KeyRefused, signing_handle
from kms.hsm.handles import EllipticCurveHandle, RsaHandle, SigningHandle
from kms.hsm.labels import Kind

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some CA")])
ASKER = Asker("request-7", "arn:aws:iam::111122223333:user/admin")
SPECS = ["RSA_2048", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1", "ED25519"]
HASHES: dict[str, hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None] = {
    "RSA_2048": hashes.SHA256(), "EC_prime256v1": hashes.SHA256(), "EC_secp384r1": hashes.SHA384(),
    "EC_secp521r1": hashes.SHA512(), "ED25519": None, "ML_DSA_44": None, "ML_DSA_65": None, "ML_DSA_87": None,
}  # fmt: skip
AUTHORITIES = list(HASHES)
Handles = Callable[[str, str, Kind], SigningHandle]


@pytest.fixture(scope="module")
def handles(core: CoreClient) -> Handles:
    """A handle to a key of some purpose and spec; the keys are made once."""
    made: dict[tuple[str, str], tuple[KeyLabel, GeneratedKey]] = {}

    def handle(purpose: str, spec: str, kind: Kind) -> SigningHandle:
        if (purpose, spec) not in made:
            label = KeyLabel(purpose, "111122223333", "eu-central-1", f"{purpose}-{spec}", 1, spec)
            made[purpose, spec] = (label, core.generate_key(label, ASKER))
        label, key = made[purpose, spec]
        return signing_handle(core, key.token, label, ASKER, key.public_key, kind)

    return handle


def root(
    handle: SigningHandle,
    spec: str,
    digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None = None,
    pss: padding.PSS | None = None,
) -> x509.Certificate:
    return (
        x509.CertificateBuilder()
        .issuer_name(NAME)
        .subject_name(NAME)
        .public_key(handle.public_key())
        .serial_number(99)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=99))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .sign(handle, digest or HASHES[spec], rsa_padding=pss)
    )


@pytest.mark.parametrize("spec", AUTHORITIES)
def test_a_certificate_builder_signs_by_handle(handles: Handles, spec: str) -> None:
    certificate = root(handles("ca", spec, "ca-certificate"), spec)
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("spec", AUTHORITIES)
def test_the_same_bytes_always_get_the_same_signature(handles: Handles, spec: str) -> None:
    handle = handles("ca", spec, "ca-certificate")
    assert root(handle, spec) == root(handle, spec)


DIGESTS = [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()]


@pytest.mark.parametrize("digest", DIGESTS, ids=lambda digest: digest.name)
@pytest.mark.parametrize("spec", ["EC_prime256v1", "EC_secp384r1", "EC_secp521r1", "RSA_2048", "PSS"])
def test_a_ca_key_signs_with_every_digest_and_both_rsa_paddings_and_the_same_each_time(
    handles: Handles, spec: str, digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
) -> None:
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size) if spec == "PSS" else None
    handle = handles("ca", "RSA_2048" if pss else spec, "ca-certificate")
    certificate = root(handle, spec, digest, pss)
    certificate.verify_directly_issued_by(certificate)
    assert certificate == root(handle, spec, digest, pss)


@pytest.mark.parametrize("spec", AUTHORITIES)
def test_a_crl_builder_signs_by_handle(handles: Handles, spec: str) -> None:
    handle = handles("ca", spec, "crl")
    crl = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(NAME)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .sign(handle, HASHES[spec])
    )
    assert crl.is_signature_valid(handle.public_key())


@pytest.mark.parametrize("spec", SPECS)
def test_a_csr_builder_signs_by_handle(handles: Handles, spec: str) -> None:
    handle = handles("acm", spec, "csr")
    request = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(handle, HASHES[spec])
    assert request.is_signature_valid
    assert request.public_key() == handle.public_key()


def test_an_ocsp_builder_signs_by_handle(handles: Handles) -> None:
    issuer = root(handles("ca", "EC_prime256v1", "ca-certificate"), "EC_prime256v1")
    handle = handles("ocsp", "EC_prime256v1", "ocsp")
    responder = (
        x509.CertificateBuilder()
        .issuer_name(NAME)
        .subject_name(NAME)
        .public_key(handle.public_key())
        .serial_number(100)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
        .sign(handles("ca", "EC_prime256v1", "certificate"), hashes.SHA256())
    )
    until = NOW + timedelta(hours=1)
    response = (
        ocsp.OCSPResponseBuilder()
        .add_response(responder, issuer, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, until, None, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        .sign(handle, hashes.SHA256())
    )
    verify(handle, response.signature, response.tbs_response_bytes)


def verify(handle: SigningHandle, signature: bytes, signed: bytes) -> None:
    public = handle.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    else:
        public.verify(signature, signed)


def test_a_handle_of_one_kind_signs_no_other(handles: Handles) -> None:
    with pytest.raises(KeyRefused, match="no crl"):
        root(handles("ca", "EC_prime256v1", "crl"), "EC_prime256v1")
    handle = handles("ca", "EC_prime256v1", "raw")
    assert isinstance(handle, EllipticCurveHandle)
    with pytest.raises(KeyRefused, match="does not sign raw"):
        handle.sign(b"anything", ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize("spec", ["RSA_2048", "EC_prime256v1", "ED25519", "ML_DSA_44"])
def test_a_handle_gives_no_private_bytes_and_does_not_decrypt_or_exchange(
    handles: Handles, spec: str
) -> None:
    handle = handles("ca", spec, "certificate")
    for name in ("private_bytes", "private_bytes_raw", "private_numbers", "decrypt", "exchange"):
        with pytest.raises(KeyRefused, match="lives in the key core"):
            getattr(handle, name)(b"", b"")
    with pytest.raises(KeyRefused):
        pickle.dumps(handle)
    assert copy.copy(handle) is handle
    assert copy.deepcopy(handle) is handle


def test_a_handle_refuses_other_paddings_and_prehashed_data(handles: Handles) -> None:
    curve, modulus = handles("acm", "EC_prime256v1", "csr"), handles("acm", "RSA_2048", "csr")
    assert isinstance(curve, EllipticCurveHandle)
    assert isinstance(modulus, RsaHandle)
    with pytest.raises(KeyRefused):
        curve.sign(bytes(32), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    with pytest.raises(KeyRefused):
        modulus.sign(bytes(32), padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
    with pytest.raises(KeyRefused):
        modulus.sign(b"", padding.PSS(padding.MGF1(hashes.SHA256()), 20), hashes.SHA256())
    with pytest.raises(KeyRefused, match="no ecdsa signature with"):
        curve.sign(b"", ec.ECDSA(hashes.SHA3_256()))


def test_a_handle_knows_its_size_and_curve(handles: Handles) -> None:
    curve, modulus = handles("acm", "EC_secp384r1", "csr"), handles("acm", "RSA_2048", "csr")
    assert isinstance(curve, EllipticCurveHandle)
    assert isinstance(modulus, RsaHandle)
    assert (curve.curve.name, curve.key_size, modulus.key_size) == ("secp384r1", 384, 2048)


def test_a_handle_is_for_keys_that_keystead_signs_with(core: CoreClient) -> None:
    from cryptography.hazmat.primitives.asymmetric import x25519

    public = x25519.X25519PrivateKey.generate().public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyRefused, match="RSA, EC, Ed25519 and ML-DSA"):
        signing_handle(core, b"", KeyLabel("ca", "1", "r", "k", 1, "ED25519"), ASKER, der, "crl")
