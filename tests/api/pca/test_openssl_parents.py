"""With openssl as the other side: a parent outside signs keystead's request, and keystead signs that of a CA outside."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.api.pca.acting import activate, create, issue, request

CA = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
LEAF = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
    "subjectAltName=DNS:host.example.com\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)


class Openssl:
    """One folder in which openssl works."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def root(self, *algorithm: str) -> None:
        """A self-signed CA in root.key and root.pem."""
        self("genpkey", *algorithm, "-out", "root.key")
        self.write(
            "root.cnf",
            f"[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\nCN=Outside\n[ca]\n{CA}",
        )
        self(
            "req",
            "-new",
            "-x509",
            "-key",
            "root.key",
            "-out",
            "root.pem",
            "-days",
            "300",
            "-config",
            "root.cnf",
        )

    def sign(self, csr: str, out: str, extensions: str, *, ca: str, key: str, days: int = 90) -> None:
        self.write("extensions.cnf", extensions)
        self("x509", "-req", "-in", csr, "-out", out, "-CA", ca, "-CAkey", key, "-days", str(days),
             "-set_serial", "0x4b00000000000000000000000000000001", "-extfile", "extensions.cnf")  # fmt: skip

    def verify(self, leaf: str, root: str, between: str) -> None:
        told = self(
            "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root, "-untrusted", between, leaf
        )
        assert told.strip() == f"{leaf}: OK"


@pytest.fixture
def openssl(tmp_path: Path) -> Openssl:
    return Openssl(tmp_path)


OUTSIDE = {
    "RSA": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "P-256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_parent_outside_signs_the_request_and_the_chain_verifies(
    both: Any, openssl: Openssl, kind: str
) -> None:
    openssl.root(*OUTSIDE[kind])
    arn = create(both, "SUBORDINATE", "Inside", "EC_secp384r1")
    openssl.write("sub.csr", both.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"])
    openssl("req", "-in", "sub.csr", "-noout", "-verify")
    extensions = f"{CA.replace('CA:TRUE', 'CA:TRUE,pathlen:0')}authorityKeyIdentifier=keyid\n"
    openssl.sign("sub.csr", "sub.pem", extensions, ca="root.pem", key="root.key")
    both.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn,
        Certificate=openssl.read("sub.pem"),
        CertificateChain=openssl.read("root.pem"),
    )
    leaf = issue(
        both, arn, request("host.example.com"), "EC_secp384r1", Validity={"Type": "DAYS", "Value": 30}
    )
    got = both.get_certificate(CertificateAuthorityArn=arn, CertificateArn=leaf)
    openssl.write("leaf.pem", got["Certificate"])
    openssl.write("between.pem", got["CertificateChain"])
    openssl.verify("leaf.pem", "root.pem", "between.pem")


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_ca_outside_is_signed_and_what_it_signs_verifies(pca: Any, openssl: Openssl, kind: str) -> None:
    root = create(pca, "ROOT", "Inside Root")
    activate(pca, root, root, "RootCACertificate", "EC_prime256v1", 10)
    openssl("genpkey", *OUTSIDE[kind], "-out", "sub.key")
    openssl("req", "-new", "-key", "sub.key", "-subj", "/O=Elsewhere/CN=Outside Issuing", "-out", "sub.csr")
    arn = issue(pca, root, openssl.read("sub.csr"), template="SubordinateCACertificate_PathLen0")
    got = pca.get_certificate(CertificateAuthorityArn=root, CertificateArn=arn)
    openssl.write("sub.pem", got["Certificate"])
    openssl.write("root.pem", got["CertificateChain"])
    openssl("genpkey", *OUTSIDE["P-256"], "-out", "leaf.key")
    openssl("req", "-new", "-key", "leaf.key", "-subj", "/CN=host.example.com", "-out", "leaf.csr")
    openssl.sign("leaf.csr", "leaf.pem", LEAF, ca="sub.pem", key="sub.key", days=30)
    openssl.verify("leaf.pem", "root.pem", "sub.pem")


def test_trap_34_a_certificate_may_have_32_kb_and_a_chain_2_mb(pca: Any) -> None:
    arn = create(pca, "SUBORDINATE")

    def code(certificate: int, chain: int) -> str:
        given = {"Certificate": b"x" * certificate, "CertificateChain": b"x" * chain}
        with pytest.raises(pca.exceptions.ClientError) as caught:
            pca.import_certificate_authority_certificate(CertificateAuthorityArn=arn, **given)
        return str(caught.value.response["Error"]["Code"])

    assert code(32_769, 1) == code(1, 2_097_153) == "InvalidRequestException"
    assert code(32_768, 2_097_152) == "MalformedCertificateException"  # taken, and then read
