"""TRAPS 34: which certificate an authority takes, from a parent outside keystead."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.api.pca.acting import create, issue, request

DAY = timedelta(days=1)
USAGE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)
Extensions = list[tuple[x509.ExtensionType, bool]]
POINTS = x509.CRLDistributionPoints(
    [x509.DistributionPoint([x509.UniformResourceIdentifier("http://crl.example.com/x")], None, None, None)]
)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Parent:
    """A root that keystead knows nothing of."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    def sign(
        self, csr: str, *more: tuple[x509.ExtensionType, bool], critical: bool = True, days: int = 90
    ) -> bytes:
        asked = x509.load_pem_x509_csr(csr.encode())
        return signed(
            self.key, self.certificate.subject, asked.subject, asked.public_key(), critical, days, more
        )


def signed(
    key: Any, issuer: x509.Name, subject: x509.Name, public: Any, critical: bool, days: int, more: Any = ()
) -> bytes:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer, subject, public, x509.random_serial_number(), now - DAY, now + days * DAY
    )
    identifiers = (
        (USAGE, True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
    )
    for extension, flag in (
        (x509.BasicConstraints(ca=True, path_length=None), critical),
        *identifiers,
        *more,
    ):
        builder = builder.add_extension(extension, flag)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture
def parent() -> Parent:
    key = ec.generate_private_key(ec.SECP256R1())
    own = signed(key, name("Outside"), name("Outside"), key.public_key(), critical=True, days=365)
    return Parent(key, x509.load_pem_x509_certificate(own))


def csr_of(pca: Any, arn: str) -> str:
    return str(pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"])


def take(pca: Any, arn: str, certificate: bytes, chain: bytes | None = None) -> None:
    given = {} if chain is None else {"CertificateChain": chain}
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=certificate, **given
    )


def test_a_subordinate_under_an_outside_parent_issues(both: Any, parent: Parent) -> None:
    arn = create(both, "SUBORDINATE")
    take(both, arn, parent.sign(csr_of(both, arn)), parent.pem)
    leaf = issue(both, arn, request("host.example.com"), Validity={"Type": "DAYS", "Value": 30})
    chain = both.get_certificate(CertificateAuthorityArn=arn, CertificateArn=leaf)["CertificateChain"]
    assert chain.encode().endswith(parent.pem)


@pytest.mark.parametrize(
    "extension", [POINTS, x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")]
)
def test_trap_34_what_may_not_be_critical_is_taken_only_when_it_is_not(
    pca: Any, parent: Parent, extension: x509.ExtensionType
) -> None:
    arn = create(pca, "SUBORDINATE")
    with pytest.raises(pca.exceptions.MalformedCertificateException, match="may not be critical"):
        take(pca, arn, parent.sign(csr_of(pca, arn), (extension, True)), parent.pem)
    take(pca, arn, parent.sign(csr_of(pca, arn), (extension, False)), parent.pem)


def test_trap_34_basic_constraints_must_be_critical(pca: Any, parent: Parent) -> None:
    arn = create(pca, "SUBORDINATE")
    with pytest.raises(pca.exceptions.MalformedCertificateException, match="basic constraints"):
        take(pca, arn, parent.sign(csr_of(pca, arn), critical=False), parent.pem)


def test_trap_34_a_subordinate_needs_its_chain_without_itself_and_in_order(pca: Any, parent: Parent) -> None:
    arn = create(pca, "SUBORDINATE")
    own = parent.sign(csr_of(pca, arn))
    with pytest.raises(pca.exceptions.InvalidRequestException, match="chain"):
        take(pca, arn, own)
    with pytest.raises(pca.exceptions.CertificateMismatchException):
        take(pca, arn, own, own + parent.pem)
    with pytest.raises(pca.exceptions.CertificateMismatchException):
        take(pca, arn, own, own)


def test_trap_34_a_self_signed_certificate_is_for_a_root_alone(pca: Any, parent: Parent) -> None:
    root = create(pca, "ROOT")
    with pytest.raises(pca.exceptions.InvalidRequestException, match="self-signed"):
        take(pca, root, parent.sign(csr_of(pca, root)), parent.pem)


def test_trap_34_a_certificate_that_outlives_its_parent_is_a_mismatch(pca: Any, parent: Parent) -> None:
    arn = create(pca, "SUBORDINATE")
    with pytest.raises(pca.exceptions.CertificateMismatchException, match="outlive"):
        take(pca, arn, parent.sign(csr_of(pca, arn), days=3650), parent.pem)


def test_trap_34_a_key_of_another_kind_is_a_mismatch(pca: Any, parent: Parent) -> None:
    arn, other = create(pca, "SUBORDINATE"), ed25519.Ed25519PrivateKey.generate().public_key()
    own = signed(parent.key, parent.certificate.subject, name("Test CA"), other, critical=True, days=90)
    with pytest.raises(pca.exceptions.CertificateMismatchException, match="key of this private CA"):
        take(pca, arn, own, parent.pem)


@pytest.mark.parametrize("junk", [b"x", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_malformed(pca: Any, junk: bytes) -> None:
    with pytest.raises(pca.exceptions.MalformedCertificateException):
        take(pca, create(pca), junk)


def test_trap_34_constraints_of_an_outside_parent_bind_what_is_issued(pca: Any, parent: Parent) -> None:
    arn = create(pca, "SUBORDINATE")
    bounds = x509.NameConstraints([x509.DNSName("example.com")], None)
    take(pca, arn, parent.sign(csr_of(pca, arn), (bounds, True)), parent.pem)
    days: dict[str, Any] = {"Validity": {"Type": "DAYS", "Value": 30}}
    issue(pca, arn, request("host.example.com"), **days)
    with pytest.raises(pca.exceptions.InvalidArgsException, match="name constraints"):
        issue(pca, arn, request("host.example.net"), **days)
