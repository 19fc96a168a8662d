"""CiphertextForRecipient: what leaves for an enclave's RSA key, read by openssl and, field by field, as its SDK reads it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kms.hsm import frames, keypairs, recipient, rsa_oaep
from kms.hsm.der import children, tlv
from kms.hsm.errors import BadPublicKey
from kms.hsm.specs import SPECS
from tests.kms.hsm.inside import label, perform, refusal, result, service

ENCLAVE = rsa.generate_private_key(65537, 2048)
SPKI = keypairs.spki(ENCLAVE)


def opened(envelope: bytes, private: rsa.RSAPrivateKey = ENCLAVE) -> bytes:
    """As RFC 5652 6 lays it out: ContentInfo, EnvelopedData, its one recipient, its encrypted content."""
    (_, kind), (_, explicit) = children(envelope)
    assert kind.hex() == "2a864886f70d010703"
    (_, version), (_, recipients), (_, content) = children(explicit)
    assert version == b"\x02"
    number, name, algorithm, key = children(recipients)
    assert number[1] == b"\x02"
    assert (name[0], len(name[1])) == (0x80, 20)
    assert algorithm[1].hex().startswith("06092a864886f70d010107")
    (_, data), (_, cipher), (tag, sealed) = children(tlv(0x30, content))
    assert (data.hex(), tag) == ("2a864886f70d010701", 0x80)
    assert cipher.hex().startswith("060960864801650304012a0410")
    secret = rsa_oaep.decrypt(private, "RSAES_OAEP_SHA_256", key[1])
    decryptor = Cipher(AES256(secret), CBC(cipher[-16:])).decryptor()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(decryptor.update(sealed) + decryptor.finalize()) + unpadder.finalize()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 32, 4096])
def test_a_plaintext_reaches_its_recipient_whole(size: int) -> None:
    plaintext = os.urandom(size)
    assert opened(recipient.envelope(SPKI, plaintext, os.urandom)) == plaintext


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_openssl_opens_the_envelope(bits: int, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command here")
    private = rsa.generate_private_key(65537, bits)
    key = tmp_path / "key.pem"
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    done = subprocess.run(
        ["openssl", "cms", "-decrypt", "-inform", "DER", "-binary", "-inkey", key],
        input=recipient.envelope(keypairs.spki(private), b"for the enclave", os.urandom),
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"for the enclave", done.stderr


def test_what_each_operation_gives_a_recipient_is_what_it_gives_in_clear() -> None:
    keys, named = service(), label("kms", "SYMMETRIC_DEFAULT")
    token = result(keys, frames.GenerateKey(named)).first
    made = result(keys, frames.GenerateDataKey(token, named, 32, {"a": "b"}, recipient=SPKI))
    assert opened(made.first) == result(keys, frames.Decrypt(token, named, made.second, {"a": "b"})).first
    again = result(keys, frames.Decrypt(token, named, made.second, {"a": "b"}, recipient=SPKI))
    assert opened(again.first) == opened(made.first)
    pair = result(keys, frames.GenerateDataKeyPair(token, named, "RSA_2048", {}, recipient=SPKI))
    der = opened(pair.first)
    assert der == result(keys, frames.Decrypt(token, named, pair.second, {})).first
    assert keypairs.read_foreign(der, SPECS["RSA_2048"])
    assert len(opened(result(keys, frames.GenerateRandom(100, recipient=SPKI)).first)) == 100
    curve = label("kms", "EC_prime256v1", usage="KEY_AGREEMENT")
    token = result(keys, frames.GenerateKey(curve)).first
    peer = keypairs.spki(ec.generate_private_key(ec.SECP256R1()))
    shared = result(keys, frames.DeriveSharedSecret(token, curve, peer)).first
    assert opened(result(keys, frames.DeriveSharedSecret(token, curve, peer, recipient=SPKI)).first) == shared


def test_the_record_names_the_recipient() -> None:
    keys, named = service(), label("kms", "SYMMETRIC_DEFAULT")
    token = result(keys, frames.GenerateKey(named)).first
    ((_, record),) = perform(keys, frames.GenerateDataKey(token, named, 32, {}, recipient=SPKI)).records
    assert b'"recipient":"' in record
    ((_, record),) = perform(keys, frames.GenerateDataKey(token, named, 32, {})).records
    assert b"recipient" not in record


@pytest.mark.parametrize(
    "spki",
    [b"none", keypairs.spki(ec.generate_private_key(ec.SECP256R1())), keypairs.spki(rsa.generate_private_key(65537, 1024))],
    ids=["none", "EC", "RSA of 1024 bits"],
)  # fmt: skip
def test_a_key_that_is_not_fit_for_a_recipient_is_refused(spki: bytes) -> None:
    with pytest.raises(BadPublicKey):
        recipient.envelope(spki, b"x", os.urandom)
    assert refusal(service(), frames.GenerateRandom(1, recipient=spki)).code == "BadPublicKey"
