"""NIST's vectors (and RFC 6979's), as PyPI's `cryptography-vectors` packs them, through the core's own primitives."""

import hashlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from kms.hsm import agreement, frames, keypairs, primitives, signatures, wrapping
from kms.hsm.algorithms import ALGORITHMS
from kms.hsm.der import IMPLICIT_0, INTEGER, OCTET_STRING, SEQUENCE, tlv
from kms.hsm.errors import BadPublicKey, BadSeal, InvalidSignature
from kms.hsm.specs import SPECS
from tests.kms.hsm import inside
from tests.kms.hsm.imports import Importer, external, succeed

FOLDER = Path(cryptography_vectors.__path__[0])
CURVES = {"P-256": "EC_prime256v1", "P-384": "EC_secp384r1", "P-521": "EC_secp521r1"}


def blocks(path: str, section: str = "") -> Iterator[dict[str, str]]:
    """The "name = value" blocks of a file, or of one [section] of it."""
    text = (FOLDER / path).read_text()
    if section:
        text = re.split(r"^\[" + re.escape(section) + r"\]$", text, maxsplit=1, flags=re.MULTILINE)[1]
        text = re.split(r"^\[", text, maxsplit=1, flags=re.MULTILINE)[0]
    for block in re.split(r"\n\s*\n", text):
        pairs = dict(re.findall(r"^(\w+) = ?(.*)$", block, flags=re.MULTILINE))
        if pairs:
            yield pairs


def records(path: str, first: str) -> Iterator[dict[str, str]]:
    """Records that are not parted by empty lines: each starts with the name `first`."""
    record: dict[str, str] = {}
    for name, value in re.findall(r"^(\w+) = ?(.*)$", (FOLDER / path).read_text(), flags=re.MULTILINE):
        if name == first and record:
            yield record
            record = {}
        record[name] = value
    yield record


def seeded(spec: str, seed: bytes) -> bytes:
    """PKCS#8 of a key in seed format (RFC 9881 6, RFC 9935 6)."""
    algorithm = keypairs.private_der(keypairs.generate(SPECS[spec], bytes))
    start = 4 + 1 + (algorithm[1] - 0x80 if algorithm[1] > 0x80 else 0)
    return tlv(
        SEQUENCE,
        tlv(INTEGER, b"\0") + algorithm[start : start + 13] + tlv(OCTET_STRING, tlv(IMPLICIT_0, seed)),
    )


@pytest.mark.parametrize("spec", ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"])
def test_ml_kem_keys_secrets_and_implicit_rejections_are_the_known_ones(spec: str) -> None:
    importer, named = Importer(inside.service()), external(spec)
    count = 0
    every = records(f"asymmetric/MLKEM/kat_{spec.replace('ML_KEM', 'MLKEM')}.rsp", "count")
    for vector in itertools.islice(every, 100):
        count += 1
        taken = importer.take(named, seeded(spec, bytes.fromhex(vector["d"] + vector["z"])))
        assert taken.second.hex().endswith(vector["pk"])
        for blob, secret in (("ct", "ss"), ("ct_n", "ss_n")):
            ask = frames.Decapsulate(taken.first, named, bytes.fromhex(vector[blob]))
            assert succeed(inside.perform(importer.keys, ask).answer).first.hex() == vector[secret]
    assert count >= 100


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_ml_dsa_keys_and_signatures_are_the_known_ones(spec: str) -> None:
    """The known signatures have a context, which KMS's callers give by an external mu."""
    importer, named, algorithm = Importer(inside.service()), external(spec), ALGORITHMS["ML_DSA_SHAKE_256"]
    count = 0
    for vector in records(f"asymmetric/MLDSA/kat_{spec.replace('ML_DSA', 'MLDSA')}_det_pure.rsp", "count"):
        count += 1
        taken = importer.take(named, seeded(spec, bytes.fromhex(vector["xi"])))
        assert taken.second.hex().endswith(vector["pk"])
        message, context, public = (bytes.fromhex(vector[name]) for name in ("msg", "ctx", "pk"))
        signature = bytes.fromhex(vector["sm"])[: int(vector["smlen"]) - int(vector["mlen"])]
        hashed = hashlib.shake_256(public).digest(64)
        mu = hashlib.shake_256(hashed + bytes((0, len(context))) + context + message).digest(64)
        signatures.verify(keypairs.read_public(taken.second), algorithm, mu, signature, "EXTERNAL_MU")
        with pytest.raises(InvalidSignature):
            signatures.verify(keypairs.read_public(taken.second), algorithm, message, signature)
    assert count >= 25


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("name", ["KWP_AD", "KWP_AE"])
def test_aes_key_wrap_with_padding_is_nists(name: str, bits: int) -> None:
    count = 0
    for vector in blocks(f"keywrap/kwtestvectors/{name}_{bits}.txt"):
        if "K" not in vector:
            continue
        count += 1
        key, wrapped = bytes.fromhex(vector["K"]), bytes.fromhex(vector["C"])
        if "P" in vector:
            assert wrapping.unwrap_aes(key, wrapped).hex() == vector["P"]
        else:
            with pytest.raises(BadSeal):
                wrapping.unwrap_aes(key, wrapped)
    assert count >= 100


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_hmac_is_that_of_rfc_4231(bits: int) -> None:
    count = 0
    for vector in blocks(f"HMAC/rfc-4231-sha{bits}.txt"):
        if "Key" in vector:
            count += 1
            key, message = bytes.fromhex(vector["Key"]), bytes.fromhex(vector["Msg"])
            assert primitives.hmac(f"HMAC_SHA_{bits}", key, message).hex() == vector["MD"]
    assert count >= 5


@pytest.mark.parametrize(
    ("curve", "hash_name", "section"),
    [
        ("P-256", "SHA256", "EC - SHA256"),
        ("P-384", "SHA384", "ED - SHA384"),
        ("P-521", "SHA512", "EE - SHA512"),
    ],
)
def test_ecdh_agrees_with_nists_validity_test(curve: str, hash_name: str, section: str) -> None:
    count = 0
    spec = CURVES[curve]
    path = "asymmetric/ECDH/KASValidityTest_ECCStaticUnified_NOKC_ZZOnly_init.fax"
    for vector in blocks(path, section):
        result = vector.get("Result", "F (5")
        if result.startswith(
            ("F (5", "F (6", "F (7")
        ):  # what is wrong is the own key, which the core would not have
            continue
        count += 1
        private = ec.derive_private_key(int(vector["dsIUT"], 16), keypairs.CURVES[spec])
        x, y = (int(vector[name], 16).to_bytes(SPECS[spec].size, "big") for name in ("QsCAVSx", "QsCAVSy"))
        own = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        spki = keypairs.spki(private).replace(own, b"\x04" + x + y)
        if result.startswith(("F (1", "F (2")):  # the peer's point is not on the curve
            with pytest.raises(BadPublicKey):
                agreement.derive(private, spki)
            continue
        digest = hashlib.new(hash_name, agreement.derive(private, spki)).hexdigest()
        assert (digest == vector["CAVSHashZZ"].lower()) == result.startswith("P"), vector
    assert count >= 10


@pytest.mark.parametrize(("curve", "bits"), [("P-256", 256), ("P-384", 384), ("P-521", 512)])
def test_ecdsa_signatures_are_accepted_or_refused_as_nist_says(curve: str, bits: int) -> None:
    count = 0
    for vector in blocks("asymmetric/ECDSA/FIPS_186-3/SigVer.rsp", f"{curve},SHA-{bits}"):
        count += 1
        x, y, r, s = (int(vector[name], 16) for name in ("Qx", "Qy", "R", "S"))
        public = ec.EllipticCurvePublicNumbers(x, y, keypairs.CURVES[CURVES[curve]]).public_key()
        signature, message = utils.encode_dss_signature(r, s), bytes.fromhex(vector["Msg"])
        if vector["Result"].startswith("P"):
            signatures.verify(public, ALGORITHMS[f"ECDSA_SHA_{bits}"], message, signature)
        else:
            with pytest.raises(InvalidSignature):
                signatures.verify(public, ALGORITHMS[f"ECDSA_SHA_{bits}"], message, signature)
    assert count >= 10


@pytest.mark.parametrize(("curve", "bits"), [("P-256", 256), ("P-384", 384), ("P-521", 512)])
def test_ecdsa_signatures_are_rfc_6979s(curve: str, bits: int) -> None:
    text = (FOLDER / "asymmetric/ECDSA/RFC6979/evppkey_ecdsa_rfc6979.txt").read_text()
    pem = re.search(rf"PrivateKey ?= ?{curve}_PRIV\n(-----BEGIN.*?END PRIVATE KEY-----)", text, re.DOTALL)
    assert pem is not None
    private = load_pem_private_key(pem[1].encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    importer, named = Importer(inside.service()), external(CURVES[curve])
    token = importer.token(named, keypairs.private_der(private))
    known = re.findall(
        rf'DigestSign = SHA{bits}\nKey = {curve}_PRIV\nNonceType = deterministic\nInput = "(\w+)"\nOutput = (\w+)',
        text,
    )
    assert len(known) >= 2
    for message, signature in known:
        ask = frames.Sign(token, named, f"ECDSA_SHA_{bits}", message.encode(), "raw")
        assert inside.result(importer.keys, ask).first.hex().upper() == signature
