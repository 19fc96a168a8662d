"""Sign, Verify, GetPublicKey and the MACs through a stock client; signatures are checked outside, by pyca."""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_public_key

from kms.hsm.algorithms import ALGORITHMS
from kms.keys.signing import MESSAGES
from kms.keys.specs import KEY_SPECS, SIGN_VERIFY
from tests.api.kms.support import create, refused
from tests.support.world import World

MESSAGE = b"to be signed"
SIGNERS = [
    (name, algorithm) for name, spec in KEY_SPECS.items() for algorithm in spec.algorithms(SIGN_VERIFY)
]
INVALID = "KMSInvalidSignatureException"


@pytest.fixture(scope="module")
def kms(shared_world: World) -> Any:
    return shared_world.account().client("kms")


@pytest.fixture(scope="module")
def signers(kms: Any) -> dict[str, str]:
    """A signing key's id of each spec."""
    specs = [name for name, spec in KEY_SPECS.items() if SIGN_VERIFY in spec.usages]
    return {name: create(kms, KeySpec=name, KeyUsage=SIGN_VERIFY)["KeyId"] for name in specs}


def digest_of(algorithm: str, message: bytes) -> bytes:
    bits = algorithm.rpartition("_")[2]
    return hashlib.new(f"sha{bits}", message).digest()


def verify_outside(spki: bytes, algorithm: str, signature: bytes, message: bytes) -> None:
    """Check a signature over a RAW message without keystead."""
    key = load_der_public_key(spki)
    bits = algorithm.rpartition("_")[2]
    chosen: Any = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[bits]
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, message, ec.ECDSA(chosen))
    elif isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH)
        key.verify(signature, message, pss if "PSS" in algorithm else padding.PKCS1v15(), chosen)
    else:
        assert isinstance(
            key,
            ed25519.Ed25519PublicKey
            | mldsa.MLDSA44PublicKey
            | mldsa.MLDSA65PublicKey
            | mldsa.MLDSA87PublicKey,
        )
        key.verify(signature, message)


@pytest.mark.parametrize(("spec", "algorithm"), SIGNERS)
def test_a_signature_verifies_here_and_outside(
    kms: Any, signers: dict[str, str], spec: str, algorithm: str
) -> None:
    kind = "RAW" if "RAW" in MESSAGES[algorithm] else "DIGEST"
    message = MESSAGE if kind == "RAW" else digest_of(algorithm, MESSAGE)
    asked = {"KeyId": signers[spec], "SigningAlgorithm": algorithm, "Message": message, "MessageType": kind}
    signature = kms.sign(**asked)["Signature"]
    verified = kms.verify(Signature=signature, **asked)
    assert verified["SignatureValid"] is True
    if kind == "RAW":
        spki = kms.get_public_key(KeyId=signers[spec])["PublicKey"]
        verify_outside(spki, algorithm, signature, message)
    with refused(INVALID):
        kms.verify(Signature=signature, **{**asked, "Message": message[:-1] + b"?"})
    with refused(INVALID):
        kms.verify(Signature=b"\x00" * len(signature), **asked)


HASHED = [
    (spec, algorithm)
    for spec, algorithm in SIGNERS
    if "DIGEST" in MESSAGES[algorithm] and "ED25519" not in algorithm
]


@pytest.mark.parametrize(("spec", "algorithm"), HASHED)
def test_a_digest_signs_as_its_message_does(
    kms: Any, signers: dict[str, str], spec: str, algorithm: str
) -> None:
    digest = digest_of(algorithm, MESSAGE)
    asked = {"KeyId": signers[spec], "SigningAlgorithm": algorithm}
    signature = kms.sign(Message=digest, MessageType="DIGEST", **asked)["Signature"]
    assert kms.verify(Message=MESSAGE, Signature=signature, **asked)["SignatureValid"]
    with refused("ValidationException", f"Digest is invalid length for algorithm {algorithm}"):
        kms.sign(Message=digest[:-1], MessageType="DIGEST", **asked)


def test_trap_20_ecdsa_signatures_are_der(kms: Any, signers: dict[str, str]) -> None:
    signature = kms.sign(KeyId=signers["ECC_NIST_P256"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")[
        "Signature"
    ]
    assert utils.encode_dss_signature(*utils.decode_dss_signature(signature)) == signature


KINDS = [
    ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", 64),
    ("ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", 64),
    ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "EXTERNAL_MU", 64),
    ("ECC_NIST_P256", "ECDSA_SHA_256", "EXTERNAL_MU", 64),
    ("RSA_2048", "RSASSA_PSS_SHA_512", "EXTERNAL_MU", 64),
    ("ML_DSA_44", "ML_DSA_SHAKE_256", "DIGEST", 64),
]


@pytest.mark.parametrize(("spec", "algorithm", "kind", "size"), KINDS)
def test_trap_20_each_algorithm_takes_its_own_message_types_only(
    kms: Any, signers: dict[str, str], spec: str, algorithm: str, kind: str, size: int
) -> None:
    asked = {
        "KeyId": signers[spec],
        "SigningAlgorithm": algorithm,
        "MessageType": kind,
        "Message": bytes(size),
    }
    with refused("ValidationException", kind):
        kms.sign(**asked)
    with refused("ValidationException", kind):
        kms.verify(Signature=b"x", **asked)


def test_trap_20_ed25519ph_hashes_the_digest_again(kms: Any, signers: dict[str, str]) -> None:
    asked = {
        "KeyId": signers["ECC_NIST_EDWARDS25519"],
        "SigningAlgorithm": "ED25519_PH_SHA_512",
        "MessageType": "DIGEST",
    }
    digest = hashlib.sha512(MESSAGE).digest()
    signature = kms.sign(Message=digest, **asked)["Signature"]
    from Crypto.Hash import SHA512
    from Crypto.PublicKey import ECC
    from Crypto.Signature import eddsa

    public = ECC.import_key(kms.get_public_key(KeyId=asked["KeyId"])["PublicKey"])
    eddsa.new(public, "rfc8032").verify(SHA512.new(digest), signature)
    with pytest.raises(ValueError, match="not authentic"):
        eddsa.new(public, "rfc8032").verify(SHA512.new(MESSAGE), signature)


@pytest.mark.parametrize("spec", ["ML_DSA_44", "ML_DSA_65", "ML_DSA_87"])
def test_trap_20_an_external_mu_is_64_bytes_of_an_ml_dsa_message(
    kms: Any, signers: dict[str, str], spec: str
) -> None:
    asked = {"KeyId": signers[spec], "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    spki = kms.get_public_key(KeyId=signers[spec])["PublicKey"]
    public: Any = load_der_public_key(spki)
    # FIPS 204, algorithms 2 and 7: tr = SHAKE256(pk), mu = SHAKE256(tr || 0 || |context| || message)
    tr = hashlib.shake_256(public.public_bytes_raw()).digest(64)
    mu = hashlib.shake_256(tr + b"\x00\x00" + MESSAGE).digest(64)
    signature = kms.sign(Message=mu, MessageType="EXTERNAL_MU", **asked)["Signature"]
    public.verify(signature, MESSAGE)
    assert kms.verify(Message=MESSAGE, Signature=signature, **asked)["SignatureValid"]
    assert kms.verify(Message=mu, MessageType="EXTERNAL_MU", Signature=signature, **asked)["SignatureValid"]
    with refused("ValidationException", "External mu is invalid length"):
        kms.sign(Message=mu[:-1], MessageType="EXTERNAL_MU", **asked)


def test_trap_20_messages_have_at_most_4096_bytes(kms: Any, signers: dict[str, str]) -> None:
    asked = {"KeyId": signers["ECC_NIST_P256"], "SigningAlgorithm": "ECDSA_SHA_256"}
    kms.sign(Message=bytes(4096), **asked)
    with refused("ValidationException"):
        kms.sign(Message=bytes(4097), **asked)


def test_an_algorithm_of_another_spec_is_refused(kms: Any, signers: dict[str, str]) -> None:
    for algorithm in ("ECDSA_SHA_384", "RSASSA_PSS_SHA_256", "SM2DSA"):
        with refused("InvalidKeyUsageException", "incompatible"):
            kms.sign(KeyId=signers["ECC_NIST_P256"], Message=MESSAGE, SigningAlgorithm=algorithm)


def test_the_table_of_messages_is_the_key_cores() -> None:
    assert {name: dict(row) for name, row in MESSAGES.items()} == {
        name: dict(algorithm.lengths) for name, algorithm in ALGORITHMS.items()
    }


def test_a_public_key_comes_with_what_it_may_be_used_for(kms: Any, signers: dict[str, str]) -> None:
    shown = kms.get_public_key(KeyId=signers["RSA_2048"])
    assert (shown["KeySpec"], shown["CustomerMasterKeySpec"], shown["KeyUsage"]) == (
        "RSA_2048",
        "RSA_2048",
        SIGN_VERIFY,
    )
    assert shown["SigningAlgorithms"] == list(KEY_SPECS["RSA_2048"].algorithms(SIGN_VERIFY))
    assert "CustomerMasterKeySpec" not in kms.get_public_key(KeyId=signers["ML_DSA_44"])


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "HMAC_256"])
def test_a_secret_key_has_no_public_half(kms: Any, spec: str) -> None:
    usage = {"KeyUsage": "GENERATE_VERIFY_MAC"} if spec.startswith("HMAC") else {}
    made = create(kms, KeySpec=spec, **usage)
    with refused("UnsupportedOperationException"):
        kms.get_public_key(KeyId=made["KeyId"])


@pytest.mark.parametrize("bits", [224, 256, 384, 512])
def test_macs_are_hmacs_and_a_failed_one_is_an_error(kms: Any, bits: int) -> None:
    made = create(kms, KeySpec=f"HMAC_{bits}", KeyUsage="GENERATE_VERIFY_MAC")
    asked = {"KeyId": made["KeyId"], "Message": MESSAGE, "MacAlgorithm": f"HMAC_SHA_{bits}"}
    mac = kms.generate_mac(**asked)["Mac"]
    assert len(mac) == bits // 8
    assert kms.verify_mac(Mac=mac, **asked)["MacValid"] is True
    for wrong in (mac[:-1], bytes(len(mac)), mac + b"x"):
        with refused("KMSInvalidMacException"):
            kms.verify_mac(Mac=wrong, **asked)
    with refused("InvalidKeyUsageException"):
        kms.generate_mac(**{**asked, "MacAlgorithm": f"HMAC_SHA_{512 if bits != 512 else 256}"})
    with refused("InvalidKeyUsageException"):
        kms.sign(KeyId=made["KeyId"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")
    assert hmac.compare_digest(mac, kms.generate_mac(**asked)["Mac"])


def test_dry_run_comes_after_everything_else(kms: Any, signers: dict[str, str]) -> None:
    signing = {"KeyId": signers["ECC_NIST_P256"], "Message": MESSAGE, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**signing)["Signature"]
    made = create(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    macs = {"KeyId": made["KeyId"], "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**macs)["Mac"]
    calls: list[Callable[[], Any]] = [
        lambda: kms.sign(DryRun=True, **signing),
        lambda: kms.verify(DryRun=True, Signature=signature, **signing),
        lambda: kms.generate_mac(DryRun=True, **macs),
        lambda: kms.verify_mac(DryRun=True, Mac=mac, **macs),
    ]
    for call in calls:
        with refused("DryRunOperationException"):
            call()
    with refused(INVALID):
        kms.verify(DryRun=True, Signature=signature[:-1], **signing)
    with refused("KMSInvalidMacException"):
        kms.verify_mac(DryRun=True, Mac=mac[:-1], **macs)


def test_a_forgery_outside_is_found_outside(kms: Any, signers: dict[str, str]) -> None:
    signature = kms.sign(KeyId=signers["ECC_NIST_P256"], Message=MESSAGE, SigningAlgorithm="ECDSA_SHA_256")[
        "Signature"
    ]
    spki = kms.get_public_key(KeyId=signers["ECC_NIST_P256"])["PublicKey"]
    with pytest.raises(InvalidSignature):
        verify_outside(spki, "ECDSA_SHA_256", signature, b"another message")
