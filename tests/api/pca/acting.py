"""What tests of Private CA do by the API: hierarchies made as AWS's guide makes them, requests for signing."""

from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from ca.algorithms import USUAL

TEMPLATE = "arn:aws:acm-pca:::template/{}/V1"
SIGNING = {spec: how.name for spec, how in USUAL.items()}


@dataclass(frozen=True)
class Hierarchy:
    """A root and a subordinate, both ACTIVE, by ARN."""

    pca: Any
    root: str
    subordinate: str
    algorithm: str

    def issue(self, csr: bytes, template: str = "EndEntityCertificate", **more: Any) -> str:
        """IssueCertificate by the subordinate; the ARN."""
        return issue(self.pca, self.subordinate, csr, self.algorithm, template, **more)

    def certificate(self, arn: str) -> x509.Certificate:
        """What GetCertificate gives for it, parsed."""
        answer = self.pca.get_certificate(
            CertificateAuthorityArn=arn.partition("/certificate/")[0], CertificateArn=arn
        )
        return x509.load_pem_x509_certificate(answer["Certificate"].encode())


def create(
    pca: Any,
    kind: str = "ROOT",
    name: str = "Test CA",
    algorithm: str = "EC_prime256v1",
    signing: str | None = None,
    **more: Any,
) -> str:
    """CreateCertificateAuthority; the ARN."""
    configuration = {
        "KeyAlgorithm": algorithm,
        "SigningAlgorithm": signing or SIGNING[algorithm],
        "Subject": {"Organization": "Example", "CommonName": name},
    }
    made = pca.create_certificate_authority(
        CertificateAuthorityConfiguration=configuration, CertificateAuthorityType=kind, **more
    )
    return str(made["CertificateAuthorityArn"])


def issue(
    pca: Any,
    authority: str,
    csr: bytes,
    algorithm: str = "EC_prime256v1",
    template: str = "EndEntityCertificate",
    signing: str | None = None,
    **more: Any,
) -> str:
    """IssueCertificate; the ARN."""
    asked = {"Validity": {"Type": "DAYS", "Value": 90}, **more}
    return str(
        pca.issue_certificate(
            CertificateAuthorityArn=authority,
            Csr=csr,
            SigningAlgorithm=signing or SIGNING[algorithm],
            TemplateArn=TEMPLATE.format(template),
            **asked,
        )["CertificateArn"]
    )


def activate(pca: Any, authority: str, parent: str, template: str, algorithm: str, years: int) -> None:
    """CSR, signature, import."""
    csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=authority)["Csr"].encode()
    arn = issue(pca, parent, csr, algorithm, template, Validity={"Type": "YEARS", "Value": years})
    got = pca.get_certificate(CertificateAuthorityArn=parent, CertificateArn=arn)
    chain = {"CertificateChain": got["CertificateChain"]} if "CertificateChain" in got else {}
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=authority, Certificate=got["Certificate"], **chain
    )


def hierarchy(pca: Any, algorithm: str = "EC_prime256v1", **subordinate_has: Any) -> Hierarchy:
    """A root and a subordinate of path length 0, created with what else is given."""
    root = create(pca, "ROOT", "Test Root", algorithm)
    activate(pca, root, root, "RootCACertificate", algorithm, 10)
    subordinate = create(pca, "SUBORDINATE", "Test Issuing CA", algorithm, **subordinate_has)
    activate(pca, subordinate, root, "SubordinateCACertificate_PathLen0", algorithm, 5)
    return Hierarchy(pca, root, subordinate, algorithm)


def request(
    *names: str,
    common_name: str | None = None,
    extensions: tuple[Any, ...] = (),
    key: Any = None,
    subject: x509.Name | None = None,
) -> bytes:
    """A PEM signing request, with a fresh P-256 key and a subject of the common name alone unless they are given."""
    attributes = [] if common_name is None else [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject or x509.Name(attributes))
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False
        )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    key = key or ec.generate_private_key(ec.SECP256R1())
    digest = hashes.SHA256() if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) else None
    return builder.sign(key, digest).public_bytes(serialization.Encoding.PEM)
