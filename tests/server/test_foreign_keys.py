"""Private keys of CAs in every form that openssl, step-ca and cfssl leave them in, each made by openssl itself."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from server.admin.protocol import CommandFailed
from server.cli.foreign_keys import ForeignKey, read_key, read_pkcs12, wrap

PASSPHRASE = b"correct horse"

# Form -> (the openssl commands that make it of key.pem, whether it asks for the passphrase, who leaves such a file)
FORMS = {
    "pkcs8": ("pkcs8 -topk8 -nocrypt -in KEY -out OUT", False, "openssl genpkey, req -newkey -nodes"),
    "pkcs8-encrypted": (
        "pkcs8 -topk8 -v2 aes-256-cbc -in KEY -passout pass:PASS -out OUT",
        True,
        "openssl req -newkey; step certificate create since 0.25",
    ),
    "pkcs8-scrypt": (
        "pkcs8 -topk8 -scrypt -in KEY -passout pass:PASS -out OUT",
        True,
        "openssl pkcs8 -scrypt",
    ),
    "traditional": ("pkey -traditional -in KEY -out OUT", False, "cfssl gencert -initca (SEC 1 and PKCS#1)"),
    "traditional-encrypted": (
        "KIND -aes256 -in KEY -passout pass:PASS -out OUT",
        True,
        "step-ca's secrets/*_ca_key (DEK-Info: AES-256-CBC); openssl genrsa -aes256",
    ),
    "der": ("pkcs8 -topk8 -nocrypt -in KEY -outform DER -out OUT", False, "keytool, and Windows tools"),
}
GENERATED = {"ec": "ecparam -name prime256v1 -genkey -out KEY", "rsa": "genrsa -out KEY 2048"}


def openssl(command: str, directory: Path, kind: str, name: str) -> bytes:
    words = {"KEY": f"{kind}.pem", "OUT": name, "KIND": kind, "pass:PASS": f"pass:{PASSPHRASE.decode()}"}
    arguments = ["openssl", *(words.get(word, word) for word in command.split())]
    subprocess.run(arguments, cwd=directory, check=True, capture_output=True, timeout=60)
    return (directory / (f"{kind}.pem" if "OUT" not in command else name)).read_bytes()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One EC and one RSA key, with a self-signed certificate each."""
    made = tmp_path_factory.mktemp("keys")
    for kind, command in GENERATED.items():
        openssl(command, made, kind, "")
        openssl(f"req -x509 -new -key KEY -subj /CN={kind} -days 30 -out OUT", made, kind, f"{kind}.crt")
    return made


def never() -> bytes:
    raise AssertionError("a passphrase was asked for that nothing needs")


def public(directory: Path, kind: str) -> bytes:
    return openssl("pkey -in KEY -pubout -outform DER -out OUT", directory, kind, f"{kind}.pub")


@pytest.mark.parametrize("kind", GENERATED)
@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_read_and_asks_for_a_passphrase_only_where_it_has_one(
    directory: Path, form: str, kind: str
) -> None:
    command, asks, _ = FORMS[form]
    data = openssl(command, directory, kind, f"{kind}.{form}")
    found = read_key(data, (lambda: PASSPHRASE) if asks else never)
    assert found.spki == public(directory, kind)
    assert (
        load_der_private_key(found.pkcs8, None)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        == found.spki
    )
    assert "pkcs8" not in repr(found)


def test_the_curve_that_openssl_writes_before_the_key_is_passed_over(directory: Path) -> None:
    data = (directory / "ec.pem").read_bytes()
    assert data.startswith(b"-----BEGIN EC PARAMETERS-----")
    assert read_key(data, never).spki == public(directory, "ec")


@pytest.mark.parametrize("more", ["", "-legacy"], ids=["today's ciphers", "RC2 and 3DES"])
def test_pkcs12_brings_key_and_certificates(directory: Path, more: str) -> None:
    try:
        data = openssl(
            f"pkcs12 -export {more} -inkey KEY -in ec.crt -passout pass:PASS -out OUT",
            directory,
            "ec",
            "ec.p12",
        )
    except subprocess.CalledProcessError:
        pytest.skip("this openssl has no legacy ciphers")
    found: ForeignKey = read_pkcs12(data, lambda: PASSPHRASE)
    assert found.spki == public(directory, "ec")
    assert found.certificates == (directory / "ec.crt").read_bytes()
    with pytest.raises(CommandFailed, match="passphrase"):
        read_pkcs12(data, lambda: b"wrong")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no private key that can be read"),
        (b"\x30\x03\x02\x01\x01", "no private key that can be read"),
        (b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "is it the certificate"),
        (
            b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
            "no private key that can be read",
        ),
    ],
)
def test_what_is_no_key_is_told_what_is_wrong_with_it(data: bytes, says: str) -> None:
    with pytest.raises(CommandFailed, match=says):
        read_key(data, never)


def test_two_keys_and_a_wrong_passphrase_are_refused(directory: Path) -> None:
    pem = (directory / "ec.pem").read_bytes()
    with pytest.raises(CommandFailed, match="2 private keys"):
        read_key(pem + pem, never)
    locked = openssl(FORMS["pkcs8-encrypted"][0], directory, "ec", "ec.locked")
    with pytest.raises(CommandFailed, match="is the passphrase right"):
        read_key(locked, lambda: b"wrong")


def test_a_wrapping_key_that_is_not_rsa_is_none() -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(CommandFailed, match="not RSA"):
        wrap(spki, "RSA_AES_KEY_WRAP_SHA_256", b"x", os.urandom)
