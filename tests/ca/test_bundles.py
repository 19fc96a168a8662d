"""Trust bundles, read by those they are for: pyca and openssl always, Java's keytool in `make test-all`."""

import hashlib
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7, pkcs12

from ca import BadPassword, PublicPki, bundle, certificates_in
from ca.bundles import alias
from foundation.store import SYSTEM
from tests.ca.conftest import World


@pytest.fixture
def authorities(quick_world: World) -> list[x509.Certificate]:
    """A root, one below it, and a root with a name that no alias has room for as it is."""
    service = quick_world.service()
    root = service.create_root("Prüf Root CA №1", "EC_prime256v1", timedelta(days=3652))
    below = service.create_subordinate(root.arn, "Issuing", "EC_prime256v1", timedelta(days=1826))
    other = service.create_root("Root", "EC_prime256v1", timedelta(days=3652))
    return [x509.load_pem_x509_certificate(each.certificate_pem.encode()) for each in (root, below, other)]


def ders(certificates: list[x509.Certificate]) -> list[bytes]:
    return [each.public_bytes(Encoding.DER) for each in certificates]


def read_jks(data: bytes, password: str) -> dict[str, bytes]:
    """Alias → certificate, as sun.security.provider.JavaKeyStore reads it."""
    body, digest = data[:-20], data[-20:]
    assert hashlib.sha1(password.encode("utf-16-be") + b"Mighty Aphrodite" + body).digest() == digest
    assert body[:8] == bytes.fromhex("feedfeed00000002")
    found, at = {}, 12
    for _ in range(int.from_bytes(body[8:12], "big")):
        assert body[at : at + 4] == b"\0\0\0\2"
        size = int.from_bytes(body[at + 4 : at + 6], "big")
        name = body[at + 6 : at + 6 + size].decode()
        at += 6 + size + 8
        assert body[at : at + 7] == b"\0\5X.509"
        size = int.from_bytes(body[at + 7 : at + 11], "big")
        found[name] = body[at + 11 : at + 11 + size]
        at += 11 + size
    assert at == len(body)
    return found


def test_every_form_holds_the_certificates_once_each(authorities: list[x509.Certificate]) -> None:
    twice = ders([*authorities, authorities[0]])
    assert certificates_in(bundle("pem", twice)) == ders(authorities)
    assert set(pkcs7.load_der_pkcs7_certificates(bundle("p7b", twice))) == set(authorities)
    assert list(read_jks(bundle("jks", twice), "changeit").values()) == ders(authorities)
    assert bundle("jks", twice) == bundle("jks", twice)
    stored = pkcs12.load_pkcs12(bundle("p12", twice, "open sesame"), b"open sesame")
    assert {(each.certificate, each.friendly_name) for each in stored.additional_certs} == {
        (each, alias(each).encode()) for each in authorities
    }


def test_aliases_differ_and_are_such_that_java_takes(authorities: list[x509.Certificate]) -> None:
    names = [alias(each) for each in authorities]
    assert len(set(names)) == 3
    assert all(name.isascii() and name == name.lower() for name in names)
    assert names[0].startswith("pr-f-root-ca-1-")


@pytest.mark.parametrize("password", ["", "short", "naïve password", "x" * 129, "tab\tinside"])
@pytest.mark.parametrize("form", ["jks", "p12"])
def test_a_password_that_java_would_not_take_is_refused(
    authorities: list[x509.Certificate], form: str, password: str
) -> None:
    with pytest.raises(BadPassword):
        bundle(form, ders(authorities), password)


def test_openssl_reads_the_pkcs7(authorities: list[x509.Certificate], tmp_path: Path) -> None:
    (tmp_path / "a.p7b").write_bytes(bundle("p7b", ders(authorities)))
    ran = subprocess.run(
        ["openssl", "pkcs7", "-inform", "DER", "-in", "a.p7b", "-print_certs"],
        cwd=tmp_path, capture_output=True, timeout=30, check=True,
    )  # fmt: skip
    assert set(certificates_in(ran.stdout)) == set(ders(authorities))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jks", "p12"])
def test_keytool_trusts_what_is_in_a_truststore(
    authorities: list[x509.Certificate], tmp_path: Path, form: str
) -> None:
    (tmp_path / "store").write_bytes(bundle(form, ders(authorities), "changeit"))
    ran = subprocess.run(
        ["keytool", "-list", "-rfc", "-keystore", "store", "-storepass", "changeit"],
        cwd=tmp_path, capture_output=True, timeout=60, check=True,
    )  # fmt: skip
    assert ran.stdout.count(b"Entry type: trustedCertEntry") == 3
    assert all(f"Alias name: {alias(each)}".encode() in ran.stdout for each in authorities)
    assert set(certificates_in(ran.stdout)) == set(ders(authorities))
    wrong = subprocess.run(
        ["keytool", "-list", "-keystore", "store", "-storepass", "another"],
        cwd=tmp_path, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert wrong.returncode != 0


def test_bundles_are_served_under_pki(quick_world: World) -> None:
    service = quick_world.service()
    root, below = service.init()
    service.deployment_hierarchy()
    public = PublicPki(quick_world.unit(SYSTEM))
    root_der, below_der = (
        x509.load_pem_x509_certificate(each.certificate_pem.encode()).public_bytes(Encoding.DER)
        for each in (root, below)
    )

    def body(name: str, media_type: str) -> bytes:
        found = public.file(name)
        assert found is not None, name
        assert found[0] == media_type
        return found[1]

    of_below = body(f"{below.id}/bundle.p7b", "application/x-pkcs7-certificates")
    assert {each.public_bytes(Encoding.DER) for each in pkcs7.load_der_pkcs7_certificates(of_below)} == {
        root_der, below_der,
    }  # fmt: skip
    trusted = read_jks(body(f"{below.id}/bundle.jks", "application/x-java-keystore"), "changeit")
    assert list(trusted.values()) == [root_der]
    assert pkcs12.load_pkcs12(
        body(f"{root.id}/bundle.p12", "application/x-pkcs12"), b"changeit"
    ).additional_certs
    roots = certificates_in(body("roots.pem", "application/x-pem-file"))
    assert root_der not in roots  # an account's root is its own affair
    assert list(read_jks(body("roots.jks", "application/x-java-keystore"), "changeit").values()) == roots
    for form in ("p7b", "p12"):
        assert public.file(f"roots.{form}") is not None
    assert public.file("roots.der") is None
    assert public.file(f"{below.id}/bundle.der") is None
