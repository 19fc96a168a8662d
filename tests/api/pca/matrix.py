"""Certificates of every template under every key algorithm, and the verifiers that they are held up to."""

import json
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ca.profiles import key_usage
from ca.templates import TEMPLATES
from tests.api.pca.acting import activate, create, issue, request
from tests.ca.independent_linter import certificate_findings, chain_findings
from tests.support.world import World

NAME: Final = "host.example.com"
TABLE: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[3] / "certs-fixtures" / "verifiers" / "table.json").read_text()
)
CA_USAGE: Final = {"KeyUsage": {"KeyCertSign": True, "CRLSign": True}}


@dataclass(frozen=True)
class Cell:
    """One certificate, and the root that it is to be verified under (itself, for a root's template)."""

    template: str
    algorithm: str
    certificate: x509.Certificate
    root: x509.Certificate
    key: ec.EllipticCurvePrivateKey | None  # its own, unless a CA of keystead's has it

    @property
    def is_ca(self) -> bool:
        return TEMPLATES[self.template].ca

    @property
    def is_root(self) -> bool:
        return TEMPLATES[self.template].root

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The certificate and the root in PEM files."""
        own, root = folder / "certificate.pem", folder / "root.pem"
        own.write_text(pem(self.certificate))
        root.write_text(pem(self.root))
        return own, root


@dataclass
class Matrix:
    """Issues each cell when it is first asked for; one root for each algorithm issues what is not a root's."""

    world: World
    roots: dict[str, tuple[Any, str]] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def cell(self, template: str, algorithm: str) -> Cell:
        key = (template, algorithm)
        if key not in self.cells:
            made = self._root if TEMPLATES[template].root else self._below
            self.cells[key] = made(template, algorithm)
        return self.cells[key]

    def _root(self, template: str, algorithm: str) -> Cell:
        pca = self.world.account().client("acm-pca")
        arn = create(pca, "ROOT", "Matrix Root", algorithm)
        csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"].encode()
        validity = {"Type": "YEARS", "Value": 5}
        issued = issue(pca, arn, csr, algorithm, template, **passing(template), Validity=validity)
        got = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=issued)
        pca.import_certificate_authority_certificate(
            CertificateAuthorityArn=arn, Certificate=got["Certificate"]
        )
        root = x509.load_pem_x509_certificate(got["Certificate"].encode())
        return Cell(template, algorithm, root, root, None)

    def _below(self, template: str, algorithm: str) -> Cell:
        if algorithm not in self.roots:
            pca = self.world.account().client("acm-pca")
            arn = create(pca, "ROOT", "Matrix Root", algorithm)
            activate(pca, arn, arn, "RootCACertificate", algorithm, 10)
            self.roots[algorithm] = (pca, arn)
        pca, arn = self.roots[algorithm]
        key = ec.generate_private_key(ec.SECP256R1())
        issued = issue(pca, arn, asked(template, key), algorithm, template, **passing(template))
        got = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=issued)
        own, root = (
            x509.load_pem_x509_certificate(got[name].encode()) for name in ("Certificate", "CertificateChain")
        )
        return Cell(template, algorithm, own, root, key)


def passing(template: str) -> dict[str, Any]:
    """ApiPassthrough with what a blank CA template needs."""
    kind = TEMPLATES[template]
    return {"ApiPassthrough": {"Extensions": CA_USAGE}} if kind.ca and kind.blank and kind.api else {}


def asked(template: str, key: Any) -> bytes:
    """A signing request such as the template is for."""
    kind = TEMPLATES[template]
    usage = key_usage(frozenset({"key_cert_sign", "crl_sign"}))
    own = ((usage, True),) if kind.ca and kind.blank and not kind.api else ()
    names = () if kind.ca else (NAME,)
    return request(*names, common_name="Sub CA" if kind.ca else NAME, extensions=own, key=key)


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def reason_against(verifier: str, cell: Cell) -> str | None:
    """Why the verifier cannot judge the cell, if it cannot."""
    said = TABLE[verifier]
    found = said["keys"].get(cell.algorithm) or said["templates"].get(cell.template)
    if cell.is_root:
        found = found or said["roots"].get(cell.algorithm)
    return None if found is None else str(found)


def pkilint(cell: Cell, _: Path) -> str:
    """Empty when the verifier accepts the certificate; otherwise what it says. So are all below."""
    found = certificate_findings(pem(cell.certificate))
    if not cell.is_root:
        found += chain_findings(pem(cell.root), pem(cell.certificate))
    return "\n".join(each for each in found if not each.startswith("WARN"))


def openssl(cell: Cell, folder: Path) -> str:
    own, root = cell.write(folder)
    return _run("openssl", "verify", "-x509_strict", "-CAfile", str(root), str(own))


def gnutls(cell: Cell, folder: Path) -> str:
    own, root = cell.write(folder)
    return _run("certtool", "--verify", "--load-ca-certificate", str(root), "--infile", str(own))


def pyca(cell: Cell, _: Path) -> str:
    """For servers, for clients, or both, as its purposes say; a CA by a server's certificate that it signs."""
    leaf, between = cell.certificate, list[x509.Certificate]()
    if cell.is_root:
        leaf.verify_directly_issued_by(leaf)
        return ""
    if cell.is_ca:
        leaf, between = _server_below(cell), [cell.certificate]
    policy = verification.PolicyBuilder().store(verification.Store([cell.root])).time(datetime.now(UTC))
    purposes = _purposes(leaf)
    try:
        if purposes is None or ExtendedKeyUsageOID.SERVER_AUTH in purposes:
            policy.build_server_verifier(x509.DNSName(NAME)).verify(leaf, between)
        if purposes is None or ExtendedKeyUsageOID.SERVER_AUTH not in purposes or len(purposes) > 1:
            policy.build_client_verifier().verify(leaf, between)
    except verification.VerificationError as refused:
        return str(refused)
    return ""


ONE_BY_ONE: Final = {"pkilint": pkilint, "openssl": openssl, "gnutls": gnutls, "pyca": pyca}


def _purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier] | None:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return None


def _server_below(cell: Cell) -> x509.Certificate:
    assert cell.key is not None
    now, key = datetime.now(UTC), ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    builder = x509.CertificateBuilder(
        cell.certificate.subject,
        subject,
        key.public_key(),
        x509.random_serial_number(),
        now - timedelta(minutes=1),
        now + timedelta(days=1),
    )
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (key_usage(frozenset({"digital_signature"})), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName([x509.DNSName(NAME)]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(cell.key.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical)
    return builder.sign(cell.key, hashes.SHA256())


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr
