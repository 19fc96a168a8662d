"""What a CA or certificate key is asked to sign is judged before it is signed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from kms.hsm.algorithms import issuing_algorithm
from kms.hsm.der import tlv
from kms.hsm.errors import KeyRefused
from kms.hsm.keypairs import spki
from kms.hsm.labels import Kind
from kms.hsm.outline import judge

CA = ec.generate_private_key(ec.SECP256R1())
LEAF = ec.generate_private_key(ec.SECP256R1())
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some CA")])
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ECDSA = issuing_algorithm("ECDSA_SHA_256", "EC_prime256v1")[1]


def certificate(
    *,
    authority: bool | None = False,
    subject: x509.Name | None = None,
    key: ec.EllipticCurvePrivateKey = LEAF,
    issuer_key: ec.EllipticCurvePrivateKey | None = CA,
    digest: hashes.SHA256 | hashes.SHA384 | None = None,
) -> bytes:
    """A TBSCertificate. authority None: without basic constraints."""
    builder = (
        x509.CertificateBuilder()
        .issuer_name(NAME)
        .subject_name(subject or x509.Name([]))
        .public_key(key.public_key())
        .serial_number(2**100 + 1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=True)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if issuer_key is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return builder.sign(CA, digest or hashes.SHA256()).tbs_certificate_bytes


def crl(issuer_key: ec.EllipticCurvePrivateKey = CA) -> bytes:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(NAME)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .add_extension(x509.CRLNumber(1), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .add_revoked_certificate(x509.RevokedCertificateBuilder(7, NOW).build())
    )
    return builder.sign(CA, hashes.SHA256()).tbs_certlist_bytes


def csr(key: ec.EllipticCurvePrivateKey = CA) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    return builder.sign(key, hashes.SHA256()).tbs_certrequest_bytes


def response(
    *,
    encoding: ocsp.OCSPResponderEncoding = ocsp.OCSPResponderEncoding.HASH,
    key: ec.EllipticCurvePrivateKey = CA,
    until: datetime | None = NOW + timedelta(hours=1),
) -> bytes:
    issuer = x509.load_der_x509_certificate(tlv(0x30, certificate(key=key) + ECDSA + b"\x03\x01\0"))
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(issuer, issuer, hashes.SHA256(), ocsp.OCSPCertStatus.GOOD, NOW, until, None, None)
        .responder_id(encoding, issuer)
    )
    return builder.sign(key, hashes.SHA256()).tbs_response_bytes


LAWFUL: dict[Kind, Callable[[], bytes]] = {
    "certificate": certificate,
    "ca-certificate": lambda: certificate(authority=True),
    "rollover": lambda: certificate(authority=True, subject=NAME),
    "crl": crl,
    "csr": csr,
    "ocsp": response,
}


def judged(kind: Kind, message: bytes) -> None:
    judge(kind, message, ECDSA, spki(CA))


def refused(kind: Kind, message: bytes) -> str:
    with pytest.raises(KeyRefused) as why:
        judged(kind, message)
    return str(why.value)


@pytest.mark.parametrize("kind", LAWFUL)
def test_each_kind_is_known_by_its_outline(kind: Kind) -> None:
    judged(kind, LAWFUL[kind]())


@pytest.mark.parametrize("made", LAWFUL)
@pytest.mark.parametrize("asked", LAWFUL)
def test_nothing_passes_for_another_kind(made: Kind, asked: Kind) -> None:
    if made != asked:
        refused(asked, LAWFUL[made]())


@pytest.mark.parametrize("kind", LAWFUL)
def test_bytes_after_the_end_are_refused(kind: Kind) -> None:
    refused(kind, LAWFUL[kind]() + b"\0")
    refused(kind, LAWFUL[kind]() + b"\x05\0")
    refused(kind, LAWFUL[kind]()[:-1])
    refused(kind, b"")


@pytest.mark.parametrize("kind", LAWFUL)
def test_changed_bytes_are_judged_without_any_other_error(kind: Kind) -> None:
    message = LAWFUL[kind]()
    for at in range(len(message)):
        for bit in (1, 0x80):
            try:
                judged(kind, message[:at] + bytes((message[at] ^ bit,)) + message[at + 1 :])
            except KeyRefused:
                continue


@pytest.mark.parametrize("kind", LAWFUL)
@given(noise=st.binary(max_size=200))
def test_noise_is_refused(kind: Kind, noise: bytes) -> None:
    refused(kind, noise)
    refused(kind, tlv(0x30, noise))


def test_the_ca_flag_needs_its_own_kind() -> None:
    assert "CA flag is set" in refused("certificate", certificate(authority=True))
    assert "without the CA flag" in refused("ca-certificate", certificate(authority=False))
    assert "without the CA flag" in refused("ca-certificate", certificate(authority=None))
    judged("certificate", certificate(authority=None))


def test_a_certificate_or_crl_that_names_another_issuing_key_is_refused() -> None:
    assert "authority key identifier" in refused("certificate", certificate(issuer_key=LEAF))
    assert "authority key identifier" in refused("crl", crl(issuer_key=LEAF))


def test_an_authority_key_identifier_by_rfc_7093_is_this_keys_too() -> None:
    point = CA.public_key().public_bytes(
        encoding=Encoding.X962,
        format=PublicFormat.UncompressedPoint,
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(point)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(NAME)
        .subject_name(x509.Name([]))
        .public_key(LEAF.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=9))
        .add_extension(x509.AuthorityKeyIdentifier(digest.finalize()[:20], None, None), critical=False)
    )
    judged("certificate", builder.sign(CA, hashes.SHA256()).tbs_certificate_bytes)


def test_a_self_issued_authority_must_be_for_the_key_that_signs() -> None:
    judged("ca-certificate", certificate(authority=True, subject=NAME, key=CA, issuer_key=None))
    message = certificate(authority=True, subject=NAME, key=LEAF, issuer_key=None)
    assert "self-issued" in refused("ca-certificate", message)


def test_a_change_of_key_is_between_two_keys_of_one_name() -> None:
    assert "another key than the one" in refused(
        "rollover", certificate(authority=True, subject=NAME, key=CA)
    )
    assert "same name" in refused("rollover", certificate(authority=True))
    assert "without the CA flag" in refused("rollover", certificate(authority=False, subject=NAME))


def test_a_csr_is_signed_only_by_its_own_key() -> None:
    assert "the key that it is for" in refused("csr", csr(LEAF))


def test_the_algorithm_inside_must_be_the_one_asked_for() -> None:
    assert "algorithm named inside" in refused("certificate", certificate(digest=hashes.SHA384()))


def test_a_certificate_of_an_old_version_is_refused() -> None:
    message = certificate()
    version = bytes.fromhex("a003020102")
    assert message.count(version) == 1
    inner = x509.load_der_x509_certificate(tlv(0x30, message + ECDSA + b"\x03\x01\0"))
    assert inner.version is x509.Version.v3
    refused("certificate", message.replace(version, bytes.fromhex("a003020100")))


def test_an_ocsp_response_names_the_key_that_signs_it_by_its_hash() -> None:
    assert "the responder named" in refused("ocsp", response(key=LEAF))
    assert "the responder named" in refused("ocsp", response(encoding=ocsp.OCSPResponderEncoding.NAME))


@pytest.mark.parametrize("until", [None, NOW, NOW - timedelta(seconds=1)])
def test_an_ocsp_response_without_an_end_is_refused(until: datetime | None) -> None:
    assert "when the next one comes" in refused("ocsp", response(until=until))
